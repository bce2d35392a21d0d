"""A judged series of runs as tables: CSV through pandas, and one page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reports.false_alarms import Flaky, Repetition, Series, Sighting, counts
from reports.markdown import escaped
from reports.outcome import counted
from reports.printable import encodable

SEEN = ("what", "expected", "actual", "difference", "tensor", "offset", "message", "trace")
RUN_COLUMNS = ["run", "seed", "order_seed", "load", "processes", "seconds", "exit_code", "checks"]
FLAKY_COLUMNS = ["check", "requirement", "subject", "store", "suspect", "usual", "verdicts", "departures"]
SIGHTING_COLUMNS = ["check", "run", "seed", "order_seed", "load", "verdict", "seconds", "before", *SEEN]


def write(series: Series, facts: Mapping[str, Any], folder: Path) -> list[Path]:
    """Writes `runs.csv`, `flaky.csv`, `sightings.csv` and `summary.md`; their paths. Raises OSError."""
    paths = []
    for name, table in (("runs", runs(series)), ("flaky", flaky(series)), ("sightings", sightings(series))):
        paths.append(folder / f"{name}.csv")
        table.to_csv(paths[-1], index=False, lineterminator="\n")
    paths.append(folder / "summary.md")
    paths[-1].write_text(encodable(markdown(series, facts)), encoding="utf-8")
    return paths


def runs(series: Series) -> pd.DataFrame:
    """A row for each run; `seconds` by the clock on the wall, checks by verdict, its order's digest."""
    rows = [run_row(one) for one in series.repetitions]
    return pd.DataFrame(rows, columns=None if rows else RUN_COLUMNS)


def run_row(one: Repetition) -> dict[str, Any]:
    """The run as the table has it."""
    values = (
        one.number,
        one.seed,
        one.order_seed,
        one.load,
        one.processes,
        round(one.seconds, 1),
        one.exit_code,
        len(one.verdicts),
    )
    row: dict[str, Any] = dict(zip(RUN_COLUMNS, values, strict=True)) | counts(one)
    first = encodable(" ".join(one.first))
    return row | {"order": one.order, "first": first, "refusal": encodable(one.refusal or "")}


def flaky(series: Series) -> pd.DataFrame:
    """A row for each flaky verdict, with the runs that departed from the usual one."""
    rows = []
    for one in series.flaky:
        example = one.example
        named = (one.check, example.requirement, example.subject, example.store)
        values = (*named, one.suspect, one.usual, verdicts(one), departures(one))
        rows.append([encodable(value) for value in values])
    return pd.DataFrame(rows, columns=FLAKY_COLUMNS)


def sightings(series: Series) -> pd.DataFrame:
    """A row for each flaky verdict and whole run, with all that a diagnosis can start from."""
    rows = [sighting_row(one.check, each) for one in series.flaky for each in one.sightings]
    return pd.DataFrame(rows, columns=SIGHTING_COLUMNS)


def sighting_row(check: str, one: Sighting) -> dict[str, Any]:
    """The run's word on the check as the table has it."""
    run = one.repetition
    row: dict[str, Any] = {
        "check": check,
        "run": run.number,
        "seed": run.seed,
        "order_seed": run.order_seed,
        "load": run.load,
        "verdict": one.verdict,
        "seconds": one.record.seconds if one.record else None,
        "before": run.before(check),
    } | {name: getattr(one.record, name, None) for name in SEEN}
    return {name: encodable(value) if isinstance(value, str) else value for name, value in row.items()}


def verdicts(one: Flaky) -> str:
    """ "29 PASS, 1 FAIL"."""
    return ", ".join(f"{number} {verdict}" for verdict, number in one.counts.most_common())


def departures(one: Flaky) -> str:
    """Which runs said something else, with their circumstances."""
    return "; ".join(f"{each.verdict} in {each.repetition.told}" for each in one.departures)


def verdict_line(series: Series) -> str:
    """The series in a line."""
    repeated = f"{counted(series.checks, 'check')} in {counted(len(series.repetitions), 'run')}"
    parts = ", ".join(f"{name} {number}" for name, number in series.by_subject.items())
    found = f"{counted(len(series.flaky), 'flaky verdict')}" + (f" ({parts})" if parts else "")
    others = [reason for reason in series.reasons if "flaky verdict" not in reason]
    word = "red" if series.reasons else "green"
    return f"{word}: {'; '.join([f'{found} of {repeated}', *others])}"


def markdown(series: Series, facts: Mapping[str, Any]) -> str:
    """What was found, every flaky verdict, every run, and what they ran on."""
    lines = ["# False alarms", "", escaped(verdict_line(series)), ""]
    lines += ["## Flaky verdicts", ""]
    if series.flaky:
        table = flaky(series)
        lines += _table(FLAKY_COLUMNS, table.to_numpy().tolist())
        lines += ["", "`suspect` is where to look first; `sightings.csv` has what each run saw.", ""]
    else:
        lines += ["None.", ""]
    lines += ["## Runs", ""]
    table = runs(series).drop(columns=["first", "refusal"], errors="ignore")
    lines += _table([str(name) for name in table.columns], table.astype(object).to_numpy().tolist())
    lines += [
        "",
        "`load` is processes of the suite per core beside the first, `seconds` by the clock on the wall,",
    ]
    lines += ["`order` a digest of the order in which the checks ended.", "", "## Circumstances", ""]
    lines += _table(["", ""], [[name, _said(value)] for name, value in facts.items()])
    return "\n".join(lines) + "\n"


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    return "; ".join(map(_said, value)) if isinstance(value, list | tuple) else str(value)


def _table(titles: list[str], rows: list[list[Any]]) -> list[str]:
    return [
        f"| {' | '.join(line)} |"
        for line in (
            [escaped(title) for title in titles],
            ["---"] * len(titles),
            *([escaped(str(cell)) for cell in row] for row in rows),
        )
    ]
