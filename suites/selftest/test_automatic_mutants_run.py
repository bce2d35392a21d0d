"""What a run of automatic mutants counts: results of this state of things alone, and no empty or cut run."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest

from fixtures.subjects import client
from reports.automatic import Mutant, Result, as_line, read_results
from reports.automatic_entries import as_toml, read_entries
from reports.automatic_table import written
from suites.selftest.toy_mutants import HALF, LARGE, LIMIT, Rehearsal, entry
from tooling import automatic_mutants, automatic_mutants_run, automatic_mutants_state
from tooling.__main__ import main
from tooling.automatic_mutants_generation import PACKAGE, WORDING
from tooling.automatic_mutants_jobs import ROOT, Crew
from tooling.automatic_mutants_state import common_files, state_of
from tooling.trouble import Trouble


@pytest.fixture
def rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    return Rehearsal(tmp_path, monkeypatch, {LIMIT.name: "test_0[a]", HALF.name: "test_3[a]"})


def test_survivors_of_the_first_checks_meet_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal = Rehearsal(tmp_path, monkeypatch, {LIMIT.name: "test_0[a]", HALF.name: "test_3[a]"})
    found = rehearsal.run()
    assert {name for name, one in found.items() if one.killed} == {LIMIT.name, HALF.name}
    assert (found[HALF.name].asked, found[LARGE.name].asked) == (4, 4)
    assert [title for title, _ in rehearsal.asked] == ["first checks"] * 3 + ["all other checks"] * 2
    assert read_results(tmp_path / "results.jsonl") == found
    assert rehearsal.run(resume=True) == found
    assert rehearsal.asked == []
    fewer = rehearsal.run(most=3)
    assert fewer[HALF.name].asked == 2, "its known killer is asked first"
    assert (fewer[LARGE.name].asked, fewer[LARGE.name].candidates) == (3, 4)
    rehearsal.deadly[LARGE.name] = "test_1[a]"
    again = rehearsal.run(survivors=True)
    assert {one.killed for one in again.values()} == {True}
    assert len(again) == 3
    assert len(rehearsal.asked) == 1, "only the one that survived the last time"


def test_a_sample_asks_the_published_killers_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal(tmp_path, monkeypatch, {LIMIT.name: "test_3[a]", HALF.name: "test_3[a]"})
    found = rehearsal.run()
    pairs = [(m, found[m.name]) for m in (LIMIT, HALF, LARGE)]
    (tmp_path / "published").mkdir()
    rehearsal.hunt.publish(pairs, {})
    assert read_entries(tmp_path / "published" / "survivors.toml", with_reasons=False) == (entry(LARGE),)
    (tmp_path / "results.jsonl").unlink()
    rehearsal.run(settled=frozenset({LARGE.name}), sample=3)
    assert rehearsal.asked == [("known killers", ("test_3[a]",))] * 2
    rehearsal.deadly.clear()
    rehearsal.run(settled=frozenset({LARGE.name}), sample=3)
    titles = [title for title, _ in rehearsal.asked]
    assert titles.count("first checks") == 2, "whom the known killer no longer kills meets all other checks"


def test_a_sample_leaves_what_is_known_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal(tmp_path, monkeypatch, {LIMIT.name: "test_3[a]"})
    found = rehearsal.run()
    (tmp_path / "published").mkdir()
    rehearsal.hunt.publish([(m, found[m.name]) for m in (LIMIT, HALF, LARGE)], {})
    survivors = tmp_path / "published" / "survivors.toml"
    told = dataclasses.replace(entry(LARGE), reason="a race")
    survivors.write_text(as_toml([told], "Why."), encoding="utf-8")
    now = dataclasses.replace(found[HALF.name], killed=True, by="comparison", check="test_1[a]")
    rehearsal.hunt.publish([(HALF, now)], {})
    assert read_entries(survivors, with_reasons=False) == (told,)
    rehearsal.hunt.publish([(LARGE, found[LARGE.name])], {})
    assert read_entries(survivors, with_reasons=False) == (told,), "the reason outlives the next run"
    content = json.loads((tmp_path / "published" / "kills.json").read_text())
    kills = {name: content["checks"][number] for name, number in content["kills"].items()}
    assert kills == {LIMIT.name: "test_3[a]", HALF.name: "test_1[a]"}


def test_results_of_another_state_are_no_survivors_to_go_by(rehearsal: Rehearsal) -> None:
    with pytest.raises(Trouble, match="no result of this loader, suite and deadline"):
        rehearsal.run(survivors=True)
    rehearsal.run()
    assert len(rehearsal.run(survivors=True)) == 3
    with pytest.raises(Trouble, match="no result of this loader, suite and deadline"):
        rehearsal.run(survivors=True, deadline=2.0)
    rehearsal.common = "another"
    assert set(rehearsal.run(names=[LARGE.name])) == {LARGE.name}
    assert set(rehearsal.run(survivors=True)) == {LARGE.name}, "the kills are of another state"


def test_who_was_not_asked_all_is_not_done(rehearsal: Rehearsal) -> None:
    rehearsal.run(most=3)
    assert rehearsal.run(most=3, resume=True)[LARGE.name].asked == 3
    assert rehearsal.asked == []
    assert rehearsal.run(resume=True)[LARGE.name].asked == 4
    assert {checks for _, checks in rehearsal.asked} >= {("test_0[a]", "test_1[a]")}


def test_the_state_is_all_that_decides_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {path.relative_to(ROOT).as_posix() for path in common_files()}
    assert {"fixtures/subjects/automatic.py", "fixtures/oracle/proof.py", "reports/verdicts.py"} <= names
    assert {"suites/conformance/conftest.py", "tooling/automatic_mutants_loop.py"} <= names
    assert "suites/conformance/bench.py" in names, "what every check is given"
    assert not [name for name in names if name.startswith(("fixtures/subjects/mutants/", "fixtures/plain/"))]
    monkeypatch.setattr(automatic_mutants_state, "ROOT", tmp_path)
    monkeypatch.setattr(automatic_mutants_state, "CHECKS", tmp_path / "none")
    monkeypatch.setattr(automatic_mutants_state, "common_files", lambda: [tmp_path / "suite.py"])
    for name in ("a.py", "b.py", "suite.py"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    loader = [tmp_path / "a.py", tmp_path / "b.py"]
    states = [state_of(loader, 1.0).common, state_of(loader, 2.0).common]
    for name in ("b.py", "suite.py"):
        (tmp_path / name).write_text("changed", encoding="utf-8")
        states.append(state_of(loader, 1.0).common)
    monkeypatch.setattr(metadata, "version", lambda name: "0")
    states.append(state_of(loader, 1.0).common)
    assert len(set(states)) == len(states)


@pytest.mark.parametrize(
    ("changed", "parted"),
    [
        ("suites/conformance/test_one.py", {"one"}),
        ("suites/conformance/test_other.py", {"other"}),
        ("suites/conformance/help_of_one.py", {"one"}),
        ("suites/conformance/help_of_help.py", {"one"}),
        ("suites/requirements/two.toml", {"other"}),
    ],
)
def test_a_kill_depends_on_its_check_and_a_survivor_on_all(
    changed: str, parted: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {
        "suites/conformance/test_one.py": "from suites.conformance.help_of_one import helped\n",
        "suites/conformance/help_of_one.py": "import suites.conformance.help_of_help\n",
        "suites/conformance/help_of_help.py": "\n",
        "suites/conformance/test_other.py": "from suites.conformance import unused\n",
        "suites/requirements/two.toml": "two\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    requirements = tmp_path / "suites" / "requirements"
    monkeypatch.setattr(automatic_mutants_state, "ROOT", tmp_path)
    monkeypatch.setattr(automatic_mutants_state, "CHECKS", tmp_path / "suites" / "conformance")
    monkeypatch.setattr(automatic_mutants_state, "common_files", list)
    read = {"ONE-001": "one", "TWO-001": lambda: (requirements / "two.toml").read_text()}
    monkeypatch.setattr(
        automatic_mutants_state,
        "read_catalogue",
        lambda _: {name: text() if callable(text) else text for name, text in read.items()},
    )
    checks = {"one": ("test_one.py::test_a[b]", "ONE-001"), "other": ("test_other.py::test_c[d]", "TWO-001")}

    def digests() -> dict[str, str | None]:
        state = state_of([], 1.0)
        kills = {name: state.of_kill(f"suites/conformance/{c}", r) for name, (c, r) in checks.items()}
        return {"survivor": state.whole} | kills

    before = digests()
    assert digests() == before
    (tmp_path / changed).write_text(f"{texts[changed]}# changed\n", encoding="utf-8")
    assert {name for name, digest in digests().items() if digest != before[name]} == {"survivor", *parted}


def test_survivors_of_an_earlier_suite_are_asked_again(rehearsal: Rehearsal) -> None:
    rehearsal.run()
    rehearsal.texts["test_3[a]"] = "changed"
    found = rehearsal.run(survivors=True)
    assert [title for title, _ in rehearsal.asked] == ["first checks", "all other checks"]
    assert set(found) == {LIMIT.name, LARGE.name}, "a kill by a check that has changed is not known any more"


def test_a_kill_by_a_check_that_fails_anyway_counts_no_more(rehearsal: Rehearsal) -> None:
    rehearsal.run()
    rehearsal.red.add("test_0[a]")
    del rehearsal.deadly[LIMIT.name]
    rehearsal.texts["test_2[a]"] = "changed"
    assert not rehearsal.run(resume=True)[LIMIT.name].killed


def test_a_kill_by_a_check_that_is_gone_counts_no_more(rehearsal: Rehearsal) -> None:
    rehearsal.run()
    del rehearsal.texts["test_0[a]"]
    rehearsal.run(resume=True)
    assert any(title == "first checks" and "test_0[a]" in checks for title, checks in rehearsal.asked)


def test_a_changed_check_takes_only_its_own_kills_along(rehearsal: Rehearsal) -> None:
    rehearsal.run()
    rehearsal.texts["test_3[a]"] = "changed"
    found = rehearsal.run(resume=True)
    assert {one.killed for one in found.values()} == {True, False}
    asked = {checks for title, checks in rehearsal.asked if title == "first checks"}
    assert len(asked) == 2, "the survivor, and the one that the changed check had killed"


class Few:
    """In place of a hunt: the results that it is given, and whether they were published."""

    def __init__(self, *killed: Mutant) -> None:
        self.killed = killed
        self.published = False

    def __call__(self, *_: object) -> Few:
        return self

    def results(self) -> dict[str, Result]:
        return {
            one.name: Result(mutant=one.name, key="k", killed=True, by="crash", check="c")
            for one in self.killed
        }

    def publish(self, *_: object) -> None:
        self.published = True


@pytest.mark.parametrize(
    ("killed", "words", "said"),
    [
        ((), [], "no mutant was held against any check"),
        ((LIMIT, HALF), ["--survivors"], "nothing is published: 2 of 3 mutants"),
        ((LIMIT, HALF, LARGE), ["--survivors"], None),
        ((LIMIT,), ["--sample", "2"], "nothing is published: 1 of 3 mutants"),
        ((LIMIT, HALF), ["--sample", "2"], None),
    ],
)
def test_too_few_results_are_red(
    killed: tuple[Mutant, ...],
    words: list[str],
    said: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = Few(*killed)
    mutants = {one.name: one for one in (LIMIT, HALF, LARGE)}
    left_out = {"toy": Counter({"wording": 4}), "away": Counter({"no store": 9})}
    monkeypatch.setattr(automatic_mutants, "FOLDER", tmp_path / "none")
    monkeypatch.setattr(automatic_mutants_run, "generated", lambda *_: (mutants, left_out))
    monkeypatch.setattr(automatic_mutants_run, "Hunt", few)
    target = tmp_path / "kept"
    command = ["automatic-mutants", "--out", str(tmp_path), "--publish", str(target), *words]
    assert main(command) == (1 if said else 0)
    out = capsys.readouterr().out
    count = len(killed)
    assert (said or f"automatic-mutants: green: {count} of {count}") in out
    assert "not made: no store: 9, wording: 4" in out.splitlines()[-1]
    assert few.published is (said is None)
    names = {"automatic.md", "automatic.csv.gz", "run.json"} if said is None else set()
    assert {path.name for path in target.iterdir()} == names


def test_the_table_has_what_was_left_out_beside_the_rate(tmp_path: Path) -> None:
    pairs = [(LIMIT, Result(mutant=LIMIT.name, key="k", killed=True, by="crash", check="c"))]
    written(tmp_path, pairs, {}, {"toy": Counter({"wording": 4}), "away": Counter({"no store": 9})})
    rate = next(line for line in (tmp_path / "automatic.md").read_text().splitlines() if "killed: " in line)
    assert "100.0 %" in rate
    assert rate.endswith("Not made and in no rate: no store: 9, wording: 4.")


def test_a_sample_says_what_it_says_of_all(tmp_path: Path) -> None:
    result = Result(mutant="m", key="k", killed=True, by="crash", check="c", candidates=1)
    killed, alive = result, dataclasses.replace(result, killed=False, by=None, check=None)
    pairs = [(dataclasses.replace(LIMIT, name=str(n)), killed if n < 90 else alive) for n in range(100)]
    written(tmp_path, pairs, {}, {}, (7, 4000))
    text = (tmp_path / "automatic.md").read_text()
    # Wilson's interval of 90 in 100: (0.9 + 0.0192 ± 1.96 * 0.03156) / 1.0384
    assert "A sample of 100 of 4000 mutants, drawn by seed 7. All of them, asked as these were, " in text
    assert "would come to a rate between 82.6 % and 94.5 % (95 % interval)." in text


def test_a_rate_is_a_lower_bound_where_survivors_were_asked_too_little(tmp_path: Path) -> None:
    alive = Result(mutant=LIMIT.name, key="k", killed=False, candidates=9, asked=9)
    equivalent = {LIMIT.name: entry(LIMIT, reason="the same")}
    for asked, explained, said in ((9, {}, False), (8, {}, True), (8, equivalent, False)):
        written(tmp_path, [(LIMIT, dataclasses.replace(alive, asked=asked))], explained, {})
        text = (tmp_path / "automatic.md").read_text()
        assert ("not asked all checks that run their lines: 1. " in text) is said


def test_an_interruption_ends_the_processes_and_keeps_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = tmp_path / "pid"
    code = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()}\\n'); time.sleep(60)"
    monkeypatch.setattr(Crew, "command", lambda crew: [sys.executable, "-c", code, str(pid)])
    monkeypatch.setattr(client, "AUTOMATIC_SOURCES", tmp_path / "sources")
    before = as_line(Result(mutant=LIMIT.name, key="k", killed=False), LIMIT)
    (tmp_path / "results.jsonl").write_text(before, encoding="utf-8")

    def interrupt() -> None:
        while not (pid.exists() and pid.read_text().endswith("\n")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert main(["automatic-mutants", "--module", "uri", "-n", "1", "--out", str(tmp_path)]) == 130
    thread.join()
    assert capsys.readouterr().out.splitlines()[-1].startswith("automatic-mutants: interrupted")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert (tmp_path / "results.jsonl").read_text(encoding="utf-8") == before


def test_variables_that_are_left_out_as_wording_decide_nothing() -> None:
    """No condition, comparison or subscript reads such a variable."""
    for path in PACKAGE.rglob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, (ast.If, ast.IfExp, ast.While, ast.Assert, ast.comprehension)):
                tests = statement.ifs if isinstance(statement, ast.comprehension) else [statement.test]
            elif isinstance(statement, ast.Match):
                tests = [statement.subject]
            elif isinstance(statement, (ast.Compare, ast.Subscript)):
                tests = [statement]
            else:
                continue
            names = {one.id for test in tests for one in ast.walk(test) if isinstance(one, ast.Name)}
            assert not names & WORDING, f"{path.name}: {ast.unparse(tests[0])}"
