"""The HTML page: valid, alone in the world, complete, and not to be taken over by what it shows."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from justhtml import JustHTML

from reports.block import rows
from reports.contrast import contrast
from reports.html import FOLDER, html
from reports.printable import printable_text
from reports.reader import Report
from suites.selftest.rendered import EMPTY, GREEN, HOSTILE, RECORDS, REPORT, VISIBLE, rule

PAGE = html(REPORT)
VOID = {"meta", "link", "wbr"}
ACTIVE = {"script", "img", "iframe", "object", "embed", "base", "form"}


class Page(HTMLParser):
    """Elements with their attributes, and the text of each element that has an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[tuple[str, str | None]] = []
        self.texts: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self.open.append((tag, found.get("id")))
        if "id" in found:
            assert found["id"] not in self.texts, f"twice: {found['id']}"
            self.texts[found["id"]] = ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for _, identity in self.open:
            if identity is not None:
                self.texts[identity] += data

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("report", [REPORT, GREEN, EMPTY], ids=["full", "green", "empty"])
def test_it_is_valid(report: Report) -> None:
    JustHTML(html(report), strict=True)
    assert Page(html(report)).open == []


@pytest.mark.parametrize("report", [REPORT, GREEN, EMPTY], ids=["full", "green", "empty"])
def test_every_link_within_the_page_leads_somewhere(report: Report) -> None:
    page = Page(html(report))
    inner = {one["href"] for one in page.of("a") if one["href"].startswith("#")}
    assert {one.removeprefix("#") for one in inner} <= set(page.texts)


def test_it_needs_nothing_else() -> None:
    page = Page(PAGE)
    assert {tag for tag, _ in page.elements} & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
    } == set()
    assert [one["href"] for one in page.of("link")] == ["data:,"]
    assert not any(
        name in ("src", "srcset", "style") or name.startswith("on")
        for _, one in page.elements
        for name in one
    )
    outer = {one["href"] for one in page.of("a") if not one["href"].startswith("#")}
    assert outer and all(one.startswith("https://example.org/") for one in outer), outer
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    assert "url(" not in style and "@import" not in style and "<" not in style
    assert "default-src 'none'" in PAGE


def test_no_text_breaks_out() -> None:
    """Every text of the report is hostile here, one after the other, and all at once."""
    assert "<script" not in PAGE and "javascript:" not in "".join(re.findall(r'href="[^"]*"', PAGE))
    assert printable_text(HOSTILE) in unescape(PAGE)
    assert "{{ 7*7 }}" in PAGE
    assert VISIBLE in PAGE
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ud800-\udfff]", PAGE)
    places = ("check", "requirement", "area", "sentence", "subject", "version", "store", "store_version")
    hostile: dict[str, Any] = dict.fromkeys(places, HOSTILE)
    words: dict[str, Any] = dict.fromkeys(("id", "sentence", "why", "link", "source", "level"), HOSTILE)
    header = replace(
        REPORT.header,
        subjects=(HOSTILE,),
        stores=(HOSTILE,),
        started=HOSTILE,
        machine={"platform": HOSTILE},
        requirements={HOSTILE: replace(rule("X-001"), **words)},
    )
    footer = replace(REPORT.footer, reasons=(HOSTILE,), stores={HOSTILE: HOSTILE})
    made = html(Report(header, tuple(replace(one, **hostile) for one in RECORDS), footer))
    assert {tag for tag, _ in Page(made).elements} <= {tag for tag, _ in Page(PAGE).elements}
    assert {name for _, one in Page(made).elements for name in one} <= {
        name for _, one in Page(PAGE).elements for name in one
    }
    JustHTML(made, strict=True)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ud800-\udfff]", made)


def test_the_matrix_is_worded_and_leads_to_the_failures() -> None:
    matrix = PAGE.partition('id="matrix"')[2].partition("</table>")[0]
    links = re.findall(r'<a class="mark ([\w-]+)" href="#([\w-]+)">([^<]+)</a>', matrix)
    assert [(kind, words) for kind, _, words in links] == [
        ("unsupported", "1 unsupported"),
        ("known", "2 known"),
        ("pass", "1 pass"),
        ("fail", "1 FAIL"),
        ("not-run", "1 NOT-RUN"),
        ("error", "1 ERROR"),
    ]
    targets = {words: target for _, target, words in links}
    assert (targets["1 FAIL"], targets["1 ERROR"]) == ("check-2", "check-3")
    assert PAGE.index('id="matrix"') < PAGE.index('id="failures"') < PAGE.index('id="checks"')
    assert "test_6[streamer-none]" in Page(PAGE).texts[targets["2 known"]]


@pytest.mark.parametrize("number", [2, 3])
def test_a_failure_has_the_terminals_block(number: int) -> None:
    text = " ".join(Page(PAGE).texts[f"check-{number}"].split())
    record = RECORDS[number - 1]
    for title, value in rows(record, rule("WEIGHT-001"), seed=5, long=False):
        assert title in text
        assert " ".join(printable_text(value).split()) in text, title


@pytest.mark.parametrize(
    ("expected", "actual", "left", "right"),
    [
        ("bytes 1f a4 5e", "bytes 1e a4 5e", "bytes [1f] a4 5e", "bytes [1e] a4 5e"),
        ("bytes 1f a4", "bytes 1f a4 5e", "bytes 1f a4", "bytes 1f a4[ 5e]"),
        ("a a a", "a a", "a a[ a]", "a a"),
        ("[1, 2]", "[1,  3]", "[1,[ 2]]", "[1,[  3]]"),
        ("True", "False", "True", "False"),
        ("same", "same", "same", "same"),
        ("", "x", "", "x"),
    ],
)
def test_what_differs_is_marked(expected: str, actual: str, left: str, right: str) -> None:
    for pieces, text in zip(contrast(expected, actual), (left, right), strict=True):
        assert "".join(f"[{piece}]" if differs else piece for piece, differs in pieces) == text


def test_the_page_marks_it() -> None:
    assert re.findall("<mark>(.*?)</mark>", PAGE)[0] == "00"


def test_known_failures_missing_things_and_requirements_are_there() -> None:
    text = unescape(re.sub(r"<[^>]+>", "", PAGE))
    for part in (
        "python -c x printed <False>",
        "start it",
        "uri: unsupported",
        "javascript:alert(1)",
        "What URI-001 says, with code and <b>no bold</b>.",
        "Why URI-002 exists.",
        "example.org",
    ):
        assert part in text
    assert {"requirement-URI-001", "requirement-URI-002", "requirement-WEIGHT-001"} <= set(Page(PAGE).texts)


def test_colours_have_a_dark_side_and_a_printed_one() -> None:
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    light, dark = (re.findall(r"(--[\w-]+): (#\w+)", part) for part in style.split("@media")[:2])
    assert [name for name, _ in light] == [name for name, _ in dark]
    assert "@media print" in style and "max-width" in style


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("side", [0, 1], ids=["light", "dark"])
def test_words_stand_out_from_their_ground(side: int) -> None:
    """WCAG 2.2 asks for a contrast of 4.5."""
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"(--[\w-]+): (#\w+)", style.split("@media")[side]))
    pairs = [(f"--{one}", f"--{one}-paper") for one in ("pass", "fail", "error", "known", "none")]
    pairs += [(f"--{one}", ground) for one in ("ink", "quiet", "link") for ground in ("--paper", "--shade")]
    for word, ground in [*pairs, ("--none", "--paper")]:
        low, high = sorted((luminance(colours[word]), luminance(colours[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (word, ground)
