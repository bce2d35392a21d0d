"""Automatic mutants: where they are made, which checks they meet, and what is said of those that survive."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fixtures.subjects.client import spec_of
from reports.automatic import Mutant, Result, matches, problems, read_results, stale, standing
from reports.automatic_entries import Entry, EntryError, Outside, as_toml, read_entries, read_scope
from tooling import automatic_mutants_run
from tooling.__main__ import main
from tooling.automatic_mutants import FOLDER
from tooling.automatic_mutants_generation import EXPORTED, PACKAGE, SAID, mutants_of
from tooling.automatic_mutants_jobs import Crew
from tooling.automatic_mutants_lines import Coverage, Seen
from tooling.automatic_mutants_run import Hunt, generated

TOY = '''"""A module."""
__all__ = ["LIMIT"]
LIMIT = 3


class Box:
    depth = 1

    @property
    def half(self) -> int:
        return self.depth / 2

    def check(self, size: int) -> None:
        if size > LIMIT:
            raise ValueError(f"too large by {size - LIMIT}")
        if size < 0:
            raise Refused(size, cause="negative" + " size")
'''
MADE = mutants_of("toy", TOY)
#: noticed by whatever asks for an address in a bucket
URI_LINE = "return bool(separator) and scheme.lower() in SCHEMES"


def toy(function: str, added: str) -> Mutant:
    return next(one for one in MADE.sources if (one.function, one.added) == (function, added))


def result(mutant: Mutant, **values: Any) -> Result:
    return Result(**{"mutant": mutant.name, "key": "k", "killed": False, "candidates": 1, **values})


LIMIT = toy("", "LIMIT = 4")
HALF = toy("Box.half", "return self.depth * 2")
LARGE = toy("Box.check", "if size >= LIMIT:")


def entry(mutant: Mutant, reason: str = "") -> Entry:
    return Entry(*mutant.identity, reason=reason)


def test_changes_are_made_everywhere_but_in_what_messages_say() -> None:
    functions = {mutant.function for mutant in MADE.sources}
    assert functions == {"", "Box", "Box.half", "Box.check"}
    assert MADE.left_out == {EXPORTED: 2, SAID: 6}
    for text in ("XX", "TOO LARGE", "NEGATIVE", "size + LIMIT"):
        assert not any(text in mutant.added for mutant in MADE.sources)
    assert toy("Box.check", "raise Refused(size, cause=None)").lines == (17, 17)


def test_a_mutant_is_the_module_with_one_change_and_keeps_its_name_when_others_move() -> None:
    for mutant, source in MADE.sources.items():
        assert source.replace(mutant.added, mutant.removed, 1).split() == TOY.split(), mutant
    moved = mutants_of("toy", TOY.replace("LIMIT = 3", "LIMIT = 3\nOTHER = 5"))
    assert HALF.name in {mutant.name for mutant in moved.sources}
    assert len({mutant.name for mutant in MADE.sources}) == len(MADE.sources)


def test_the_same_change_at_two_places_is_told_apart() -> None:
    made = mutants_of("twice", "def f(a):\n    a.append(1)\n    a.append(1)\n")
    assert sorted(m.occurrence for m in made.sources if m.added == "a.append(2)") == [1, 2]


def test_checks_that_run_the_line_come_the_most_telling_first() -> None:
    body, name = ("uri.py", 20), ("uri.py", 11)
    seen = [
        Seen("test_b[many]", 0.1, frozenset({body, name, ("uri.py", 1), ("uri.py", 2)})),
        Seen("test_a[slow]", 9.0, frozenset({body, name})),
        Seen("test_c[1]", 0.2, frozenset({body, name})),
        Seen("test_c[2]", 0.3, frozenset({body, name})),
        Seen("test_d[elsewhere]", 0.1, frozenset({name, ("uri.py", 60)})),
    ]
    coverage = Coverage(seen)
    uri = mutants_of("uri", (PACKAGE / "uri.py").read_text(encoding="utf-8")).sources
    inside = next(mutant for mutant in uri if mutant.removed == URI_LINE)
    seen_lines = {mutant.lines for mutant in uri if mutant.removed == URI_LINE}
    assert seen_lines == {(20, 20)}
    assert coverage.checks(inside) == ["test_c[1]", "test_b[many]", "test_a[slow]", "test_c[2]"]
    outside = next(mutant for mutant in uri if mutant.binds == ("SCHEMES",))
    assert coverage.checks(outside)[-1] == "test_d[elsewhere]", "it runs no line with the name"
    assert len(coverage.checks(outside)) == 5
    unreached = next(mutant for mutant in uri if mutant.function == "normalise")
    assert coverage.checks(unreached) == []


def test_the_rate_leaves_out_the_equivalent_alone() -> None:
    pairs = [
        (LIMIT, result(LIMIT, killed=True, by="comparison")),
        (HALF, result(HALF)),
        (LARGE, result(LARGE, candidates=0)),
    ]
    whole = standing("toy", pairs, frozenset())
    assert (whole.survived, whole.unreached, whole.killed["comparison"]) == (1, 1, 1)
    assert (round(whole.rate), whole.reached_rate) == (33, 50.0)
    assert standing("toy", pairs, frozenset({HALF.name})).rate == 50.0
    assert standing("toy", pairs, frozenset({HALF.name, LARGE.name})).rate == 100.0


def test_who_survives_must_be_explained_or_known() -> None:
    pairs = [(LIMIT, result(LIMIT)), (HALF, result(HALF)), (LARGE, result(LARGE))]
    explained = matches([entry(LIMIT, "nothing asks for it")], MADE.sources)
    known = matches([entry(HALF)], MADE.sources)
    found = problems(pairs, explained, known)
    assert [one.partition(" survived")[0] for one in found] == [f"{LARGE.name}:"]
    assert "toy.py:14 Box.check: if size > LIMIT: -> if size >= LIMIT:" in found[0]


def test_an_explanation_of_what_is_killed_or_gone_is_refused() -> None:
    explained = matches([entry(LIMIT, "nothing asks for it")], MADE.sources)
    killed = [(LIMIT, result(LIMIT, killed=True, check="test_x"))]
    assert problems(killed, explained, {}) == [f"{LIMIT.name}: explained as equivalent, and test_x kills it"]
    gone = Entry("toy", "Box.half", "return 1", "return 2", reason="no matter")
    assert stale([gone, entry(LIMIT, "r")], MADE.sources, frozenset()) == [
        "toy.Box.half: return 1 -> return 2: no mutant does that any more"
    ]
    assert stale([gone], MADE.sources, frozenset({"other"})) == []


def test_entries_survive_the_way_through_their_file(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    odd = Entry("m", "", "a = 'x\\n'\nb = 1", 'a = "\'"', occurrence=2, reason='as "it" is\\')
    path.write_text(as_toml([odd, entry(HALF, "no")], "Two.\nLines."), encoding="utf-8")
    assert set(read_entries(path, with_reasons=True)) == {odd, entry(HALF, "no")}
    assert read_entries(tmp_path / "none.toml", with_reasons=True) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[mutant]", "no TOML"),
        ("[[mutants]]", "unknown key 'mutants'"),
        ("reason = ''", "needs a reason"),
        ("reason = 'r'\nextra = 1", "unknown key 'extra'"),
        ("reason = 'r'\noccurrence = '1'", "'occurrence' must be a number"),
    ],
)
def test_malformed_entries_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "some.toml"
    start = "" if text.startswith("[[") else "[[mutant]]\nmodule='m'\nfunction=''\nremoved='a'\nadded='b'\n"
    path.write_text(start + text, encoding="utf-8")
    with pytest.raises(EntryError, match=said):
        read_entries(path, with_reasons=True)


def test_what_is_published_can_be_read() -> None:
    read_entries(FOLDER / "equivalent.toml", with_reasons=True)
    read_entries(FOLDER / "survivors.toml", with_reasons=False)
    assert all(one.reason for one in read_scope(FOLDER / "scope.toml"))


def test_what_is_out_of_scope_is_not_made_and_counted(tmp_path: Path) -> None:
    everything, _ = generated(["uri"], tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(everything)
    mutants, left_out = generated(["uri"], tmp_path, [Outside("uri", "no use", "normalise")])
    assert {mutant.function for mutant in everything.values()} - {
        mutant.function for mutant in mutants.values()
    } == {"normalise"}
    assert left_out["uri"]["no use"] == len(everything) - len(mutants) > 0
    assert {path.stem for path in tmp_path.iterdir()} == set(mutants)


def test_a_malformed_scope_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scope.toml"
    path.write_text("[[outside]]\nmodule = 'm'\n", encoding="utf-8")
    with pytest.raises(EntryError, match="reason"):
        read_scope(path)


class Rehearsal:
    """A hunt over the toy's mutants in which the named ones die of the named checks."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, deadly: dict[str, str]) -> None:
        self.folder = folder
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.deadly = deadly
        checks = [f"test_{number}[a]" for number in range(4)]

        def do(crew: Crew, title: str, jobs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
            for job in jobs:
                self.asked.append((title, tuple(job["checks"])))
                check = self.deadly.get(job["mutant"])
                killed = check in job["checks"]
                outcome = {"killed": killed, "check": check if killed else None, "by": "comparison"}
                yield {"mutant": job["mutant"], "asked": len(job["checks"]), "seconds": 1.0, **outcome}

        class Every:
            def checks(self, mutant: Mutant) -> list[str]:
                return checks

        monkeypatch.setattr(Crew, "do", do)
        monkeypatch.setattr(automatic_mutants_run, "recorded", lambda *_: Every())
        monkeypatch.setattr(automatic_mutants_run, "modules", lambda: {"toy": Path(__file__)})

    def run(self, settled: frozenset[str] = frozenset(), **options: Any) -> dict[str, Result]:
        plain: dict[str, Any] = {"names": [], "sample": None, "seed": 1, "first": 2, "most": None}
        plain |= {"survivors": False, "resume": False, "processes": 1, "deadline": 1.0}
        values = plain | {"out": self.folder} | options
        mutants = {mutant.name: mutant for mutant in (LIMIT, HALF, LARGE)}
        self.asked.clear()
        self.hunt = Hunt(argparse.Namespace(**values), self.folder / "published", mutants, settled)
        return self.hunt.results()


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


def test_one_mutant_end_to_end(tmp_path: Path) -> None:
    made = mutants_of("uri", (PACKAGE / "uri.py").read_text(encoding="utf-8"))
    wrong = URI_LINE.replace(" in ", " not in ")
    mutant = next(one for one in made.sources if one.removed == URI_LINE and one.added == wrong)
    other = next(one for one in made.sources if one.function == "normalise")
    for one in (mutant, other):
        (tmp_path / f"{one.name}.py").write_text(made.sources[one], encoding="utf-8")
    name, unnoticed = (str(tmp_path / one.name) for one in (mutant, other))
    assert spec_of(f"automatic/{name}").variant == f"{name}.py"
    file = "suites/conformance/test_uri.py"
    right = f"{file}::test_the_three_schemes[automatic-none]"
    jobs: list[dict[str, Any]] = [
        {"check": right},
        {"mutant": name, "function": "f", "checks": [right]},
        {"mutant": unnoticed, "function": "g", "checks": ["no such check", right]},
    ]
    found = list(Crew(tmp_path / "jobs", 1, 10.0).do("test", jobs))
    plain, killed, survived = found
    assert (plain["verdict"], plain["watched"]) == ("PASS", "PASS")
    assert "uri.py:20" in plain["lines"]
    assert (killed["killed"], killed["by"], killed["check"]) == (True, "comparison", right)
    assert (survived["killed"], survived["asked"], survived["errors"]) == (False, 1, 0)


def test_a_subject_without_a_source_is_unknown() -> None:
    with pytest.raises(LookupError, match="automatic-mutants --generate"):
        spec_of("automatic/uri-0000000000")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--module", "no_such"], "no module 'no_such'"),
        (["--publish", "--sample", "3"], "only a run of all mutants is published"),
    ],
)
def test_wrong_words_are_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automatic-mutants", *words]) == 2
    assert said in capsys.readouterr().err


def test_results_that_were_cut_off_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    whole = {"mutant": "a", "key": "k", "killed": True, "beyond": 1}
    path.write_text(json.dumps(whole) + "\n" + json.dumps(whole)[:20], encoding="utf-8")
    assert read_results(path) == {"a": Result(mutant="a", key="k", killed=True)}
