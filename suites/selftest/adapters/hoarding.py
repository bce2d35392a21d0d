"""The reference loader, except that nothing is handed out before everything has been read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixtures.subjects import reference


class Subject(reference.Subject):
    name = "hoarding"

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        yield from list(super().tensors(files, settings))
