"""How a command says that it can't do its work."""


class Trouble(Exception):
    """A command can't go on; the user is told the reason and the remedy, without a traceback."""

    def __init__(self, reason: str, remedy: str, *, code: int = 1) -> None:
        """`code`: the exit code, where 1 has another meaning for the command."""
        super().__init__(f"{reason}; remedy: {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.code = code
