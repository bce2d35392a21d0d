"""The reference loader, except that it asks once for each header and waits a second for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixtures.subjects import reference


class Subject(reference.Subject):
    name = "impatient"

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        from fixtures.reference.backends import s3

        s3.ATTEMPTS = s3.READ_SECONDS = 1
        return super().tensors(files, settings)
