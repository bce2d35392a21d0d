"""The list of known failures takes whole entries only, and its page is what the list gives."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fixtures.subjects.mutants import MUTANTS, Mutant
from reports.catalogue import read_catalogue
from reports.expectations import read_expectations
from reports.failures import FailureListError, Theme, read_failures, unlisted
from tooling import failures
from tooling.__main__ import main
from tooling.trouble import Trouble

SUITES = Path(failures.SUITES)
CATALOGUE = {"CACHE-013", "WEIGHT-003"}
RECORDED = {"CACHE-013"}
GOOD = {
    "id": '"F-001"',
    "title": '"A changed object goes unnoticed"',
    "what": '"A folder with the mark is never looked at again."',
    "project": '"a loader"',
    "versions": '"1.2"',
    "known": '"reported"',
    "link": '"https://example.org/issues/1"',
    "thread": '"The cache is stale"',
    "requirements": '["CACHE-013"]',
}
REASON = {"without": '"needs a GPU"'}


def write(folder: Path, *tables: dict[str, str], name: str = "cache") -> None:
    text = "\n".join(
        "[[failure]]\n" + "\n".join(f"{key} = {value}" for key, value in table.items()) for table in tables
    )
    (folder / f"{name}.toml").write_text(f'title = "The {name}"\n{text}\n', encoding="utf-8")


def read(folder: Path) -> tuple[Theme, ...]:
    return read_failures(folder, CATALOGUE, RECORDED)


def refusal(folder: Path) -> str:
    with pytest.raises(FailureListError) as refused:
        read(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_good_entry_is_read_in_full(tmp_path: Path) -> None:
    second = {k: v for k, v in GOOD.items() if k != "requirements"} | REASON
    write(tmp_path, GOOD | {"fixed": '"1.3"'})
    write(tmp_path, second | {"id": '"F-000"'}, name="start")
    start, cache = read(tmp_path)
    assert (start.name, cache.title) == ("start", "The cache")
    (failure,) = cache.failures
    assert (failure.requirements, failure.without, failure.fixed) == (("CACHE-013",), None, "1.3")
    assert (start.failures[0].requirements, start.failures[0].without) == ((), "needs a GPU")
    assert unlisted((start, cache), CATALOGUE) == ["WEIGHT-003"]


@pytest.mark.parametrize("name", [name for name in GOOD if name != "requirements"])
def test_every_field_must_be_there(tmp_path: Path, name: str) -> None:
    write(tmp_path, {k: v for k, v in GOOD.items() if k != name})
    assert f"{name} is missing" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": '"F-1"'}, "F- and three digits"),
        ({"title": '" "'}, "title must be a text"),
        ({"versions": "3"}, "versions must be a text"),
        ({"link": '"http://example.org"'}, "link must be an https"),
        ({"known": '"guessed"'}, "known 'guessed' must be one of"),
        ({"severity": '"high"'}, "unknown field 'severity'"),
        ({"requirements": "[]"}, "requirements must be a list"),
        ({"requirements": '"CACHE-013"'}, "requirements must be a list"),
        ({"requirements": '["CACHE-013", "CACHE-013"]'}, "names one twice"),
        ({"requirements": '["CACHE-999"]'}, "no requirement CACHE-999"),
        (REASON, "needs either requirements or without, has both"),
        ({"evidence": '"it printed 1"'}, "has evidence, so known must be 'seen'"),
        ({"known": '"seen"', "requirements": '["WEIGHT-003"]'}, "is seen, but has no evidence"),
    ],
)
def test_a_wrong_entry_is_refused_by_file_and_id(
    tmp_path: Path, changes: dict[str, str], complaint: str
) -> None:
    write(tmp_path, GOOD | changes)
    message = refusal(tmp_path)
    assert complaint in message
    identity = changes.get("id", GOOD["id"]).strip('"')
    assert f"cache.toml: {identity}" in message


def test_neither_requirements_nor_a_reason_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {k: v for k, v in GOOD.items() if k != "requirements"})
    assert "has neither" in refusal(tmp_path)


def test_seen_needs_an_expectation_or_evidence(tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"known": '"seen"'})
    other = GOOD | {"id": '"F-002"', "requirements": '["WEIGHT-003"]', "known": '"seen"'}
    write(tmp_path, other | {"evidence": '"`x` printed 1"'}, name="weights")
    assert [theme.failures[0].evidence for theme in read(tmp_path)] == [None, "`x` printed 1"]


def test_an_id_exists_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD, GOOD)
    assert "F-001: this id exists twice" in refusal(tmp_path)
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, name="weights")
    assert "weights.toml: F-001: this id is already in cache.toml" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("title = ", "not TOML"),
        ('title = "x"\n', "has no [[failure]]"),
        ("[[failure]]\nid = 1\n", "title is missing"),
        ('title = "x"\nowner = "me"\n', "unknown field 'owner'"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "cache.toml").write_text(content)
    assert complaint in refusal(tmp_path)


def test_no_list_at_all_is_refused(tmp_path: Path) -> None:
    assert "no *.toml" in refusal(tmp_path / "nowhere")


def test_the_committed_page_is_what_the_list_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["failures", "--check"]) == 0, capsys.readouterr().err


def test_a_stale_page_is_said_to_be_stale_and_can_be_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(failures, "PAGE", tmp_path / "README.md")
    assert main(["failures", "--check"]) == 1
    assert "python -m tooling failures" in capsys.readouterr().err
    assert not failures.PAGE.exists()
    assert main(["failures"]) == 0
    assert main(["failures", "--check"]) == 0
    text = failures.PAGE.read_text(encoding="utf-8")
    failures.PAGE.write_text(text.replace("F-001", "F-000"), encoding="utf-8")
    assert main(["failures", "--check"]) == 1


@pytest.mark.parametrize(
    ("changes", "killers", "cell"),
    [
        ({}, {"CACHE-013": ("second", "first")}, "`first`<br>`second`"),
        ({}, {"CACHE-013": tuple("abcdef")}, "`a`<br>`b`<br>`c`<br>`d` and 2 more"),
        ({"no_mutant": '"a crash of the system"'}, {}, "none: a crash of the system"),
    ],
)
def test_a_failure_names_its_mutants_or_says_why_there_is_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    killers: dict[str, tuple[str, ...]],
    cell: str,
) -> None:
    monkeypatch.setattr("fixtures.subjects.mutants.MUTANTS", made_mutants(killers))
    write(tmp_path, GOOD | changes)
    ((failure,),) = [theme.failures for theme in read(tmp_path)]
    assert failures.mutants_of(failure) == cell


@pytest.mark.parametrize(
    ("changes", "killers", "said"),
    [
        ({}, {}, "F-001 has no mutant"),
        ({"no_mutant": '"none is realistic"'}, {"CACHE-013": ("late",)}, "but late is one"),
    ],
)
def test_no_mutant_without_a_reason_and_a_reason_beside_a_mutant_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    killers: dict[str, tuple[str, ...]],
    said: str,
) -> None:
    monkeypatch.setattr("fixtures.subjects.mutants.MUTANTS", made_mutants(killers))
    write(tmp_path, GOOD | changes)
    ((failure,),) = [theme.failures for theme in read(tmp_path)]
    with pytest.raises(Trouble, match=said):
        failures.mutants_of(failure)


def made_mutants(killers: dict[str, tuple[str, ...]]) -> dict[str, Mutant]:
    known = MUTANTS["drop_tensor"]
    return {
        name: dataclasses.replace(known, name=name, red=(requirement,))
        for requirement, names in killers.items()
        for name in names
    }


def test_a_cell_of_the_page_stays_one_cell() -> None:
    assert failures.cell("[Bug] a|b <c> `m[1] <d>`") == r"\[Bug\] a\|b &lt;c> `m[1] <d>`"


def test_what_a_run_has_shown_is_in_the_list() -> None:
    catalogue = read_catalogue(SUITES / "requirements")
    recorded = {one.requirement for one in read_expectations(SUITES / "expectations", catalogue)}
    themes = read_failures(SUITES / "failures", catalogue, recorded)
    seen = [
        one
        for theme in themes
        for failure in theme.failures
        if failure.known == "seen"
        for one in failure.requirements
    ]
    lacking = sorted(recorded - set(seen))
    assert lacking == [], "these expectations are no failure of suites/failures that was seen: add them there"
