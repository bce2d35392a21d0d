"""Expectations name a requirement, its stores, a version range and what was seen, or they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.catalogue import Requirement
from reports.expectations import ExpectationError, read_expectations

CATALOGUE = {
    "CACHE-007": Requirement(
        id="CACHE-007",
        area="CACHE",
        level="MUST",
        sentence="s",
        why="w",
        link="https://example.org/a",
        source="https://example.org/b",
        capability="cache",
        stores=("disk", "moto", "minio"),
    )
}
GOOD = {
    "requirement": '"CACHE-007"',
    "stores": '["moto", "minio"]',
    "versions": '">=0.17,<0.18"',
    "evidence": '"python -c … printed None"',
    "link": '"https://example.org/issues/7"',
}


def write(folder: Path, *tables: dict[str, str]) -> None:
    text = "\n".join(
        "[[expectation]]\n" + "\n".join(f"{name} = {value}" for name, value in table.items())
        for table in tables
    )
    (folder / "streamer.toml").write_text(text, encoding="utf-8")


def test_the_file_names_the_subject(tmp_path: Path) -> None:
    write(tmp_path, GOOD, {k: v for k, v in GOOD.items() if k != "link"} | {"stores": '["disk"]'})
    first, second = read_expectations(tmp_path, CATALOGUE)
    assert (first.subject, first.requirement, first.stores) == ("streamer", "CACHE-007", ("moto", "minio"))
    assert first.link == "https://example.org/issues/7"
    assert second.link is None


@pytest.mark.parametrize(
    ("version", "covered"),
    [
        ("0.17", True),
        ("0.17.3", True),
        ("0.17.1rc1", True),
        ("0.17.0+cpu", True),
        ("0.18", False),
        ("0.16.9", False),
        ("who knows", False),
        (None, False),
    ],
)
def test_an_expectation_holds_for_its_versions(tmp_path: Path, version: str | None, covered: bool) -> None:
    write(tmp_path, GOOD)
    (expectation,) = read_expectations(tmp_path, CATALOGUE)
    assert expectation.covers_version(version) is covered


@pytest.mark.parametrize("name", ["requirement", "stores", "versions", "evidence"])
def test_all_but_the_link_is_required(tmp_path: Path, name: str) -> None:
    write(tmp_path, {k: v for k, v in GOOD.items() if k != name})
    with pytest.raises(ExpectationError, match=rf"streamer\.toml.*{name} is missing"):
        read_expectations(tmp_path, CATALOGUE)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("requirement", '"CACHE-099"', "no such requirement"),
        ("stores", '["azurite"]', "doesn't run on the store azurite"),
        ("stores", "[]", "stores must be a list"),
        ("versions", '"from 0.17 on"', "no version range"),
        ("versions", '""', "versions must be a text"),
        ("evidence", '""', "evidence must be a text"),
        ("link", '"ftp://example.org"', "link must be an https"),
        ("reason", '"x"', "unknown field 'reason'"),
    ],
)
def test_a_wrong_field_is_refused(tmp_path: Path, name: str, value: str, complaint: str) -> None:
    write(tmp_path, {**GOOD, name: value})
    with pytest.raises(ExpectationError, match=r"streamer\.toml: CACHE-0") as refused:
        read_expectations(tmp_path, CATALOGUE)
    assert complaint in str(refused.value)


def test_nothing_is_expected_twice(tmp_path: Path) -> None:
    write(tmp_path, GOOD, {**GOOD, "stores": '["minio"]'})
    with pytest.raises(ExpectationError, match="minio is expected twice"):
        read_expectations(tmp_path, CATALOGUE)


@pytest.mark.parametrize("content", ["[[expectation", "expectation = 3", "[[known]]\nx = 1"])
def test_a_wrong_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "streamer.toml").write_text(content)
    with pytest.raises(ExpectationError, match="streamer.toml"):
        read_expectations(tmp_path, CATALOGUE)


def test_no_folder_means_no_expectations(tmp_path: Path) -> None:
    assert read_expectations(tmp_path / "nowhere", CATALOGUE) == ()
