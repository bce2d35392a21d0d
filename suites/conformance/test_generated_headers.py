"""HEADER, second part: generated files, right and wrong ones, against the official library.

The main job takes a sample; the sizes, types and texts of errors at large belong to the long tier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given, settings

from fixtures.checkpoints import DTYPES
from fixtures.malformed import CORPUS
from fixtures.mutations import files
from fixtures.official import judge
from fixtures.raw_files import RawFile, entry, one, raw
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.refusals import is_typed
from suites.conformance.trials import (
    Trials,
    assert_loaded_alike,
    described,
    in_words,
    is_refusal,
)

Property = Callable[[RawFile], None]
KEY = "generated.safetensors"
#: what loaders are known to get wrong is always among the examples, so that no seed decides a verdict
KNOWN = {broken.name: broken.file for broken in CORPUS}
GOOD = one(entry())
#: two elements of torch's type, whose bytes all differ
OF_EACH_TYPE = [
    one(entry(name, (2 * type_.packed,), (0, 2 * type_.itemsize)), bytes(range(2 * type_.itemsize)))
    for name, type_ in DTYPES.items()
]
#: seconds; a loader that looks at each size once needs less than one, the whole product takes minutes
PRODUCT_DEADLINE = 15.0


def each_example(examples: Iterable[RawFile]) -> Callable[[Property], Property]:
    """The same as one decorator `@example` for each of them."""

    def marked(test: Property) -> Property:
        for file in examples:
            test = example(file)(test)
        return test

    return marked


@pytest.fixture
def trials(subject: Bench, place: Place) -> Trials:
    return Trials(subject, place, {})


@pytest.fixture
def count(store: Store, examples: Callable[[int, int], int]) -> Callable[[int, int], int]:
    """`count(main, long)`: of the examples a tenth on object stores, where a load takes ten times as long."""
    share = 10 if store.is_object_store else 1
    return lambda main, long: max(2, examples(main, long) // share)


@pytest.mark.quick
@requirement("HEADER-011")
def test_what_the_official_library_refuses(
    check: Check, trials: Trials, count: Callable[[int, int], int]
) -> None:
    @settings(max_examples=count(60, 9000))
    @given(files())
    @example(KNOWN["length-32-bits"])
    @example(KNOWN["json-nan-field"])
    @example(KNOWN["entry-dtype-twice"])
    @example(KNOWN["entry-offsets-three"])
    @example(KNOWN["shape-too-small"])
    @example(KNOWN["layout-hole-between"])
    @example(KNOWN["layout-one-byte-more"])
    @example(KNOWN["metadata-number-inside"])
    def is_refused(file: RawFile) -> None:
        if judge(file.content).refusal:
            outcome = trials.load(KEY, file.content)
            check.true(
                is_refusal(outcome), what=described(file), expected="an error", actual=in_words(outcome)
            )

    is_refused()


@requirement("HEADER-009")
def test_what_the_official_library_loads(
    check: Check, trials: Trials, count: Callable[[int, int], int]
) -> None:
    @settings(max_examples=count(60, 4000))
    @given(files())
    @example(GOOD)
    @each_example(OF_EACH_TYPE)
    def loads_alike(file: RawFile) -> None:
        official = judge(file.content)
        if official.refusal is None:
            outcome = trials.load(KEY, file.content)
            if not (official.leeway and is_refusal(outcome)):
                assert_loaded_alike(check, trials, file, outcome)

    loads_alike()


@requirement("HEADER-007")
@pytest.mark.long
def test_type_of_any_error(check: Check, trials: Trials, count: Callable[[int, int], int]) -> None:
    @settings(max_examples=count(0, 1000))
    @given(files())
    @example(KNOWN["entry-no-shape"])
    def is_typed_where_refused(file: RawFile) -> None:
        outcome = trials.load(KEY, file.content)
        if isinstance(outcome, SubjectRaised):
            what = f"the error's class for {described(file)}"
            check.true(
                is_typed(outcome), what=what, expected="one that blames the file", actual=in_words(outcome)
            )

    is_typed_where_refused()


@requirement("HEADER-008")
@pytest.mark.long
def test_text_of_any_error(check: Check, trials: Trials, count: Callable[[int, int], int]) -> None:
    @settings(max_examples=count(0, 1000))
    @given(files())
    @example(KNOWN["entry-no-shape"])
    def names_the_file(file: RawFile) -> None:
        outcome = trials.load(KEY, file.content)
        if isinstance(outcome, SubjectRaised):
            what = f"the error's text for {described(file)}"
            check.true(
                KEY in outcome.message, what=what, expected=f"a text with {KEY}", actual=in_words(outcome)
            )

    names_the_file()


#: larger than any generated file, and hard on a parser's stack or memory
HARD = {
    "a list 200,000 deep": one("[" * 200_000 + "]" * 200_000, b""),
    "an object 200,000 deep": raw('{"a":' * 200_000 + "1" + "}" * 200_000, b""),
    "a million open lists": raw('{"a":' + "[" * 1_000_000, b""),
    "a million blanks before it": raw(" " * 1_000_000 + '{"a":'),
    "a name of a million characters": one(entry(shape=[3]), name="n" * 1_000_000),
    "100,000 dimensions that don't fit": one(entry(shape=[1] * 100_000)),
    "10,000 dimensions of 2^62": one(entry(shape=[1 << 62] * 10_000)),
    "an integer of a million digits": one(entry(shape=[0]).replace("[0]", f"[{'9' * 1_000_000}]")),
    "10,000 tensors at one place": raw(
        "{" + ",".join(f'"{number}":{entry()}' for number in range(10_000)) + "}"
    ),
}


@requirement("HEADER-012")
def test_files_that_are_hard_to_parse(
    check: Check, trials: Trials, store: Store, examples: Callable[[int, int], int]
) -> None:
    everything = not store.is_object_store or examples(0, 1)
    for name, file in HARD.items() if everything else list(HARD.items())[:1]:
        outcome = trials.load(KEY, file.content)
        what = f"a file with {name}"
        check.true(is_refusal(outcome), what=what, expected="an error", actual=in_words(outcome))
        assert_loaded_alike(check, trials, GOOD, trials.load("good.safetensors", GOOD.content))


@requirement("HEADER-012")
def test_the_load_after_any_file(check: Check, trials: Trials, count: Callable[[int, int], int]) -> None:
    @settings(max_examples=count(20, 1000))
    @given(files())
    def stays_alive(file: RawFile) -> None:
        before = trials.worker
        outcome = trials.load(KEY, file.content)
        alive = trials.worker is before
        check.true(alive, what=described(file), expected="tensors or an error", actual=in_words(outcome))
        assert_loaded_alike(check, trials, GOOD, trials.load("good.safetensors", GOOD.content))

    stays_alive()


@requirement("HEADER-014")
def test_a_product_of_many_sizes(check: Check, trials: Trials) -> None:
    file = one(entry(shape=[1 << 62] * 300_000))
    outcome = trials.load(KEY, file.content, deadline=PRODUCT_DEADLINE)
    what = f"a file of {len(file.content)} bytes whose shape has 300,000 sizes of 2^62"
    check.true(is_refusal(outcome), what=what, expected="an error in good time", actual=in_words(outcome))
