"""The catalogue reader takes whole requirements only, and names the file and the id that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.catalogue import CatalogueError, read_catalogue

GOOD = {
    "id": '"CACHE-001"',
    "level": '"MUST"',
    "sentence": '"Two models never share a folder."',
    "why": '"a hash of the bucket alone"',
    "link": '"https://example.org/issues/1"',
    "source": '"https://example.org/spec"',
    "capability": '"cache"',
    "stores": '["disk", "moto"]',
}


def document(area: str = "CACHE", *requirements: dict[str, str]) -> str:
    tables = "\n".join(
        "[[requirement]]\n" + "\n".join(f"{name} = {value}" for name, value in one.items())
        for one in requirements
    )
    return f'area = "{area}"\ntitle = "The cache"\n{tables}\n'


def test_a_good_file_is_read_in_full(tmp_path: Path) -> None:
    second = {**GOOD, "id": '"CACHE-002"', "level": '"SHOULD"', "stores": '["none"]'}
    (tmp_path / "cache.toml").write_text(document("CACHE", second, GOOD))
    catalogue = read_catalogue(tmp_path)
    assert list(catalogue) == ["CACHE-001", "CACHE-002"]
    first = catalogue["CACHE-001"]
    assert (first.area, first.level, first.stores) == ("CACHE", "MUST", ("disk", "moto"))
    assert first.why == "a hash of the bucket alone"
    assert catalogue["CACHE-002"].stores == ("none",)


def test_a_requirement_may_need_two_capabilities(tmp_path: Path) -> None:
    second = {**GOOD, "id": '"CACHE-002"', "capability": '"cache and metadata"'}
    (tmp_path / "cache.toml").write_text(document("CACHE", second, GOOD))
    needed = [one.capabilities for one in read_catalogue(tmp_path).values()]
    assert needed == [("cache",), ("cache", "metadata")]


@pytest.mark.parametrize("name", GOOD)
def test_every_field_must_be_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "cache.toml").write_text(document("CACHE", {k: v for k, v in GOOD.items() if k != name}))
    with pytest.raises(CatalogueError, match=rf"cache\.toml.*{name} is missing"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("id", '"META-001"', "id must be CACHE- and three digits"),
        ("id", '"CACHE-1"', "id must be CACHE- and three digits"),
        ("level", '"MAY"', "level 'MAY'"),
        ("sentence", '"  "', "sentence must be a text"),
        ("why", "3", "why must be a text"),
        ("link", '"http://example.org"', "link must be an https"),
        ("link", '"https://"', "link must be an https"),
        ("source", '"the manual"', "source must be an https"),
        ("stores", "[]", "stores must be a list"),
        ("stores", '"disk"', "stores must be a list"),
        ("stores", '["disk", "disk"]', "names one twice"),
        ("stores", '["none", "disk"]', "either"),
        ("severity", '"high"', "unknown field 'severity'"),
    ],
)
def test_a_wrong_field_is_refused_by_file_and_id(
    tmp_path: Path, name: str, value: str, complaint: str
) -> None:
    (tmp_path / "cache.toml").write_text(document("CACHE", {**GOOD, name: value}))
    with pytest.raises(CatalogueError) as refused:
        read_catalogue(tmp_path)
    assert complaint in str(refused.value)
    assert "cache.toml" in str(refused.value)
    assert (value.strip('"') if name == "id" else "CACHE-001") in str(refused.value)


def test_an_id_exists_once(tmp_path: Path) -> None:
    (tmp_path / "cache.toml").write_text(document("CACHE", GOOD, GOOD))
    with pytest.raises(CatalogueError, match="CACHE-001: this id exists twice"):
        read_catalogue(tmp_path)


def test_an_area_has_one_file(tmp_path: Path) -> None:
    (tmp_path / "cache.toml").write_text(document("CACHE", GOOD))
    (tmp_path / "more.toml").write_text(document("CACHE", {**GOOD, "id": '"CACHE-002"'}))
    with pytest.raises(CatalogueError, match="more.toml: area CACHE is already in cache.toml"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("area = ", "not TOML"),
        ('title = "x"\n', "area is missing"),
        ('area = "CACHE"\n', "title is missing"),
        ('area = "cache"\ntitle = "x"\n', "capital letters"),
        ('area = "CACHE"\ntitle = "x"\n', "has no [[requirement]]"),
        ('area = "CACHE"\ntitle = "x"\nrequirement = []\n', "has no [[requirement]]"),
        ('area = "CACHE"\ntitle = "x"\nowner = "me"\n', "unknown field 'owner'"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "cache.toml").write_text(content)
    with pytest.raises(CatalogueError, match="cache.toml") as refused:
        read_catalogue(tmp_path)
    assert complaint in str(refused.value)


def test_no_catalogue_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no \\*.toml"):
        read_catalogue(tmp_path / "nowhere")
