"""CACHE, fourth part: any order of changes, pulls, kills and refusals, against a model of the bucket."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fixtures.stores import Place, Store
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.bucket_scene import CONTENTS, HEAVY_NAMES, MOMENTS, NAMES, Scene

names = st.sampled_from(NAMES)
contents = st.sampled_from(CONTENTS)
moments = st.sampled_from(MOMENTS)


class Life(RuleBasedStateMachine):
    """Any history of one model; `config.json` always is in the bucket."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene

    @initialize(others=st.sets(names), cold=st.booleans())
    def begin(self, others: set[str], cold: bool) -> None:
        for name in sorted({NAMES[0], *others}):
            self.scene.put(name, CONTENTS[1])
        if not cold:
            self.scene.pull_anew()

    @rule(name=names, content=contents)
    def put(self, name: str, content: bytes) -> None:
        self.scene.put(name, content)

    @precondition(lambda self: len(self.scene.model) > 1)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.scene.delete(data.draw(st.sampled_from(self.removable()), "name"))

    @precondition(lambda self: len(self.scene.model) > 1)
    @rule(data=st.data(), new=names)
    def rename(self, data: st.DataObject, new: str) -> None:
        old = data.draw(st.sampled_from(self.removable()), "old")
        if new != old:
            self.scene.rename(old, new)

    def removable(self) -> list[str]:
        return sorted(self.scene.model.keys() - {NAMES[0]})

    @rule(name=st.sampled_from(HEAVY_NAMES))
    def put_heavy(self, name: str) -> None:
        self.scene.put_heavy(name)

    @rule(name=names, content=contents)
    def put_beside(self, name: str, content: bytes) -> None:
        self.scene.put_beside(name, content)

    @precondition(lambda self: bool(self.scene.seen))
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.scene.lose(data.draw(st.sampled_from(sorted(self.scene.seen)), "name"))

    @precondition(lambda self: bool(self.scene.seen))
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        self.scene.cut(data.draw(st.sampled_from(sorted(self.scene.seen)), "name"))

    @rule()
    def pull(self) -> None:
        self.scene.pull()

    @rule()
    def pull_anew(self) -> None:
        self.scene.pull_anew()

    @rule(name=names)
    def pull_refused(self, name: str) -> None:
        self.scene.pull_refused(name)

    @rule(moment=moments)
    def pull_killed(self, moment: str) -> None:
        self.scene.pull_killed(moment)

    @invariant()
    def look(self) -> None:
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

    shortest(scene())
    bounds = settings(max_examples=examples(8, 100), stateful_step_count=examples(12, 25))
    run_state_machine_as_test(Here, settings=bounds)


def shortest(scene: Scene) -> None:
    """A loader that never looks at the bucket again fails here, before hundreds of longer histories."""
    scene.put("config.json", b"1")
    scene.pull_anew()
    scene.look()
    scene.put("config.json", b"2")
    scene.pull_anew()
    scene.look()
    scene.close()


@requirement("CACHE-025")
def test_a_file_cut_locally(check: Check, subject: Bench, store: Store, place: Place, wire: Wire) -> None:
    scene = Scene(check, subject, store, wire, prefix=place.prefix, root="cut")
    for name in NAMES[:3]:
        scene.put(name, b'{"some": "content"}')
    scene.pull_anew()
    scene.cut(NAMES[1])
    scene.pull_anew()
    scene.look()
    scene.close()


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
