"""Samples that stay what they are while what they are drawn from changes."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection


def drawn(pool: Collection[str], size: int, salt: str) -> list[str]:
    """A sample of `size`, or all where there are no more, that one more name changes in one place at most."""
    return heapq.nsmallest(size, pool, key=lambda one: hashlib.sha256(f"{salt} {one}".encode()).digest())
