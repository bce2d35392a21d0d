"""Text of a hostile bucket, made harmless: object keys end up in messages, and may hold any character."""

from __future__ import annotations


def printable(line: str) -> str:
    """The line with control characters and lone surrogates escaped."""
    return "".join(
        char
        if char.isprintable() or char == "\t"
        else char.encode("unicode_escape", "surrogatepass").decode()
        for char in line
    )


def printable_text(text: str) -> str:
    """The same for a text of several lines, which stay lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def encodable(text: str) -> str:
    """The text with only those characters escaped that files can't hold: lone surrogates and NUL."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
