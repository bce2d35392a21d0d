"""`failures`: makes the page suites/failures/README.md from the list of known failures beside it."""

import argparse
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tooling.trouble import Trouble

if TYPE_CHECKING:  # at run time only inside run(): other commands work before anything is installed
    from reports.catalogue import Requirement
    from reports.failures import Failure, Theme

SUMMARY = "write suites/failures/README.md from the list of known failures"
SUITES = Path(__file__).resolve().parent.parent / "suites"
PAGE = SUITES / "failures" / "README.md"

#: mutants that a cell names; the table of mutants has the others
MOST_NAMES = 4

INTRODUCTION = """# Known failures of the field

What loaders, engines and clients of object stores are known to get wrong, and the requirements that would
have caught it; the [mutants](../../fixtures/subjects/mutants) that one of these requirements kills, and the
subjects for which one of them is red today. Made by `python -m tooling failures` from the files in this
folder; edit those.

- **seen**: a run has shown it; the evidence is here or in [the expectations](../expectations).
- **read**: it stands in code or documentation as shipped.
- **reported**: the linked thread says so, of the versions named; it may have been mended since.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the page is stale")


def run(options: argparse.Namespace) -> None:
    """Write the page, or with --check compare it. Raises Trouble."""
    new = page(SUITES)
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if old == new:
        print(f"failures: {PAGE.name} is up to date")
    elif options.check:
        raise Trouble(f"{PAGE} is not what its list gives", "run `python -m tooling failures` and commit it")
    else:
        PAGE.write_text(new, encoding="utf-8")
        print(f"failures: wrote {PAGE}")


def page(suites: Path) -> str:
    """The whole page. Raises Trouble where the list, the catalogue or an expectation can't be read."""
    try:
        from reports.catalogue import CatalogueError, read_catalogue, read_toml
        from reports.expectations import read_expectations
        from reports.failures import read_failures
    except ImportError as error:
        raise Trouble(
            f"the module {error.name} is missing", "python -m pip install -r requirements.txt"
        ) from error
    try:
        catalogue = read_catalogue(suites / "requirements")
        expectations = read_expectations(suites / "expectations", catalogue)
        recorded = {expectation.requirement for expectation in expectations}
        themes = read_failures(suites / "failures", catalogue, recorded)
        files = {str(read_toml(file)["area"]): file.name for file in (suites / "requirements").glob("*.toml")}
    except CatalogueError as error:
        raise Trouble(str(error), "mend that file") from error
    parts = [INTRODUCTION, _counts(themes)]
    shown = {
        requirement: sorted({one.subject for one in expectations if one.requirement == requirement})
        for requirement in recorded
    }
    parts += [_section(theme, catalogue, files, shown) for theme in themes]
    parts.append(_unasked(themes, catalogue, files))
    return "\n".join(parts)


def _counts(themes: Iterable["Theme"]) -> str:
    failures = [failure for theme in themes for failure in theme.failures]
    asked = [failure for failure in failures if failure.requirements]
    known = Counter(failure.known for failure in failures)
    lines = [
        f"{len(failures)} failures ({', '.join(f'{n} {word}' for word, n in known.most_common())}): "
        f"{len(asked)} with requirements, {len(failures) - len(asked)} without.\n",
        "| theme | failures | with requirements |",
        "|---|---|---|",
    ]
    for theme in themes:
        with_some = sum(bool(failure.requirements) for failure in theme.failures)
        lines.append(f"| [{theme.title}](#{_anchor(theme.title)}) | {len(theme.failures)} | {with_some} |")
    lines += ["", "| why none | failures |", "|---|---|"]
    reasons = Counter(failure.without for failure in failures if failure.without)
    lines += [
        f"| {cell(reason)} | {n} |" for reason, n in sorted(reasons.items(), key=lambda i: (-i[1], i[0]))
    ]
    return "\n".join(lines) + "\n"


def _section(
    theme: "Theme",
    catalogue: Mapping[str, "Requirement"],
    files: Mapping[str, str],
    shown: Mapping[str, list[str]],
) -> str:
    titles = ("", "what happens", "in", "known", "asked for by", "mutants", "red today")
    lines = [f"## {theme.title}\n", f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for failure in theme.failures:
        asked = "<br>".join(_requirement(catalogue[one], files) for one in failure.requirements)
        cells = (
            f'<a id="{failure.id.lower()}"></a>{failure.id}',
            f"**{cell(failure.title)}** {cell(failure.what)}",
            f"{cell(failure.project)}, {cell(failure.versions)}"
            + (f"; mended: {cell(failure.fixed)}" if failure.fixed else "")
            + f"<br>[{cell(failure.thread)}]({failure.link})",
            _known(failure, shown),
            asked or f"none: {cell(failure.without or '')}",
            mutants_of(failure),
            _red_today(failure, shown),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def mutants_of(failure: "Failure") -> str:
    """Those that die of the failure's requirements, the ones that it inspired first. Raises Trouble."""
    from fixtures.subjects.mutants import MUTANTS

    dying = {
        mutant.name: (
            mutant.after != failure.link,
            -len(set(mutant.red) & set(failure.requirements)),
            mutant.name,
        )
        for mutant in MUTANTS.values()
        if set(mutant.red) & set(failure.requirements)
    }
    reason = failure.without or failure.no_mutant
    if dying and failure.no_mutant:
        raise Trouble(
            f"{failure.id} has a reason for no mutant, but {min(dying)} is one", "take out no_mutant"
        )
    if not dying and not reason:
        raise Trouble(
            f"{failure.id} has no mutant", "write one that its requirements kill, or why: no_mutant"
        )
    if not dying:
        return f"none: {cell(reason or '')}"
    names = sorted(dying, key=lambda name: dying[name])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return "<br>".join(f"`{name}`" for name in names[:MOST_NAMES]) + more


def _red_today(failure: "Failure", shown: Mapping[str, list[str]]) -> str:
    """Subjects with a recorded expectation for one of the failure's requirements."""
    found = [f"{subject} ({one})" for one in failure.requirements for subject in shown.get(one, ())]
    return "<br>".join(found) or "none"


def _known(failure: "Failure", recorded: Collection[str]) -> str:
    if failure.evidence:
        return f"{failure.known}: {cell(failure.evidence)}"
    if expected := [one for one in failure.requirements if one in recorded and failure.known == "seen"]:
        return f"{failure.known}: [expected](../expectations) for {', '.join(expected)}"
    return failure.known


def _unasked(
    themes: Iterable["Theme"], catalogue: Mapping[str, "Requirement"], files: Mapping[str, str]
) -> str:
    from reports.failures import unlisted

    lines = [
        "## Requirements that no listed failure asks for\n",
        "They hold a rule of the format or of the system, or keep what is right today.\n",
    ]
    ids = unlisted(tuple(themes), catalogue)
    lines += [f"- {_requirement(catalogue[one], files)}: {catalogue[one].sentence}" for one in ids]
    return "\n".join(lines) + "\n"


def _requirement(requirement: "Requirement", files: Mapping[str, str]) -> str:
    return f"[{requirement.id}](../requirements/{files[requirement.area]})"


def cell(text: str) -> str:
    """`text` inside a table: a bar would end the cell, brackets outside of code would make a link."""
    parts = text.replace("|", "\\|").split("`")
    plain = (part.replace("[", "\\[").replace("]", "\\]").replace("<", "&lt;") for part in parts[::2])
    parts[::2] = plain
    return "`".join(parts)


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")
