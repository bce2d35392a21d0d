"""A loader without torch, for any interpreter: it reads the safetensors format with the standard library."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Subject:
    name = "plain"
    capabilities = {"uri": "full", "tensors": "full", "list": "versioned >=2"}

    def versions(self) -> dict[str, str]:
        return {"plain": "1.5", "python": sys.version.partition(" ")[0]}

    def is_object_uri(self, value: Any) -> bool:
        return str(value).lower().startswith(("s3://", "gs://", "az://"))

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for file in files:
            content = Path(file).read_bytes()
            start = 8 + int.from_bytes(content[:8], "little")
            header = json.loads(content[8:start])
            header.pop("__metadata__", None)
            for name, entry in header.items():
                begin, end = entry["data_offsets"]
                yield name, (entry["dtype"], entry["shape"], content[start + begin : start + end])

    def has_torch(self) -> bool:
        return "torch" in sys.modules
