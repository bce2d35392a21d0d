"""A loader that answers whatever it is asked with the nonsense that its own file's name says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

HABIT = Path(__file__).stem
NONSENSE: dict[str, Any] = {
    "nothing_at_all": None,
    "a_number": 7,
    "a_text": "s3://bucket/no/such/place",
    "no_texts": [None, {"a": [{}]}],
    "a_mapping": {"tensors": 3},
    "very_much": ["x" * 1000] * 10_000,
}


class Subject:
    name = HABIT
    capabilities = dict.fromkeys(("uri", "address", "list", "cache", "metadata", "tensors"), "full")

    def versions(self) -> dict[str, str]:
        return {HABIT: "1.0"}

    def is_object_uri(self, value: Any) -> Any:
        return NONSENSE[HABIT]

    def parse_uri(self, uri: str) -> Any:
        return NONSENSE[HABIT]

    def normalise(self, uri: str) -> Any:
        return NONSENSE[HABIT]

    def list_weights(self, uri: str) -> Any:
        return NONSENSE[HABIT]

    def cache_path(self, uri: str) -> Any:
        return NONSENSE[HABIT]

    def pull_metadata(self, uri: str) -> Any:
        return NONSENSE[HABIT]

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Any:
        return NONSENSE[HABIT]
