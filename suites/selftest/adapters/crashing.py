"""A loader that crashes natively: it reads at address 0, or is aborted."""

from __future__ import annotations

import ctypes
import os
from typing import Any


class Subject:
    name = "crashing"
    capabilities = {"uri": "full", "tensors": "full"}

    def versions(self) -> dict[str, str]:
        return {"crashing": "1.0"}

    def is_object_uri(self, value: Any) -> bool:
        return str(value).lower().startswith(("s3://", "gs://", "az://"))

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Any:
        print("about to read at address 0")
        return ctypes.string_at(0)

    def abort(self) -> None:
        os.abort()
