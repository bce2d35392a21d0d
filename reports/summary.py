"""What the terminal says at the end of a run."""

from __future__ import annotations

import pytest

from reports import facts, findings, matrix
from reports.block import block
from reports.model import Footer, Interruption, Verdict, VerdictRecord
from reports.outcome import counted
from reports.printable import printable
from reports.run import Run

SLOWEST = 10


def show(run: Run, terminal: pytest.TerminalReporter) -> None:
    """Matrix, slowest checks, what didn't run, known failures, and every failure as a block.

    Of a run that was interrupted, what it had judged; nothing where no check was to be judged.
    """
    if run.footer is None and run.interruption is None:
        return
    if run.records:
        terminal.section("conformance")
        order = matrix.Order(run.subjects, run.stores)
        for line in matrix.render(run.records, order, colour=terminal.hasmarkup).splitlines():
            terminal.write_line(line)
        terminal.section(f"the {SLOWEST} slowest checks")
        _write(terminal, "\n".join(slowest(run.records)))
    for title, lines in (("not run", not_run(run.records)), ("known failures", known(run.records))):
        if lines:
            terminal.section(title)
            _write(terminal, "\n".join(lines))
    for record in findings.failures(run.records):
        terminal.section(f"{record.verdict} {record.requirement}", sep="-")
        requirement = run.catalogue[record.requirement]
        _write(terminal, block(record, requirement, seed=run.seed, long=run.long))
    if run.footer is not None:
        if run.footer.reasons:
            terminal.section("why this run is red")
            _write(terminal, "\n".join(run.footer.reasons))
        _write(terminal, "\n".join(f"oracle: {line}" for line in facts.oracle(run.footer)))
    terminal.write_line("")
    terminal.write_line(f"report: {run.writer.path}")


def end(run: Run, terminal: pytest.TerminalReporter, signal: str | None) -> None:
    """What the whole output ends in; nothing where no check was to be judged."""
    _write(terminal, "\n".join(map(run.redactor.text, run.stumbles)))
    if run.footer is not None:
        terminal.write_line(verdict_line(run.footer))
    elif run.interruption is not None:
        terminal.write_line(interruption_line(run.interruption, run.checks))
    elif signal is not None and run.active:
        terminal.write_line(f"loadproof: interrupted by {signal} before the first check, no report")


def interruption_line(end: Interruption, checks: int) -> str:
    """The same for a run that was ended from outside: it is neither green nor red."""
    judged = f"{sum(end.counts.values())} of {counted(checks, 'check')} judged"
    counts = ", ".join(f"{number} {verdict}" for verdict, number in end.counts.items() if number)
    so_far = f" ({counts})" if counts else ""
    return (
        f"loadproof: interrupted by {printable(end.by)}: {judged}{so_far} in {end.seconds:.1f} s, no result"
    )


def verdict_line(footer: Footer) -> str:
    """The run in one line, without colour, for people and for scripts that read the last line."""
    counts = ", ".join(f"{number} {verdict}" for verdict, number in footer.counts.items() if number)
    colour = "red" if footer.exit_code else "green"
    if not footer.exit_code and footer.counts.get(Verdict.FAIL):
        counts += " (of SHOULD only)"
    why = f" ({'; '.join(reason.partition(':')[0] for reason in footer.reasons)})" if footer.reasons else ""
    return f"loadproof: {colour}: {counts or 'no checks'} in {footer.seconds:.1f} s{why}"


def slowest(records: list[VerdictRecord]) -> list[str]:
    """The slowest checks, slowest first."""
    ordered = sorted(records, key=lambda record: -record.seconds)[:SLOWEST]
    return [f"{record.seconds:8.2f} s  {record.requirement}  {record.check}" for record in ordered]


def not_run(records: list[VerdictRecord]) -> list[str]:
    """Each missing store once, with reason and remedy; each capability that a subject lacks once."""
    lines = []
    for one in findings.missing(records):
        lines += [f"NOT-RUN {one.store} ({counted(one.checks, 'check')}): {one.reason}"]
        lines += [f"    remedy: {one.remedy}"]
    return lines + [
        f"UNSUPPORTED {one.subject} ({counted(one.checks, 'check')}): {one.state}"
        for one in findings.lacking(records)
    ]


def known(records: list[VerdictRecord]) -> list[str]:
    """Each known failure once, with where it was seen and its link, or else its evidence."""
    return [
        f"{one.requirement} {one.subject} ({', '.join(one.stores)}): {one.link or one.evidence}"
        for one in findings.known(records)
    ]


def _write(terminal: pytest.TerminalReporter, text: str) -> None:
    # Hostile object keys end up in messages: their control characters must not steer the terminal.
    for line in text.split("\n") if text else ():
        terminal.write_line(printable(line))
