"""The official safetensors library, which maps files on a local disk."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any


class Subject:
    name = "safetensors_mmap"
    preload = ("torch",)
    capabilities = {"tensors": "versioned >=0.6", "list": "full", "uri": "unsupported"}

    def versions(self) -> dict[str, str]:
        return {"safetensors": version("safetensors"), "torch": version("torch")}

    def list_weights(self, uri: str) -> list[str]:
        found = Path(uri).glob("[!.]*.safetensors")
        return sorted(str(file) for file in found if file.is_file())

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        from safetensors import SafetensorError, safe_open

        for file in files:
            try:
                content = safe_open(file, framework="pt", device=settings.get("device", "cpu"))
            except SafetensorError as error:
                raise ValueError(f"{file}: {error}") from error
            with content:
                for name in content.keys():  # noqa: SIM118  it can't be iterated itself
                    tensor = content.get_tensor(name)
                    # a view into the mapped file lies wherever the file's layout puts it
                    aligned = tensor.data_ptr() % tensor.element_size() == 0
                    yield name, tensor if aligned else tensor.clone()
