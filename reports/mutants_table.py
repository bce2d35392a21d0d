"""The table mutant × requirement, as CSV, Parquet, Markdown and one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.catalogue import Requirement
from reports.mutants import Kills, Trial

PAGE = Path(__file__).with_name("page")


def write(
    found: Sequence[Trial], result: Kills, catalogue: Mapping[str, Requirement], folder: Path
) -> list[Path]:
    """Writes all forms into `folder`; their paths. Raises OSError."""
    table = long_form(found, catalogue)
    csv, parquet, markdown, html = (
        folder / f"mutants.{ending}" for ending in ("csv", "parquet", "md", "html")
    )
    table.to_csv(csv, index=False, lineterminator="\n")
    table.to_parquet(parquet, engine="pyarrow", index=False)
    markdown.write_text(in_markdown(found, result, catalogue), encoding="utf-8")
    html.write_text(in_html(found, result, catalogue), encoding="utf-8")
    return [csv, parquet, markdown, html]


def long_form(found: Sequence[Trial], catalogue: Mapping[str, Requirement]) -> pd.DataFrame:
    """A row for each mutant and requirement that was asked: how many checks, how many of them red."""
    rows = []
    for trial in found:
        for requirement in sorted(trial.asked):
            own = [record for record in trial.records if record.requirement == requirement]
            rows.append(
                {
                    "mutant": trial.mutant.name,
                    "file": trial.mutant.file,
                    "requirement": requirement,
                    "area": catalogue[requirement].area,
                    "level": catalogue[requirement].level,
                    "declared_red": requirement in trial.mutant.red,
                    "red": requirement in trial.red,
                    "checks": len(own),
                    "red_checks": sum(record.verdict == "FAIL" for record in own),
                    "seconds": round(sum(record.seconds for record in own), 3),
                    "after": trial.mutant.after,
                }
            )
    return pd.DataFrame(rows)


def in_markdown(found: Sequence[Trial], result: Kills, catalogue: Mapping[str, Requirement]) -> str:
    """Requirements with their killers, mutants with their requirements, and what that says about both."""
    musts = [one for one, rule in catalogue.items() if rule.level == "MUST"]
    killed = len(musts) - len(result.unkilled)
    lines = [
        "# Mutants",
        "",
        f"{len(found)} mutants of the reference loader. {killed} of {len(musts)} MUSTs are killed.",
        "",
        f"- MUSTs that no mutant kills: {listed(result.unkilled)}",
        f"- Redundant, red only beside others ({len(result.redundant)}): {listed(result.redundant)}",
        f"- Fragile, noticed by one requirement alone ({len(result.fragile)}): {listed(result.fragile)}",
        "",
        "| requirement | level | killed by |",
        "|---|---|---|",
    ]
    lines += [
        f"| {one} | {catalogue[one].level} | {listed(names)} |" for one, names in result.killers.items()
    ]
    lines += ["", "| mutant | mistake | turns red | checks asked | inspired by |", "|---|---|---|---|---|"]
    for trial in found:
        mutant = trial.mutant
        cells = (mutant.name, mutant.text, listed(trial.red), str(len(trial.records)), mutant.after)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def in_html(found: Sequence[Trial], result: Kills, catalogue: Mapping[str, Requirement]) -> str:
    """One page that needs nothing else: a grid for each area, of the mutants that touch it."""
    areas = [
        (
            area,
            list(ids),
            [trial for trial in found if any(one.startswith(f"{area}-") for one in trial.red)],
        )
        for area, ids in groupby(sorted(catalogue), key=lambda one: one.partition("-")[0])
    ]
    pages = Environment(loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined)
    return pages.get_template("mutants.html.j2").render(
        style=(PAGE / "page.css").read_text(encoding="utf-8"),
        trials=found,
        areas=areas,
        result=result,
        catalogue=catalogue,
        musts=sum(rule.level == "MUST" for rule in catalogue.values()),
    )


def listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
