"""What follows from each capability state."""

from __future__ import annotations

import pytest

from fixtures.subjects.capabilities import Claim, claim, own_version


@pytest.mark.parametrize(
    ("state", "version", "follows"),
    [
        ("full", "1.0", Claim.CLAIMED),
        ("full", "no version at all", Claim.CLAIMED),
        ("unsupported", "1.0", Claim.REFUSED),
        ("not implemented", "1.0", Claim.REFUSED),
        ("unknown", "1.0", Claim.TRIED),
        ("versioned >=0.15,<0.18", "0.15", Claim.CLAIMED),
        ("versioned >=0.15,<0.18", "0.17.2+cu129", Claim.CLAIMED),
        ("versioned >=0.15,<0.18", "0.18.0", Claim.REFUSED),
        ("versioned >=0.15,<0.18", "0.14.9", Claim.REFUSED),
        ("versioned >=0.5", "0.6.0rc1", Claim.CLAIMED),
        ("versioned >=0.5", "0.5.0rc1", Claim.REFUSED),
    ],
)
def test_states(state: str, version: str, follows: Claim) -> None:
    assert claim(state, version) is follows


@pytest.mark.parametrize("state", ["", "Full", "fulll", "versioned", "versioned 0.5 or so", "none"])
def test_a_state_that_does_not_exist_is_the_adapters_mistake(state: str) -> None:
    with pytest.raises(ValueError, match="capability state"):
        claim(state, "1.0")


def test_a_version_that_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="can't be decided"):
        claim("versioned >=1", "nightly")


def test_the_subjects_own_version() -> None:
    assert own_version("vllm", {"torch": "2.9", "vllm": "0.15"}) == "0.15"
    assert own_version("mutant", {"reference": "1.0", "torch": "2.9"}) == "1.0"
    with pytest.raises(ValueError, match="names no version"):
        own_version("mute", {})
