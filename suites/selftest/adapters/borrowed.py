"""The raw library asked to lend its buffers, which it fills again, instead of giving them away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixtures.subjects import streamer


class Subject(streamer.Subject):
    name = "borrowed"

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        return super().tensors(files, {**settings, "owned": False})
