"""CACHE, fourth part: any order of changes, pulls, kills and refusals, against a model of the bucket."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from fixtures.stores import Place, Store
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.bucket_scene import CONTENTS, HEAVY_NAMES, LISTING, NAMES, Scene

CONFIG, *OTHERS = NAMES
names = st.sampled_from(NAMES)
others = st.sampled_from(OTHERS)
contents = st.sampled_from(CONTENTS)
#: of the object that the pull then stumbles over; without one it may have nothing to read
changes = st.one_of(contents, st.none())


class Life(RuleBasedStateMachine):
    """Any history of one model; `config.json` always is in the bucket. A step that can't be is none."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene

    @initialize(others=st.sets(others), cold=st.booleans())
    def begin(self, others: set[str], cold: bool) -> None:
        for name in sorted({CONFIG, *others}):
            self.scene.put(name, CONTENTS[0])
        if not cold:
            self.scene.pull_anew()
        self.scene.look()

    @rule(name=names, content=contents)
    def put(self, name: str, content: bytes) -> None:
        self.scene.put(name, content)
        self.scene.look()

    @rule(name=others)
    def delete(self, name: str) -> None:
        self.scene.delete(name)
        self.scene.look()

    @rule(old=others, new=names)
    def rename(self, old: str, new: str) -> None:
        if old in self.scene.model and old != new:
            self.scene.rename(old, new)
            self.scene.look()

    @rule(name=st.sampled_from(HEAVY_NAMES))
    def put_heavy(self, name: str) -> None:
        self.scene.put_heavy(name)
        self.scene.look()

    @rule(name=names, content=contents)
    def put_beside(self, name: str, content: bytes) -> None:
        self.scene.put_beside(name, content)
        self.scene.look()

    @rule(name=names)
    def lose(self, name: str) -> None:
        if name in self.scene.seen:
            self.scene.lose(name)
            self.scene.look()

    @rule(name=names)
    def cut(self, name: str) -> None:
        if name in self.scene.seen:
            self.scene.cut(name)
            self.scene.look()

    @rule(name=names)
    def alter(self, name: str) -> None:
        if name in self.scene.seen:
            self.scene.alter(name)
            self.scene.look()

    @rule()
    def pull(self) -> None:
        self.scene.pull()
        self.scene.look()

    @rule()
    def pull_anew(self) -> None:
        self.scene.pull_anew()
        self.scene.look()

    @rule(name=names, content=changes)
    def pull_refused(self, name: str, content: bytes | None) -> None:
        if content is not None:
            self.scene.put(name, content)
        self.scene.pull_refused(name)
        self.scene.look()

    @rule(name=names, content=changes)
    def pull_killed(self, name: str, content: bytes | None) -> None:
        if content is not None:
            self.scene.put(name, content)
        self.scene.pull_killed(name)
        self.scene.look()

    @rule()
    def pull_killed_while_listing(self) -> None:
        self.scene.pull_killed(LISTING)
        self.scene.look()

    def teardown(self) -> None:
        self.scene.close()


@requirement("CACHE-024")
def test_any_history(
    check: Check,
    subject: Bench,
    store: Store,
    place: Place,
    wire: Wire,
    examples: Callable[[int, int], int],
) -> None:
    numbers = itertools.count()

    def scene() -> Scene:
        number = next(numbers)
        return Scene(check, subject, store, wire, prefix=f"{place.prefix}/{number}", root=f"life-{number}")

    class Here(Life):
        def __init__(self) -> None:
            super().__init__(scene())

    known(scene())
    bounds = settings(max_examples=examples(8, 60), stateful_step_count=examples(12, 25))
    run_state_machine_as_test(Here, settings=bounds)


def known(scene: Scene) -> None:
    """Changes, damage, deletion and kills, whatever the seed; the shortest first, before longer histories."""
    config, tokenizer, *_, last = NAMES
    scene.put(config, b"1")
    scene.pull_anew()
    scene.put(config, b"2")
    scene.pull_anew()
    for name in NAMES:
        scene.put(name, b"33")
    scene.pull()
    scene.look()
    scene.alter(tokenizer)
    scene.delete(last)
    scene.pull_anew()
    for number in range(6):  # more begun trees than bookkeeping explains
        scene.put(last, str(number).encode())
        scene.pull_killed(last)
        scene.look()
    scene.pull()
    scene.look()
    scene.close()


def assert_repaired(scene: Scene, damage: Callable[[str], None]) -> None:
    """What `damage` does to one file of the cache is undone by the next pull, in a new process."""
    __tracebackhide__ = True
    for name in NAMES:
        scene.put(name, b'{"some": "content"}')
    scene.pull_anew()
    damage(NAMES[1])
    scene.pull_anew()
    scene.look()
    scene.close()


@requirement("CACHE-025")
def test_a_file_cut_locally(check: Check, subject: Bench, store: Store, place: Place, wire: Wire) -> None:
    scene = Scene(check, subject, store, wire, prefix=place.prefix, root="cut")
    assert_repaired(scene, scene.cut)


@requirement("CACHE-060")
def test_a_file_altered_locally(check: Check, subject: Bench, store: Store, place: Place, wire: Wire) -> None:
    scene = Scene(check, subject, store, wire, prefix=place.prefix, root="altered")
    assert_repaired(scene, scene.alter)


@requirement("CACHE-026")
def test_older_trees_do_not_pile_up(
    check: Check, subject: Bench, store: Store, place: Place, wire: Wire, examples: Callable[[int, int], int]
) -> None:
    scene = Scene(check, subject, store, wire, prefix=place.prefix, root="piles", exact=False)
    for name in NAMES:
        scene.put(name, b"0")
    for number in range(examples(4, 50)):
        scene.put(NAMES[number % len(NAMES)], str(number + 1).encode())
        scene.pull_killed(NAMES[number % len(NAMES)])
        scene.look()
        scene.pull_anew()
        scene.look()
    scene.close()
