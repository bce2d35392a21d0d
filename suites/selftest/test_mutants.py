"""The command that holds mutants to what they declare sees every way in which one does something else."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fixtures.subjects.client import spec_of
from fixtures.subjects.mutants import MUTANTS, Mutant, declaration
from reports.attempt import ATTEMPT, Attempt
from reports.catalogue import read_catalogue
from reports.model import Verdict, VerdictRecord
from reports.mutants import Trial, kills, trials
from reports.mutants_table import in_html, in_markdown, long_form
from reports.reader import read_report
from suites.selftest.conformance_run import ROOT
from suites.selftest.made_report import record, report, write
from tooling import mutant_selection
from tooling.__main__ import main
from tooling.mutants import published
from tooling.repetitions import unpacked
from tooling.sampling import drawn

CATALOGUE = read_catalogue(ROOT / "suites" / "requirements")
LIST, WEIGHT = "LIST-002", "WEIGHT-016"
SEEN = {"what": "names", "expected": "3", "actual": "2"}
BROKEN = {"what": "a load", "expected": "an answer", "actual": "the error builtins.TypeError: no"}
RAISED = {"message": "SubjectRaised: tensors raised builtins.ValueError: no", "comparisons": 0}


def made(name: str, red: str = WEIGHT) -> Mutant:
    return dataclasses.replace(MUTANTS["drop_tensor"], name=name, red=tuple(red.split()))


def seen(name: str, requirement: str, verdict: Verdict, **changed: Any) -> VerdictRecord:
    area = requirement.partition("-")[0]
    values = {"requirement": requirement, "area": area, "subject": f"mutants/{name}", "store": "disk"}
    return record(requirement.lower(), verdict, **values | changed)


def problems(*records: VerdictRecord) -> list[str]:
    return Trial(made("m"), records).problems()


def test_what_a_mutant_declares_and_does_is_no_problem() -> None:
    killed, kept = seen("m", WEIGHT, Verdict.FAIL, **SEEN), seen("m", LIST, Verdict.PASS)
    assert problems(killed, kept) == []


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ((seen("m", WEIGHT, Verdict.PASS),), "declares WEIGHT-016, which stayed green"),
        ((seen("m", LIST, Verdict.PASS),), "declares WEIGHT-016, which was not asked"),
        ((seen("m", LIST, Verdict.FAIL, **SEEN),), "turns LIST-002 red, which it doesn't declare"),
        ((seen("m", WEIGHT, Verdict.FAIL, **RAISED),), "red without a comparison"),
        ((seen("m", WEIGHT, Verdict.FAIL, **RAISED),), "declares WEIGHT-016, which stayed green"),
        ((seen("m", WEIGHT, Verdict.FAIL, message="SubjectDied: killed"),), "red without a comparison"),
        ((seen("m", WEIGHT, Verdict.FAIL, message="SubjectHung: 60 s"),), "red without a comparison"),
        ((seen("m", WEIGHT, Verdict.FAIL, **BROKEN),), "its own code is broken"),
        ((seen("m", WEIGHT, Verdict.ERROR),), "ERROR instead of a verdict on it"),
        ((seen("m", WEIGHT, Verdict.UNSUPPORTED),), "UNSUPPORTED instead of a verdict on it"),
        ((seen("m", WEIGHT, Verdict.NOT_RUN),), "NOT-RUN instead of a verdict on it"),
        ((seen("m", WEIGHT, Verdict.KNOWN_FAIL, **SEEN),), "KNOWN-FAIL instead of a verdict on it"),
        ((), "declares WEIGHT-016, which was not asked"),
    ],
)
def test_whatever_else_it_does_is_said(records: tuple[VerdictRecord, ...], said: str) -> None:
    assert any(said in problem for problem in problems(*records)), problems(*records)


def test_an_error_that_the_mistake_itself_ends_in_is_no_broken_mutant() -> None:
    killed = seen("m", WEIGHT, Verdict.FAIL, **BROKEN)
    declared = dataclasses.replace(made("m"), error="TypeError")
    assert Trial(declared, (killed,)).problems() == []
    other = dataclasses.replace(made("m"), error="NameError")
    assert len(Trial(other, (killed,)).problems()) == 1


def some_trials() -> list[Trial]:
    records = (
        seen("alone", WEIGHT, Verdict.FAIL, **SEEN),
        seen("alone", LIST, Verdict.PASS),
        seen("both", WEIGHT, Verdict.FAIL, **SEEN),
        seen("both", LIST, Verdict.FAIL, **SEEN),
        seen("both", "LIST-001", Verdict.PASS),
        seen("both", "URI-001", Verdict.FAIL, **RAISED),
    )
    return trials([made("alone"), made("both", f"{WEIGHT} {LIST}")], records)


def test_kills_are_what_comparisons_saw() -> None:
    result = kills(some_trials(), CATALOGUE)
    assert result.killers[WEIGHT] == ("alone", "both")
    assert result.killers[LIST] == ("both",)
    assert result.killers["URI-001"] == ()
    assert "URI-001" in result.unkilled
    assert {WEIGHT, LIST} & set(result.unkilled) == set()
    assert {one for one in result.unkilled if CATALOGUE[one].level != "MUST"} == set()
    assert (result.redundant, result.fragile) == ((LIST,), ("alone",))


def test_the_table_says_the_same_in_every_form() -> None:
    found = some_trials()
    result = kills(found, CATALOGUE)
    table = long_form(found, CATALOGUE)
    red = table[table.red]
    assert set(zip(red.mutant, red.requirement, strict=True)) == {
        ("alone", WEIGHT),
        ("both", WEIGHT),
        ("both", LIST),
    }
    assert list(table[table.requirement == "LIST-001"].red) == [False]
    markdown, page = in_markdown(found, result, CATALOGUE), in_html(found, result, CATALOGUE)
    assert f"| {WEIGHT} | MUST | alone, both |" in markdown
    assert "| URI-001 | MUST | none |" in markdown
    assert f'<td class="red" title="both: {LIST} red">' in page
    assert '<td class="green" title="both: LIST-001 green">' in page


@pytest.fixture
def declared() -> Iterator[None]:
    before = dict(MUTANTS)
    yield
    MUTANTS.clear()
    MUTANTS.update(before)


@pytest.mark.usefixtures("declared")
def test_a_mutant_declares_itself_in_full() -> None:
    link = "https://example.org/bug"

    @declaration.mutant(red=WEIGHT, after=link)
    def whole() -> None:
        """One mistake."""

    assert MUTANTS["whole"].areas == ("WEIGHT",)

    def nameless() -> None:
        pass

    for body, red, said in ((whole, WEIGHT, "twice"), (nameless, WEIGHT, "docstring")):
        with pytest.raises(ValueError, match=said):
            declaration.mutant(red=red, after=link)(body)


def test_every_mutant_breaks_what_is_there_and_names_what_the_catalogue_has() -> None:
    for mutant in MUTANTS.values():
        assert set(mutant.red) <= CATALOGUE.keys(), mutant.name
        assert mutant.after.startswith("https://"), mutant.name
        assert set(mutant.stores) <= {"disk", "moto"}, mutant.name
        for target in mutant.targets:
            owner, name = declaration.resolved(target)
            assert hasattr(owner, name), f"{mutant.name}: {target}"


def test_every_must_has_a_mutant_that_declares_to_die_of_it() -> None:
    """Whether it does is what the command shows; that one is missing shows here at once."""
    declared = {requirement for mutant in MUTANTS.values() for requirement in mutant.red}
    musts = {one for one, requirement in CATALOGUE.items() if requirement.level == "MUST"}
    assert sorted(musts - declared) == []


def test_a_mutant_is_a_subject_and_shares_a_server_with_the_others() -> None:
    first, second = spec_of("mutants/drop_tensor"), spec_of("mutants/flip_byte")
    assert (first.adapter, first.variant, first.name) == (second.adapter, "drop_tensor", "drop_tensor")


def test_one_mutant_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["mutants", "accept_trailing_bytes", "-n", "0", "--out", str(tmp_path), "--sample", "3"]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("mutants: green: 1 mutants")


def test_the_files_that_turn_red_are_asked_or_the_whole_areas(tmp_path: Path) -> None:
    """With no sample nothing else is."""
    words = ["mutants", "accept_trailing_bytes", "-n", "0", "--out", str(tmp_path), "--sample", "0"]
    asked = []
    for more in ([], ["--areas"]):
        assert main([*words, *more]) == 0
        asked.append(read_report(tmp_path / "headers.jsonl").records)
    few, all_of_area = asked
    red = {record.check.partition("::")[0] for record in few if record.verdict is Verdict.FAIL}
    declared = [record for record in few if record.requirement in MUTANTS["accept_trailing_bytes"].red]
    own = {record.check.partition("::")[0] for record in declared}
    assert {record.check.partition("::")[0] for record in few} == own
    assert own >= red
    assert {record.area for record in all_of_area} == set(MUTANTS["accept_trailing_bytes"].areas)
    assert {record.check for record in few} < {record.check for record in all_of_area}


class Collected:
    """As much of a collected check as the selection looks at."""

    def __init__(self, path: str, requirement: str, subject: str, *, long: bool) -> None:
        self.path = Path(path)
        self.nodeid = f"{path}::{requirement}"
        self.stash = pytest.Stash()
        self.stash[ATTEMPT] = Attempt(CATALOGUE[requirement], f"mutants/{subject}", "moto", long=True)
        self._marks = {"long": True} if long else {}

    def get_closest_marker(self, name: str) -> bool | None:
        return self._marks.get(name)


def test_beside_a_mutant_of_the_long_tier_other_checks_stay_short(pytestconfig: pytest.Config) -> None:
    name = next(one.name for one in MUTANTS.values() if one.long)
    red = MUTANTS[name].red[0]
    long, short = (Collected("a.py", one, name, long=one == red) for one in (red, WEIGHT))
    items = cast(list[pytest.Item], [long, short])
    config = cast(pytest.Config, SimpleNamespace(getoption=lambda option: 3, hook=pytestconfig.hook))
    mutant_selection.pytest_collection_modifyitems(config, items)
    assert [item.nodeid for item in items] == [long.nodeid, short.nodeid]
    assert (long.stash[ATTEMPT].long, short.stash[ATTEMPT].long) == (True, False)


def test_what_is_published_are_tables_reports_and_what_was_asked(tmp_path: Path) -> None:
    out, target = tmp_path / "out", tmp_path / "new"
    out.mkdir()
    target.mkdir()
    write(out / "uri.jsonl", report([seen("drop_tensor", WEIGHT, Verdict.FAIL, **SEEN)]))
    table = out / "mutants.csv"
    table.write_text("mutant\n")
    options = argparse.Namespace(out=out, publish=target, sample=3, seed=None, areas=False)
    commit = {"commit": "1234", "modified": False}
    assert published([table], ["uri"], options, commit) == [target / "mutants.csv"]
    assert {path.name for path in target.iterdir()} == {"mutants.csv", "uri.jsonl.gz", "run.json"}
    facts = json.loads((target / "run.json").read_text())
    assert facts["asked"] == "all checks of the files that it turns red and samples of 3"
    assert len(unpacked(target / "uri.jsonl.gz").records) == 1


def test_a_wrong_declaration_ends_red(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = MUTANTS["accept_trailing_bytes"]
    monkeypatch.setitem(MUTANTS, right.name, dataclasses.replace(right, red=(*right.red, "HEADER-001")))
    assert main(["mutants", right.name, "-n", "0", "--out", str(tmp_path), "--sample", "0"]) == 1
    output = capsys.readouterr().out
    assert "accept_trailing_bytes: declares HEADER-001, which stayed green" in output
    assert output.splitlines()[-1].startswith("mutants: red: 1 mutants")


def test_a_check_without_a_verdict_is_no_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = report([seen("drop_tensor", WEIGHT, Verdict.FAIL, **SEEN)])
    lacking = dataclasses.replace(whole, header=dataclasses.replace(whole.header, checks=2))
    monkeypatch.setattr("reports.reader.read_report", lambda path: lacking)
    monkeypatch.setattr("tooling.mutants.sys.executable", "true")
    assert main(["mutants", "drop_tensor", "--out", str(tmp_path)]) == 1
    assert "1 of 2 checks have a verdict" in capsys.readouterr().err


def test_an_interruption_ends_the_suite_in_good_order(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tooling", "mutants", "drop_tensor", "--out", str(tmp_path)]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, process_group=0)
    log = tmp_path / "weights.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=60)
    assert (child.returncode, output.splitlines()[-1]) == (130, "mutants: interrupted, no result")
    assert str(tmp_path).encode() not in b"".join(command_lines())


def command_lines() -> Iterator[bytes]:
    """Of every process that there is."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield file.read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no_such"], "no mutant 'no_such'"),
        (["--file", "no_such"], "no file of mutants 'no_such'"),
        (["--file", "uri", "--publish", "new"], "only a run of all mutants is published"),
        (["--publish", "."], ". holds something"),
        (["--publish", "README.md/new"], "Not a directory: 'README.md/new'"),
        (["--publish", "new", "--sample", "0"], "a sample of 0 is not published"),
    ],
)
def test_unknown_names_are_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mutants", *words, "--out", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_a_new_check_changes_a_sample_in_one_place_at_most() -> None:
    pool = [f"check {number}" for number in range(200)]
    before = set(drawn(pool, 10, "1 mutants/a"))
    assert before != set(drawn(pool, 10, "2 mutants/a"))
    changed = [before ^ set(drawn([*pool, f"new {n}"], 10, "1 mutants/a")) for n in range(99)]
    assert {len(one) for one in changed} == {0, 2}
    assert set(drawn(pool[:5], 10, "1")) == set(pool[:5])
