"""A loader that lists, and hangs when it loads: the whole interpreter, signals included."""

from __future__ import annotations

import signal
import time
from typing import Any


class Subject:
    name = "hanging"
    capabilities = {"uri": "full", "tensors": "full"}

    def versions(self) -> dict[str, str]:
        return {"hanging": "1.0"}

    def is_object_uri(self, value: Any) -> bool:
        return str(value).lower().startswith(("s3://", "gs://", "az://"))

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Any:
        for deaf in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(deaf, signal.SIG_IGN)
        print("about to hang")
        time.sleep(600)
