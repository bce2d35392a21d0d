"""`python -m tooling explain`: everything that is known of a requirement, on a terminal of 100 columns."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reports.catalogue import read_catalogue
from reports.claims import claims
from reports.expectations import read_expectations
from reports.explanation import TITLE_WIDTH, explanation
from reports.failures import read_failures
from reports.last_report import LastReport, last_report
from reports.model import Verdict, VerdictRecord
from suites.selftest.rendered import HOSTILE, check, footer, header, rule
from suites.selftest.test_reports import written
from tooling import explain
from tooling.__main__ import main

CATALOGUE = read_catalogue(explain.REQUIREMENTS)
EXPECTATIONS = read_expectations(explain.ROOT / "suites" / "expectations", CATALOGUE)
CLAIMS = claims(explain.CONFORMANCE)
RECORDED = {one.requirement for one in EXPECTATIONS}
THEMES = read_failures(explain.ROOT / "suites" / "failures", CATALOGUE, RECORDED)
FIELD = [failure for theme in THEMES for failure in theme.failures]
Said = pytest.CaptureFixture[str]


def report_of(folder: Path, *records: VerdictRecord, started: str = "2100-01-01T00:00:00+00:00") -> Path:
    numbered = tuple(replace(one, number=place) for place, one in enumerate(records, start=1))
    return written(folder, replace(header(numbered), started=started), *numbered, footer(numbered))


def test_it_says_what_the_catalogue_says(tmp_path: Path, capsys: Said) -> None:
    assert main(["explain", "weight-010", "--report", str(tmp_path / "none")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    one = CATALOGUE["WEIGHT-010"]
    for part in (
        one.sentence,
        one.why,
        one.link,
        one.source,
        f"capability {one.capability}",
        "stores disk, moto",
    ):
        assert part in said
    assert said.startswith("WEIGHT-010 (MUST): ")
    assert re.search(
        r"checked by suites/conformance/test_weights.py:\d+ test_larger_than_chunk_and_limit", said
    )
    node = "'suites/conformance/test_weights.py::test_larger_than_chunk_and_limit'"
    assert f"run it tox -e conformance -- {node}" in said


def test_every_requirement_fits() -> None:
    for identity, one in CATALOGUE.items():
        known = [expected for expected in EXPECTATIONS if expected.requirement == identity]
        field = [failure for failure in FIELD if identity in failure.requirements]
        text = explanation(one, CLAIMS[identity], known, LastReport((), ()), root=explain.ROOT, field=field)
        for line in text.splitlines():
            alone = len(line[TITLE_WIDTH:].split()) == 1  # an address is never cut
            assert len(line) <= 100 or alone or " tox -e conformance -- '" in line, line


def test_known_failures_are_told_with_their_evidence(tmp_path: Path, capsys: Said) -> None:
    one = EXPECTATIONS[0]
    assert main(["explain", one.requirement, "--report", str(tmp_path / "none")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"known {one.subject} " in said and ", ".join(one.stores) in said
    assert " ".join(one.evidence.split()) in said


def test_failures_of_the_field_are_told_with_their_links(tmp_path: Path, capsys: Said) -> None:
    assert main(["explain", "WEIGHT-016", "--report", str(tmp_path / "none")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "mutants drop_tensor: Takes a shard without tensors for the end of the stream" in said
    assert "in the field F-021 A shard without tensors ends the stream (Run:ai Model Streamer, " in said
    assert "https://github.com/run-ai/runai-model-streamer/issues/157" in said
    assert main(["explain", "WEIGHT-012", "--report", str(tmp_path / "none")]) == 0
    assert "in the field" not in capsys.readouterr().out


def test_the_source_names_the_tests_that_pytest_collects() -> None:
    """The collection refuses a suite in which the two sets differ; the source must tell the same."""
    assert set(CLAIMS) == set(CATALOGUE)
    assert all(
        one.file.read_text().splitlines()[one.line - 1].lstrip().startswith("def test_")
        for several in CLAIMS.values()
        for one in several
    )


def test_claims_are_read_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "raise SystemExit('never run')\n"
        "@requirement('X-001')\n@pytest.mark.quick\ndef test_a(): ...\n"
        "@marks.requirement('X-001')\nasync def test_b(): ...\n"
        "@pytest.mark.long\n@pytest.mark.requirement('X-002')\nclass TestC:\n    def test_c(self): ...\n"
        "    def other(self): ...\n"
        "@requirement('X-003')\ndef not_a_test(): ...\n"
        "@requirement(NAME)\ndef test_d(): ...\n"
        "@requirement\ndef test_e(): ...\n"
    )
    (tmp_path / "conftest.py").write_text("@requirement('X-004')\ndef test_f(): ...\n")
    found = claims(tmp_path)
    assert {
        identity: [(one.name, one.line, one.tiers) for one in several] for identity, several in found.items()
    } == {
        "X-001": [("test_a", 4, ("quick",)), ("test_b", 6, ())],
        "X-002": [("TestC::test_c", 10, ("long",))],
    }


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("uri-002", "URI-002"),
        (" Weight-010 ", "WEIGHT-010"),
        ("weight 10", "WEIGHT-010"),
        ("WEIGHT10", "WEIGHT-010"),
        ("cache_4", "CACHE-004"),
    ],
)
def test_an_id_is_understood_as_people_write_it(asked: str, meant: str) -> None:
    assert explain.found(asked, CATALOGUE) == meant


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("WIEGHT-010", "the closest are WEIGHT-010"),
        ("URI-999", "URI-0"),
        ("", "ids begin with one of CACHE"),
        ("\x1b[31m?", r"'\x1b[31m?'"),
    ],
)
def test_an_unknown_id_is_one_line_and_a_remedy(asked: str, said: str, capsys: Said) -> None:
    assert main(["explain", asked]) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err
    assert [line.partition(":")[0].strip() for line in err.splitlines()] == ["explain", "remedy"]


RULE = rule("WEIGHT-001")


def test_how_the_subjects_fared(tmp_path: Path) -> None:
    path = report_of(
        tmp_path,
        check(1, Verdict.PASS, "WEIGHT-001", "streamer", "moto"),
        check(2, Verdict.PASS, "WEIGHT-001", "reference", "moto"),
        check(3, Verdict.PASS, "WEIGHT-001", "reference", "disk"),
        check(4, Verdict.PASS, "WEIGHT-001", "reference", "disk"),
        check(5, Verdict.FAIL, "WEIGHT-001", "streamer", "disk"),
        check(6, Verdict.PASS, "URI-001", "streamer", "none"),
    )
    last = last_report(path, RULE, tmp_path)
    assert last.lines == (
        f"{path}, 2100-01-01T00:00:00+00:00, main, all of its checks",
        "reference 1: disk 2 pass, moto 1 pass",
        "streamer 1: disk 1 FAIL, moto 1 pass",
    )
    assert last.remarks == (f"python -m tooling report {path} shows each failure",)


def test_a_report_without_the_requirement_says_so(tmp_path: Path) -> None:
    path = report_of(tmp_path, check(1, Verdict.ERROR, "URI-001", "streamer", "none"))
    last = last_report(path, RULE, tmp_path)
    assert len(last.lines) == 1
    assert last.remarks == ("WEIGHT-001 is not in it: the run was another tier's or a narrowed one",)


def test_an_old_report_says_so(tmp_path: Path) -> None:
    source = tmp_path / "fixtures" / "wire.py"
    source.parent.mkdir()
    source.write_text("")
    red = check(1, Verdict.ERROR, "WEIGHT-001", "streamer", "disk", trace="x")
    path = report_of(tmp_path, red, started="2026-01-01T00:00:00+00:00")
    os.utime(source, (2e9, 2e9))
    (remark, _) = last_report(path, RULE, tmp_path).remarks
    assert remark.startswith("old: 1 files of the suite are younger, such as fixtures/wire.py")
    os.utime(source, (1e9, 1e9))
    changed = replace(RULE, sentence="Another sentence.")
    (remark, _) = last_report(path, changed, tmp_path).remarks
    assert remark.startswith("old: the sentence was another one then: What WEIGHT-001 says")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "none: "), (b"", "refused: "), (b"\xff\x00", "refused: "), (b"{}\n", "refused: ")],
)
def test_a_report_that_is_of_no_use_is_no_failure(
    tmp_path: Path, capsys: Said, content: bytes | None, said: str
) -> None:
    path = tmp_path / "r.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert main(["explain", "URI-001", "--report", str(path)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"last report {said}{path}: " in text and text.endswith("run it: tox -e conformance")


def test_a_hostile_report_does_not_steer_the_terminal(tmp_path: Path, capsys: Said) -> None:
    path = report_of(tmp_path, check(1, Verdict.FAIL, "URI-001", HOSTILE, "none"))
    assert main(["explain", "URI-001", "--report", str(path)]) == 0
    out = capsys.readouterr().out
    assert r"\x1b[31m" in out and "\x1b" not in out
