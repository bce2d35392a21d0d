"""SECURITY, sixth part: code from the bucket, which nobody asked to run."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.checkpoints import single_file
from fixtures.stores import Place, Store
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.folders import tree_of
from suites.conformance.tensors import assert_same_tensors

Examples = Callable[[int, int], int]
#: names that Python, pytest, an installer or a library imports by itself where it finds them
PYTHON = ["sitecustomize", "usercustomize", "__init__", "__main__", "conftest", "setup", "modeling_made_up"]
#: names that stand in for modules which loaders, and what they start, import
PYTHON += ["torch", "json", "boto3", "safetensors", "transformers", "runai_model_streamer", "fixtures"]
CONFIG = {
    "model_type": "made-up",
    "auto_map": {"AutoConfig": "modeling_made_up.Config", "AutoModel": "modeling_made_up.Model"},
}


class Traps:
    """Files which leave a mark in a folder when anybody executes them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def _code(self, name: str) -> str:
        return f"open({str(self.folder / name)!r}, 'w').close()"

    def files(self) -> dict[str, bytes]:
        traps = {f"{name}.py": f"{self._code(name)}\n".encode() for name in PYTHON}
        traps["hostile.pth"] = f"import os; {self._code('pth')}\n".encode()
        traps["1_Pooling/__init__.py"] = f"{self._code('nested')}\n".encode()
        traps["config.json"] = json.dumps(CONFIG).encode()
        return traps

    def heavy(self) -> dict[str, bytes]:
        """Pickles, as they lie beside safetensors; they are weights to a pull."""
        return {
            name: pickle.dumps(_Exec(self._code(name))) for name in ("pytorch_model.bin", "training_args.bin")
        }

    def sprung(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def prove(self) -> None:
        """Executed, they do leave a mark."""
        pickled = self.heavy()["pytorch_model.bin"]
        code = f"{self.files()['torch.py'].decode()}import pickle; pickle.loads({pickled!r})"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert self.sprung() == ["pytorch_model.bin", "torch"], "the traps don't work"
        for mark in self.folder.iterdir():
            mark.unlink()


class _Exec:
    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (self.code,)


@pytest.fixture
def traps(subject: Bench) -> Traps:
    return Traps(subject.cache_root.parent / "sprung")


@requirement("SECURITY-027")
def test_loading_executes_nothing(
    check: Check, subject: Bench, store: Store, place: Place, seed: int, traps: Traps, examples: Examples
) -> None:
    traps.prove()
    checkpoint = single_file(seed)
    place.put_all({**checkpoint.files, **traps.files(), **traps.heavy()})
    beside = Path(place.uri)
    if store.is_object_store:
        beside = Path(subject.ask("pull_metadata", uri=place.uri))
        check.equal(expected=[], actual=traps.sprung(), what="files of the bucket that a pull executed")
    assert (beside / "torch.py").is_file(), "the traps are not where the process works"
    # an environment that names PYTHON… starts a new interpreter there, which takes a second, and no fork
    fresh = {"PYTHONUNBUFFERED": "1"} if examples(0, 1) else {}
    with subject.worker_in(beside, **fresh) as worker:
        # first with all of the loader's own imports, then with the model's folder before the libraries
        for first in (False, True):
            if first:
                worker.ask("import_from_here")
            files = worker.ask("list_weights", uri=place.uri)
            check.equal(expected=[f"{place.uri}/model.safetensors"], actual=files, what="the listed weights")
            answer = worker.ask("tensors", files=files, settings={})
            assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
            if store.is_object_store:
                worker.ask("pull_metadata", uri=place.uri)
    check.equal(expected=[], actual=traps.sprung(), what="files of the bucket that were executed")


@requirement("SECURITY-028")
def test_starting_executes_nothing(
    check: Check, subject: Bench, place: Place, seed: int, traps: Traps
) -> None:
    checkpoint = single_file(seed)
    place.put_all({**checkpoint.files, **traps.files(), **traps.heavy()})
    folder = Path(subject.ask("start", arguments={"model_path": place.uri})["model_path"])
    pulled = tree_of(folder)
    check.equal(expected=True, actual="torch.py" in pulled, what="whether the Python files were pulled")
    with subject.worker_in(folder) as worker:
        for first in (False, True):
            if first:
                worker.ask("import_from_here")
            worker.ask("start", arguments={"model_path": place.uri})
            answer = worker.ask("model_tensors", uri=place.uri, settings={})
            assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
    check.equal(expected=[], actual=traps.sprung(), what="files of the bucket that were executed")
