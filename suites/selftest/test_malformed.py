"""The corpus of malformed files, the odd ones, and the generator: each is what it says it is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, find, given, seed, settings
from hypothesis.errors import NoSuchExample
from safetensors import SafetensorError, safe_open

from fixtures.malformed import CORPUS, GROUPS, BrokenFile
from fixtures.mutations import files
from fixtures.odd_files import DISPUTED, LEGAL, OddFile
from fixtures.official import judge
from fixtures.raw_files import DATA, RawFile, entry, one, raw, several
from fixtures.subjects.protocol import SubjectRaised
from suites.conformance.refusals import is_typed

SAMPLE = 400
QUICKLY = settings(max_examples=SAMPLE, database=None, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("broken", CORPUS, ids=lambda broken: broken.name)
def test_the_official_library_refuses_the_corpus(broken: BrokenFile) -> None:
    assert judge(broken.file.content).refusal


@pytest.mark.parametrize("odd", LEGAL, ids=lambda odd: odd.name)
def test_the_official_library_loads_legal_files(odd: OddFile) -> None:
    judgement = judge(odd.file.content)
    assert (judgement.refusal, judgement.leeway) == (None, None)


@pytest.mark.parametrize("odd", DISPUTED, ids=lambda odd: odd.name)
def test_the_official_library_loads_disputed_files(odd: OddFile) -> None:
    judgement = judge(odd.file.content)
    assert judgement.refusal is None and judgement.leeway


def test_every_file_has_a_name_of_its_own() -> None:
    everything: list[BrokenFile | OddFile] = [*CORPUS, *LEGAL, *DISPUTED]
    names = Counter(file.name for file in everything)
    assert names.most_common(1)[0][1] == 1
    assert all(re.fullmatch("[a-z0-9-]+", name) for name in names)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_reaches_the_object_stores(group: str) -> None:
    assert any(broken.telling for broken in CORPUS if broken.group == group)


@pytest.mark.parametrize("broken", [*CORPUS, *LEGAL, *DISPUTED], ids=lambda file: file.name)
def test_opening_a_file_comes_to_the_same(broken: BrokenFile | OddFile, tmp_path: Path) -> None:
    """`safe_open` is what users meet; the oracle asks `deserialize`, which needs no file and no torch."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(broken.file.content)
    judgement = judge(broken.file.content)
    try:
        with safe_open(path, framework="np") as opened:
            names: set[str] | None = set(opened.keys())
    except (SafetensorError, OSError):
        names = None
    assert names == (None if judgement.refusal else set(judgement.tensors))


def test_what_the_library_hands_out_is_told() -> None:
    found = judge(several(a=entry(shape=[1], offsets=[3, 4]), b=entry("U8", [3], [0, 3])).content)
    assert {name: (t.dtype, t.shape, t.data()) for name, t in found.tensors.items()} == {
        "a": ("U8", (1,), DATA[3:]),
        "b": ("U8", (3,), DATA[:3]),
    }
    packed = judge(one(entry("F4", [2, 4])).content)
    assert packed.tensors["a"].shape == (2, 2) and packed.leeway


def test_a_raw_file_claims_and_ends_as_it_is_told() -> None:
    assert raw("{}", b"").content == b"\x02" + bytes(7) + b"{}"
    assert RawFile(b"{}", b"d", length=7, cut=9).content == b"\x07" + bytes(7) + b"{"
    shown = str(RawFile(b"{" + b" " * 500, DATA, length=7, cut=9))
    assert "7 bytes long" in shown and "cut after 9" in shown and len(shown) < 600


@pytest.mark.parametrize("number", range(3))
def test_the_generator_makes_both_right_and_wrong_files(number: int) -> None:
    kinds: Counter[str] = Counter()
    reasons: set[str] = set()

    @QUICKLY
    @seed(number)
    @given(files())
    def count(file: RawFile) -> None:
        judgement = judge(file.content)
        kinds["refused" if judgement.refusal else "disputed" if judgement.leeway else "loaded"] += 1
        if judgement.refusal:
            reasons.add(re.sub(r"\d+|`[^`]*`|\"[^\"]*\"", "…", judgement.refusal))

    count()
    assert kinds["loaded"] >= SAMPLE * 0.25 and kinds["refused"] >= SAMPLE * 0.35, kinds
    assert kinds["disputed"], kinds
    assert len(reasons) > 20, reasons


@pytest.mark.parametrize(
    "part",
    [
        "overflow",
        "not fully covered",
        "invalid offset",
        "header too large",
        "header too small",
        "invalid header length",
        "UTF-8",
        "recursion limit",
        "number out of range",
        "duplicate field",
        "missing field",
        "byte boundary",
        "invalid shape",
        "hex escape",
    ],
)
def test_the_generator_reaches_every_check_of_the_library(part: str) -> None:
    try:
        generated(part)
    except NoSuchExample:
        pytest.fail(f"nothing generated is refused for {part!r}")


def test_a_generated_file_shrinks_to_something_readable() -> None:
    assert len(generated("invalid offset").content) < 120


def generated(part: str) -> RawFile:
    """A file that the library refuses with these words, shrunk."""

    def fits(file: RawFile) -> bool:
        return part in (judge(file.content).refusal or "")

    return find(files(), fits, settings=settings(QUICKLY, max_examples=8000), random=Random(1))


@pytest.mark.parametrize(
    ("lineage", "typed"),
    [
        (["builtins.ValueError"], True),
        (["json.decoder.JSONDecodeError", "builtins.ValueError"], True),
        (["builtins.UnicodeDecodeError", "builtins.UnicodeError", "builtins.ValueError"], True),
        (["builtins.FileNotFoundError", "builtins.OSError"], True),
        (["safetensors_rust.SafetensorError"], True),
        (["x.Corrupt", "x.LoadError"], True),
        (["struct.error"], False),
        (["concurrent.futures._base.CancelledError", "concurrent.futures._base.Error"], False),
        (["builtins.KeyError", "builtins.LookupError"], False),
        (["builtins.IndexError", "builtins.LookupError"], False),
        (["builtins.AttributeError"], False),
        (["builtins.TypeError"], False),
        (["builtins.AssertionError"], False),
        (["builtins.RecursionError", "builtins.RuntimeError"], False),
        (["builtins.OverflowError", "builtins.ArithmeticError"], False),
        (["builtins.MemoryError"], False),
        (["builtins.RuntimeError"], False),
        (["builtins.Exception"], False),
        (["x.Missing", "builtins.KeyError", "builtins.LookupError"], False),
    ],
)
def test_what_counts_as_typed(lineage: list[str], typed: bool) -> None:
    whole = [*lineage, "builtins.Exception", "builtins.BaseException", "builtins.object"]
    assert is_typed(SubjectRaised("tensors", whole, "", "")) is typed
