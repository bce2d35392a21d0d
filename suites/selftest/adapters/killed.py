"""A loader that is killed from outside while it loads, as the kernel does when memory runs out."""

from __future__ import annotations

import os
import signal
import time
from typing import Any


class Subject:
    name = "killed"
    capabilities = {"uri": "full", "tensors": "full"}

    def versions(self) -> dict[str, str]:
        return {"killed": "1.0"}

    def is_object_uri(self, value: Any) -> bool:
        return str(value).lower().startswith(("s3://", "gs://", "az://"))

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(600)
