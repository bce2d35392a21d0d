"""`python -m tooling <command>`: finds the command and turns its trouble into one line and an exit code."""

import argparse
import sys
from collections.abc import Callable, Sequence

from tooling import (
    automatic_mutants,
    diff,
    explain,
    failures,
    false_alarms,
    limits,
    minio_image,
    mutants,
    nightly,
    report,
    smoke,
)
from tooling.trouble import Trouble

# A command's module offers `SUMMARY`, `arguments(parser)` and `run(options)`; an entry here is all it needs.
# It imports what isn't in the standard library in `run` only, so that the others work without.
COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[..., int | None]]] = {
    "automatic-mutants": (
        automatic_mutants.SUMMARY,
        automatic_mutants.arguments,
        automatic_mutants.run,
    ),
    "diff": (diff.SUMMARY, diff.arguments, diff.run),
    "explain": (explain.SUMMARY, explain.arguments, explain.run),
    "failures": (failures.SUMMARY, failures.arguments, failures.run),
    "false-alarms": (false_alarms.SUMMARY, false_alarms.arguments, false_alarms.run),
    "limits": (limits.SUMMARY, limits.arguments, limits.run),
    "minio-image": (minio_image.SUMMARY, minio_image.arguments, minio_image.run),
    "mutants": (mutants.SUMMARY, mutants.arguments, mutants.run),
    "nightly": (nightly.SUMMARY, nightly.arguments, nightly.run),
    "report": (report.SUMMARY, report.arguments, report.run),
    "smoke": (smoke.SUMMARY, smoke.arguments, smoke.run),
}


def main(words: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 the command says why not, 2 the command line isn't understood.

    A command may return its own, and say in its `run` what it means.
    """
    parser = argparse.ArgumentParser(prog="python -m tooling", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (summary, arguments, run) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        arguments(command)
        command.set_defaults(run=run)
    options = parser.parse_args(words)
    try:
        code: int | None = options.run(options)
    except Trouble as trouble:
        print(f"{options.command}: {trouble.reason}\n  remedy: {trouble.remedy}", file=sys.stderr)
        return trouble.code
    except ModuleNotFoundError as error:  # commands that need no package run under a bare Python as well
        remedy = "pip install -r requirements.txt, or use .tox/conformance/bin/python"
        print(f"{options.command}: {error}\n  remedy: {remedy}", file=sys.stderr)
        return 2
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
