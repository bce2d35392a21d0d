"""Automatic mutants: where they are made, which checks they meet, and what is said of those that survive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.subjects.client import spec_of
from reports.automatic import Result, matches, problems, read_results, stale, standing
from reports.automatic_entries import Entry, EntryError, Outside, as_toml, read_entries, read_scope
from suites.selftest.toy_mutants import HALF, LARGE, LIMIT, MADE, TOY, entry, result, toy
from tooling.__main__ import main
from tooling.automatic_mutants import FOLDER
from tooling.automatic_mutants_generation import EXPORTED, PACKAGE, SAID, mutants_of
from tooling.automatic_mutants_jobs import Crew
from tooling.automatic_mutants_lines import Coverage, Seen
from tooling.automatic_mutants_run import generated

#: noticed by whatever asks for an address in a bucket
URI_LINE = "return bool(separator) and scheme.lower() in SCHEMES"


def test_changes_are_made_everywhere_but_in_what_messages_say() -> None:
    functions = {mutant.function for mutant in MADE.sources}
    assert functions == {"", "Box", "Box.half", "Box.check"}
    assert MADE.left_out == {EXPORTED: 2, SAID: 7}
    for text in ("XX", "TOO LARGE", "NEGATIVE", "size + LIMIT"):
        assert not any(text in mutant.added for mutant in MADE.sources)
    assert toy("Box.check", "raise Refused(size, cause=None)").lines == (17, 17)
    # without a cause at all a message says less; that it is another one is all that a check could tell
    refusals = [one.added for one in MADE.sources if one.added.startswith("raise Refused(size")]
    assert refusals and all("cause" in added for added in refusals)


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
    often = {"test_a[slow]": 9, "test_c[2]": 2, "test_d[elsewhere]": 99}
    assert coverage.checks(inside, often) == ["test_a[slow]", "test_c[1]", "test_c[2]", "test_b[many]"]
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
    read_entries(FOLDER / "survivors.toml", with_reasons=True)
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
        (["--publish", "new", "--module", "uri"], "only a run of all mutants, or of a sample of all"),
        (["--publish", "suites"], "suites holds something"),
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
