"""The comparison of two reports: every pair of verdicts, what can't be compared, and the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import reports
from reports.comparison import COLUMNS, ROWS, TABLE, WORSE, Change, compare, obstacles
from reports.model import PROVING, Verdict, VerdictRecord
from reports.reader import Report
from suites.selftest.made_report import interrupted, record, report, write
from tooling.__main__ import main

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
UNSUPPORTED, NOT_RUN, KNOWN = Verdict.UNSUPPORTED, Verdict.NOT_RUN, Verdict.KNOWN_FAIL
RED = {FAIL, ERROR}
ALL = (*Verdict, None)
STEADY = record("steady", PASS)  # so that no report proves nothing


def pairs() -> list[tuple[Verdict | None, Verdict | None]]:
    return [(old, new) for old in ALL for new in ALL if (old, new) != (None, None)]


def expected(old: Verdict | None, new: Verdict | None) -> str:
    """The rules in the order of their weight, in words."""
    if new is None:
        return "vanished"
    if new is KNOWN:
        return "unchanged" if old is KNOWN else "newly KNOWN-FAIL"
    if new in RED:
        if old is new:
            return "still red"
        return "regressed" if old in PROVING - RED else "newly red"
    if old is None:
        return "new"
    if old is new:
        return "unchanged"
    if new is NOT_RUN:
        return "newly NOT-RUN"
    if new is UNSUPPORTED:
        return "newly UNSUPPORTED" if old in PROVING else "now UNSUPPORTED"
    return "fixed" if old in RED | {KNOWN} else "newly proven"


@pytest.mark.parametrize(("old", "new"), pairs())
def test_every_pair_of_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: Verdict | None, new: Verdict | None
) -> None:
    sides = [[STEADY] + ([record("one", verdict)] if verdict else []) for verdict in (old, new)]
    code, values, text = diff(tmp_path, capsys, report(sides[0]), report(sides[1]))
    change = expected(old, new)
    same = {"unchanged": 1} if change != "unchanged" else {}
    assert values["counts"] == {change: 1, **same} if same else values["counts"] == {"unchanged": 2}
    worse = change in ("regressed", "newly red", "vanished", "newly NOT-RUN", "newly UNSUPPORTED")
    assert code == values["worse"] == int(worse)
    assert text.splitlines()[-1].startswith("diff: worse:" if worse else "diff: nothing got worse:")
    if change != "unchanged":
        assert f"{change} (1 check): " in text
        assert f"{old or 'absent'} -> {new or 'absent'}\n" in text
        assert "test_uri.py::test_one[reference-disk]" in text
    assert max(map(len, text.splitlines())) <= 100 + len(str(tmp_path))


def test_the_table_has_every_cell_once_and_no_class_without_one() -> None:
    assert set(TABLE) == {(old, new) for old in ALL for new in ALL}
    assert set(ROWS) == set(COLUMNS) == set(ALL)
    assert set(TABLE.values()) == set(Change)
    assert Change.NEWLY_KNOWN not in WORSE


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({}, {"subjects": ("streamer",)}, "NEW was run without the subject reference"),
        ({"stores": ("disk", "minio")}, {}, "NEW was run without the store minio"),
        ({}, {"configuration": {"tier": "main"}}, "OLD is of the long tier, NEW of the main one"),
        ({"configuration": {}}, {}, "OLD is of the main tier, NEW of the long one"),
        ({"seed": 6}, {}, "OLD's seed is 6, NEW's 5"),
        ({}, {"footer": {"full": False}}, "NEW is a narrowed run of 1 checks"),
        ({"footer": {"full": False}}, {}, "OLD is a narrowed run of 1 checks"),
    ],
)
def test_another_scope_is_refused_and_only_common_says_what_is_left_out(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    old: dict[str, Any],
    new: dict[str, Any],
    said: str,
) -> None:
    before, after = report([STEADY, record("gone", PASS)], **old), report([STEADY], **new)
    if said.startswith("OLD is a narrowed"):
        before, after = report([STEADY], **old), report([STEADY, record("more", FAIL)], **new)
    paths = [
        str(write(tmp_path / name, made)) for name, made in (("old.jsonl", before), ("new.jsonl", after))
    ]
    assert main(["diff", *paths]) == 2
    refusal = capsys.readouterr().err.splitlines()
    assert len(refusal) == 2
    assert said in refusal[0]
    assert "--only-common" in refusal[1]
    assert main(["diff", *paths, "--only-common"]) == 0
    text = capsys.readouterr().out
    assert "left out: " in text
    assert text.endswith("diff: nothing got worse: no check changed of 1 compared\n")


def test_more_subjects_and_stores_are_new_and_an_old_report_without_tier_is_of_the_main_one() -> None:
    old = report([STEADY], configuration={})
    more = record("one", PASS, store="moto")
    new = report([STEADY, more], stores=("disk", "moto"), configuration={"tier": "main"})
    assert obstacles(old, new) == []
    assert compare(old, new).counts == {Change.NEW: 1, Change.SAME: 1}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.jsonl", None, "No such file"),
        ("empty.jsonl", "", "empty"),
        ("cut.jsonl", '{"kind": "hea', "is cut"),
        ("text.jsonl", "hello\n", "isn't JSON"),
        (
            "stopped.jsonl",
            interrupted(report([record("steady", PASS)])),
            "interrupted by SIGINT after 1 of 1",
        ),
    ],
)
def test_a_report_that_cant_be_used_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, said: str
) -> None:
    good = write(tmp_path / "good.jsonl", report([STEADY]))
    if content is not None:
        (tmp_path / name).write_text(content)
    for order in ([str(good), str(tmp_path / name)], [str(tmp_path / name), str(good)]):
        assert main(["diff", *order]) == 2
        refusal = capsys.readouterr().err.splitlines()
        assert len(refusal) == 2
        assert name in refusal[0] and said in refusal[0]


def test_no_check_in_common_and_no_check_at_all_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        str(write(tmp_path / f"{name}.jsonl", made))
        for name, made in (
            ("one", report([STEADY])),
            ("other", report([record("x", PASS)])),
            ("none", report([])),
        )
    ]
    assert main(["diff", paths[0], paths[1], "--only-common"]) == 2
    assert "no check in common" in capsys.readouterr().err
    assert main(["diff", paths[2], paths[0]]) == 2
    assert "OLD holds no checks" in capsys.readouterr().err
    assert main(["diff", paths[0], paths[1]]) == 1  # of one scope: everything vanished
    assert "1 vanished, 1 new" in capsys.readouterr().out


def test_the_first_difference_stands_by_the_check_and_controls_are_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = record("one", FAIL, what="bytes", tensor="layer\x1b[31m", offset=16, message="more")
    _, values, text = diff(tmp_path, capsys, report([STEADY, record("one", PASS)]), report([STEADY, broken]))
    assert "\n          tensor layer\\x1b[31m, byte 16\n" in text
    assert values["checks"][0]["first_difference"] == "tensor layer\x1b[31m, byte 16"
    assert values["checks"][0]["requirement"] == "URI-001"


def test_a_store_that_is_gone_is_said_once_and_the_terminal_shows_a_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proven = [record(f"{number:03}", PASS) for number in range(50)]
    silent = [record(f"{number:03}", NOT_RUN, message="no engine answers") for number in range(50)]
    code, values, text = diff(tmp_path, capsys, report([STEADY, *proven]), report([STEADY, *silent]))
    assert (code, len(values["checks"])) == (1, 50)
    assert text.count("no engine answers") == 1
    assert "  ... and 30 more; --json has them all\n" in text
    assert "newly NOT-RUN (50 checks): " in text


def test_time_and_fewer_comparisons_are_information(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def timed(*seconds: float, comparisons: int = 100) -> list[VerdictRecord]:
        return [
            record(str(number), PASS, seconds=one, comparisons=comparisons)
            for number, one in enumerate(seconds)
        ]

    # slower by factor and seconds; by the factor alone; by the seconds alone; faster
    old, new = timed(1.0, 0.01, 20.0, 5.0), timed(3.5, 0.9, 30.0, 1.0)
    code, values, text = diff(tmp_path, capsys, report(old), report(new))
    assert (code, [one["new_seconds"] for one in values["slower"]]) == (0, [3.5])
    assert "   +2.5 s    3.5 times      1.0 -> 3.5 s  test_uri.py::test_0[reference-disk]" in text
    fewer = timed(1.0, 0.01, 20.0, 5.0, comparisons=49)
    code, values, text = diff(tmp_path, capsys, report(old), report(fewer))
    assert (code, len(values["comparing_less"])) == (0, 4)
    assert "  100 -> 49 comparisons  test_uri.py::test_0[reference-disk]" in text


def test_what_may_explain_a_change_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = report([STEADY])
    new = report(
        [STEADY],
        {"subjects": {"reference": {"reference": "0.2.0"}}, "stores": {}},
        machine={"cpus": 4},
        versions={"python": "3.11.7", "torch": "3"},
        started="2025-01-01T00:00:00+00:00",
    )
    code, values, text = diff(tmp_path, capsys, old, new)
    assert code == 0
    assert values["changed"] == [
        "subject reference reference: 0.1.0 -> 0.2.0",
        "store disk: Linux -> absent",
        "installed torch: absent -> 3",
        "machine cpus: 2 -> 4",
    ]
    assert all(f"\n{line}\n" in text for line in values["changed"])
    assert "are they swapped?" in text


def test_a_json_path_that_cant_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = str(write(tmp_path / "good.jsonl", report([STEADY])))
    (tmp_path / "file").write_text("")
    assert main(["diff", good, good, "--json", str(tmp_path / "file" / "x.json")]) == 2
    assert "remedy: name a path that can be written" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "good.jsonl"]


def test_a_report_that_is_red_for_another_reason_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = {"exit_code": 1, "reasons": ("1 expected failure newly passes: URI-001",)}
    _, _, text = diff(tmp_path, capsys, report([STEADY]), report([STEADY], stale))
    assert "new.jsonl, 2026-01-01T02:00:00+00:00, red: 1 expected failure newly passes\n" in text


def test_a_fail_of_a_should_is_worse_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = {"requirement": "URI-002", "level": "SHOULD"}
    old = report([STEADY, record("one", PASS, **changed | {"level": "MUST"})])
    new = report([STEADY, record("one", FAIL, **changed)])
    code, _, text = diff(tmp_path, capsys, old, new)
    assert code == 1
    assert "PASS -> FAIL (SHOULD)" in text
    assert "level of URI-002: MUST -> SHOULD" in text


def test_a_package_that_is_missing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(reports, "comparison_text", raising=False)
    monkeypatch.setitem(sys.modules, "reports.comparison_text", None)
    assert main(["diff", "a", "b"]) == 2
    assert "remedy: pip install -r requirements.txt" in capsys.readouterr().err


def diff(
    folder: Path, capsys: pytest.CaptureFixture[str], old: Report, new: Report
) -> tuple[int, dict[str, Any], str]:
    """Exit code, JSON and terminal text of the command."""
    paths = [str(write(folder / f"{name}.jsonl", made)) for name, made in (("old", old), ("new", new))]
    code = main(["diff", *paths, "--json", str(folder / "diff.json")])
    return code, json.loads((folder / "diff.json").read_text()), capsys.readouterr().out
