"""`explain`: all that is known of one requirement, without running anything."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from tooling.report import REPORT
from tooling.trouble import Trouble

SUMMARY = "say what a requirement asks for, why, who checks it and how the subjects fared"
ROOT = Path(__file__).resolve().parents[1]
CONFORMANCE = ROOT / "suites" / "conformance"
REQUIREMENTS = ROOT / "suites" / "requirements"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("requirement", metavar="REQUIREMENT", help="its id, such as WEIGHT-010")
    parser.add_argument(
        "--report", default=REPORT, metavar="PATH", help="the report to look into; default: %(default)s"
    )


def run(options: argparse.Namespace) -> None:
    """Print it. Raises Trouble for an unknown id, and for files of the suite that can't be read."""
    from fixtures.subjects.mutants import MUTANTS
    from reports.catalogue import CatalogueError, read_catalogue
    from reports.claims import claims
    from reports.expectations import read_expectations
    from reports.explanation import explanation
    from reports.failures import read_failures
    from reports.last_report import last_report

    try:
        catalogue = read_catalogue(REQUIREMENTS)
        identity = found(options.requirement, catalogue)
        expectations = read_expectations(ROOT / "suites" / "expectations", catalogue)
        recorded = {one.requirement for one in expectations}
        themes = read_failures(ROOT / "suites" / "failures", catalogue, recorded)
        claimants = claims(CONFORMANCE)
    except (CatalogueError, OSError, SyntaxError, ValueError) as error:
        raise Trouble(f"the suite can't be read: {error}", "mend the file, or check it out anew") from error
    requirement = catalogue[identity]
    print(
        explanation(
            requirement,
            claimants.get(identity, []),
            [one for one in expectations if one.requirement == identity],
            last_report(Path(options.report), requirement, ROOT),
            root=ROOT,
            field=[one for theme in themes for one in theme.failures if identity in one.requirements],
            mutants=[mutant for mutant in MUTANTS.values() if identity in mutant.red],
        )
    )


def found(text: str, identities: Iterable[str]) -> str:
    """The id that is meant: "weight-010" and "WEIGHT 10" will do. Raises Trouble with the closest ids."""
    known = list(identities)
    asked = text.strip().upper()
    if parts := re.fullmatch(r"([A-Z]+)[-_ ]?(\d{1,3})", asked):
        asked = f"{parts[1]}-{int(parts[2]):03}"
    if asked in known:
        return asked
    closest = difflib.get_close_matches(asked, known, n=5, cutoff=0.5)
    if not closest:
        areas = dict.fromkeys(one.partition("-")[0] for one in known)
        raise Trouble(f"no requirement {text!r}", f"ids begin with one of {', '.join(areas)}")
    raise Trouble(f"no requirement {text!r}; the closest are {', '.join(closest)}", "give one of these ids")
