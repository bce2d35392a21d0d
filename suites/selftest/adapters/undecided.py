"""A loader of which nobody knows what it can; it turns out to be nothing."""

from __future__ import annotations

from typing import Any


class Subject:
    name = "undecided"
    capabilities = {"uri": "unknown", "tensors": "unknown"}

    def versions(self) -> dict[str, str]:
        return {"undecided": "0.1"}

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Any:
        raise NotImplementedError("not for files of this kind")
