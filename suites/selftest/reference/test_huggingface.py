"""The fallback to the Hugging Face Hub, against a stand-in on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from fixtures.checkpoints import sharded
from fixtures.reference import NotFound, Unreachable
from fixtures.reference.config import LoadConfig
from fixtures.reference.loader import RunaiModelStreamerLoader

COMMIT = "c" * 40
CHECKPOINT = sharded(seed=5, shards=2)
FILES = dict(CHECKPOINT.files) | {
    "pytorch_model.bin": b"pickle",
    "run.py": b"x",
    "original/a.safetensors": b"-",
}


class Hub(BaseHTTPRequestHandler):
    """The two answers that a download needs: what a revision holds, and a file."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        path = unquote(self.path.partition("?")[0])
        revision = path.rpartition("/revision/")
        if path.startswith("/api/models/org/model") and revision[2] in ("", "main", "v2", COMMIT):
            siblings = [{"rfilename": name} for name in FILES]
            self._send(json.dumps({"id": "org/model", "sha": COMMIT, "siblings": siblings}).encode())
        elif path.startswith("/api/models/org/model/tree/"):
            found = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in FILES.items()
            ]
            self._send(json.dumps(found).encode())
        elif path.startswith("/org/model/resolve/"):
            name = path.split("/", 5)[5]
            self._send(FILES[name], ETag=f'"{hashlib.sha1(FILES[name]).hexdigest()}"')
        else:
            code = "RevisionNotFound" if "/org/model" in path else "RepoNotFound"
            self._send(b"{}", 404, **{"X-Error-Code": code})

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"X-Repo-Commit": COMMIT, "Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    from huggingface_hub import constants

    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True, raising=False)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield server.seen  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_only_safetensors_of_the_revision_come(hub: list[str], tmp_path: Path) -> None:
    config = LoadConfig(download_dir=str(tmp_path), ignore_patterns=("original/*",), revision="v2")
    tensors = dict(RunaiModelStreamerLoader(config)._get_weights_iterator("org/model"))
    assert sorted(tensors) == sorted(CHECKPOINT.expected)
    brought = sorted(path.name for path in tmp_path.rglob("snapshots/*/*"))
    assert brought == sorted([*CHECKPOINT.weight_files, "model.safetensors.index.json"])
    assert any("v2" in path for path in hub)
    assert not any("pytorch_model.bin" in path or "original" in path for path in hub if "resolve" in path)


def test_what_the_hub_lacks(hub: list[str], tmp_path: Path) -> None:
    loader = RunaiModelStreamerLoader(LoadConfig(download_dir=str(tmp_path)))
    with pytest.raises(NotFound, match="org/none"):
        loader._prepare_weights("org/none")
    with pytest.raises(NotFound, match="no-such-revision"):
        loader._prepare_weights("org/model", revision="no-such-revision")


def test_a_hub_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: list[str]) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    loader = RunaiModelStreamerLoader(LoadConfig(download_dir=str(tmp_path)))
    with pytest.raises(Unreachable, match="org/model"):
        loader._prepare_weights("org/model")
