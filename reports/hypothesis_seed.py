"""Makes hypothesis repeat itself: the run's seed, no database, no deadline."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, core, settings
from hypothesis.internal.conjecture import engine, providers
from hypothesis.internal.constants_ast import Constants

PROFILE = "loadproof"
#: seconds, not hypothesis' 300: a step of a history takes a tenth of one, and a red check is waited for
SHRINKING_SECONDS = 40

_before: list[tuple[int | None, str, int, Callable[[], Constants]]] = []


def force(seed: int) -> None:
    """From here on every property draws from this seed; `release` undoes it.

    Nothing else decides what is drawn: not the environment (hypothesis takes its seed from the check's name
    where `CI` is set), nor the modules that this process happens to have loaded, whose literals it would
    mix in.

    No deadline, since a store's first answer is slow and the worker has deadlines of its own. One bug at a
    time, so that a check keeps one verdict. No explanations: they name lines of the suite, while the subject
    is elsewhere, and trace every call. Function-scoped fixtures are wanted: one prefix holds all of a
    check's examples.
    """
    _before.append(
        (
            core.global_force_seed,
            settings.get_current_profile_name(),
            engine.MAX_SHRINKING_SECONDS,
            providers._get_local_constants,
        )
    )
    settings.register_profile(
        PROFILE,
        parent=settings.get_profile("default"),
        derandomize=False,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        phases=[phase for phase in Phase if phase is not Phase.explain],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    settings.load_profile(PROFILE)
    engine.MAX_SHRINKING_SECONDS = SHRINKING_SECONDS
    providers._get_local_constants = Constants
    core.global_force_seed = seed  # type: ignore[assignment]  # declared by its first value, None


def release() -> None:
    """Idempotent per `force`; sessions within sessions unwind in order."""
    if _before:
        seed, profile, engine.MAX_SHRINKING_SECONDS, providers._get_local_constants = _before.pop()
        core.global_force_seed = seed  # type: ignore[assignment]  # declared by its first value, None
        settings.load_profile(profile)
