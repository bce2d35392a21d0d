"""The metadata cache against a real server: equality with the bucket, revalidation, refusal, repair."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from fixtures.faults import Fault
from fixtures.reference import (
    AccessDenied,
    ForeignFolder,
    InvalidConfig,
    LocalWriteFailed,
    LockTimeout,
    NotFound,
    ObjectStorageModel,
    Throttled,
    TooLarge,
    Truncated,
    UnsafeName,
    pull,
)
from fixtures.reference.cache_layout import Layout
from fixtures.reference.lock import exclusive
from fixtures.reference.manifest import digest_of
from fixtures.reference.selection import is_heavy
from fixtures.wire import Wire
from suites.selftest.reference.conftest import BUCKET, Model, tree

METADATA = {
    "config.json": b'{"a": 1}',
    "merges.txt": b"a b",
    "modeling_x.py": b"raise SystemExit",
    "1_Pooling/config.json": b"{}",
    "deep/er/x y+%20#?\xc3\xa9.txt".encode("latin-1").decode("utf-8"): b"odd",
    "model.safetensors.index.json": b"{}",
    "empty.json": b"",
}
WEIGHTS = ["m.safetensors", "a/M.SafeTensors", "x.BIN", "x.gguf", "x.onnx", "x.pth", "x.tensors", "x.PT"]


def trees_of(cache: Path, folder: str) -> set[Path]:
    return set((cache / "model_streamer" / ".state" / Path(folder).name / "trees").iterdir())


download = ObjectStorageModel.download_and_get_path


def test_folder_equals_the_metadata(model: Model, cache: Path) -> None:
    model.put_all(METADATA | dict.fromkeys(WEIGHTS, b"heavy"))
    model.client.put_object(Bucket=BUCKET, Key=f"{model.prefix}-neighbour/other.json", Body=b"{}")
    model.client.put_object(Bucket=BUCKET, Key=f"{model.prefix}/1_Pooling/", Body=b"")
    folder = download(model.uri.replace("s3", "S3") + "/")
    assert folder == ObjectStorageModel.get_path(model.uri)
    assert tree(folder) == METADATA
    assert stat.S_IMODE((cache / "model_streamer").stat().st_mode) == 0o700


def test_only_what_changed_is_fetched(model: Model, wire: Wire) -> None:
    model.put_all(METADATA)
    folder = download(model.uri)
    assert len(wire.gets()) == len(METADATA)
    wire.forget()
    model.put("config.json", b'{"a": 2}')
    model.put("new.json", b"new")
    model.delete("merges.txt")
    assert download(model.uri) == folder
    wanted = {name: data for name, data in METADATA.items() if name != "merges.txt"}
    assert tree(folder) == wanted | {"config.json": b'{"a": 2}', "new.json": b"new"}
    assert sorted(request.key.rpartition("/")[2] for request in wire.gets()) == ["config.json", "new.json"]
    wire.forget()
    download(model.uri)
    assert not wire.gets()


def test_local_damage_is_repaired(model: Model) -> None:
    model.put_all(METADATA)
    folder = Path(download(model.uri))
    (folder / "merges.txt").unlink()
    (folder / "config.json").write_bytes(b'{"a": 9}')
    (folder / "planted.py").write_text("evil")
    (folder / "empty.json").unlink()
    (folder / "empty.json").symlink_to("/etc/hostname")
    assert tree(download(model.uri)) == METADATA


def test_patterns_choose_and_add(model: Model) -> None:
    model.put_all(METADATA | {"m.safetensors": b"heavy"})
    with ObjectStorageModel(model.uri) as pulled:
        folder = pulled.pull_files(allow_pattern=["config.json"])
        assert set(tree(folder)) == {"config.json"}  # the one at the top, as Hugging Face's patterns mean it
        pulled.pull_files(allow_pattern=["*.txt", "*.safetensors"], ignore_pattern="merges*")
        assert set(tree(folder)) == {"config.json", "deep/er/x y+%20#?é.txt"}
    assert tree(download(model.uri)) == METADATA


def test_every_pull_honours_all_wishes(model: Model) -> None:
    """A later pull for the first wish may take this tree for fresh: it must hold what that wish means now."""
    model.put_all(METADATA)
    with ObjectStorageModel(model.uri) as pulled:
        pulled.pull_files(allow_pattern=["*.json"], ignore_pattern="model*")
        model.put("new.json", b"new")
        folder = pulled.pull_files(allow_pattern="merges.txt")
    wanted = {"config.json", "1_Pooling/config.json", "empty.json", "new.json", "merges.txt"}
    assert set(tree(folder)) == wanted


@pytest.mark.parametrize(
    "key", ["../evil.json", "/abs.json", "a/../../b", "a//b", "back\\slash", "n" * 256, "ctrl\x01.json", "."]
)
def test_hostile_keys_write_nothing(
    model: Model, cache: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    from fixtures.reference.backends import ObjectInfo
    from fixtures.reference.backends.s3 import S3Backend

    listed = [ObjectInfo(f"{model.prefix}/{name}", 2, "x") for name in ("config.json", key)]
    monkeypatch.setattr(S3Backend, "list", lambda *_, **__: iter(listed))
    with pytest.raises(UnsafeName) as caught:
        download(model.uri)
    assert caught.value.uri == model.uri
    assert not [name for _, _, names in os.walk(cache.parent) for name in names]


def test_file_and_folder_at_once(model: Model, cache: Path) -> None:
    model.put_all({"a": b"1", "a/b": b"2", "config.json": b"{}"})
    with pytest.raises(UnsafeName, match="file and a folder"):
        download(model.uri)
    assert not Path(ObjectStorageModel.get_path(model.uri)).exists()


def test_sizes_and_counts_are_bounded(model: Model, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    model.put_all(METADATA)
    monkeypatch.setattr(pull, "MAX_TREE_FILES", 3)
    with pytest.raises(TooLarge, match="3 files"):
        download(model.uri)
    monkeypatch.setattr(pull, "MAX_TREE_FILES", 100)
    monkeypatch.setattr(pull, "MAX_TREE_BYTES", 4)
    with pytest.raises(TooLarge, match="4 bytes"):
        download(model.uri)
    assert not wire.gets()


def test_a_root_below_a_file_is_a_typed_error(model: Model, cache: Path) -> None:
    model.put_all(METADATA)
    cache.write_bytes(b"a file")
    with pytest.raises(LocalWriteFailed, match=str(cache)):
        download(model.uri)
    assert cache.read_bytes() == b"a file"


def test_a_foreign_folder_is_left_alone(model: Model, cache: Path) -> None:
    model.put_all(METADATA)
    place = Path(ObjectStorageModel.get_path(model.uri))
    place.mkdir(parents=True)
    (place / "mine.txt").write_text("keep")
    with pytest.raises(ForeignFolder):
        download(model.uri)
    assert tree(cache) == {str((place / "mine.txt").relative_to(cache)): b"keep"}


@pytest.mark.parametrize("planted", ["model", "root", "state"])
def test_planted_links_are_not_followed(model: Model, cache: Path, tmp_path: Path, planted: str) -> None:
    model.put_all(METADATA)
    outside = tmp_path / "outside"
    outside.mkdir()
    root = cache / "model_streamer"
    place = {"model": Path(ObjectStorageModel.get_path(model.uri)), "root": root, "state": root / ".state"}
    place[planted].parent.mkdir(parents=True, exist_ok=True)
    place[planted].symlink_to(outside)
    with pytest.raises(ForeignFolder):
        download(model.uri)
    assert not list(outside.iterdir())


def test_failed_pull_keeps_the_old_tree(model: Model, wire: Wire, cache: Path) -> None:
    model.put_all(METADATA)
    folder = download(model.uri)
    before = trees_of(cache, folder)
    model.put("config.json", b"{}")
    wire.inject(Fault(match="config.json", method="GET", truncate=1))
    with pytest.raises(Truncated, match="config.json"):
        download(model.uri)
    assert tree(folder) == METADATA
    assert trees_of(cache, folder) == before
    wire.heal()
    assert tree(download(model.uri))["config.json"] == b"{}"


def test_errors_are_typed_and_leave_nothing(model: Model, wire: Wire, cache: Path) -> None:
    with pytest.raises(NotFound, match=model.uri):
        download(model.uri)
    with pytest.raises(NotFound, match="no-such-bucket"):
        download("s3://no-such-bucket/m")
    model.put_all(METADATA)
    wire.inject(Fault(match="config.json", method="GET", status=403))
    with pytest.raises(AccessDenied, match="config.json"):
        download(model.uri)
    assert tree(cache) == {}
    assert not list((cache / "model_streamer" / ".state").iterdir())


def test_throttling_ends_in_bounded_time(model: Model, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    from fixtures.reference.backends import s3

    monkeypatch.setattr(s3, "ATTEMPTS", 2)
    model.put_all({"config.json": b"{}"})
    wire.inject(Fault(match="config.json", method="GET", status=503))
    with pytest.raises(Throttled, match="config.json"):
        download(model.uri)
    wire.heal()
    wire.inject(Fault(match="config.json", method="GET", status=503, times=1))
    assert tree(download(model.uri)) == {"config.json": b"{}"}


def test_the_wait_for_the_lock_is_bounded(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    model.put_all(METADATA)
    layout = Layout.of(model.uri)
    monkeypatch.setenv("MODEL_STREAMER_LOCK_TIMEOUT", "0.1")
    with (
        exclusive(layout.lock, uri=model.uri, prepare=layout.make_folders),
        pytest.raises(LockTimeout, match=r"0\.1 s"),
    ):
        download(model.uri)
    assert tree(download(model.uri)) == METADATA


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "5m"])
def test_a_wait_that_is_no_wait_is_refused(
    model: Model, cache: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    model.put_all(METADATA)
    monkeypatch.setenv("MODEL_STREAMER_LOCK_TIMEOUT", text)
    with pytest.raises(InvalidConfig, match="MODEL_STREAMER_LOCK_TIMEOUT"):
        download(model.uri)
    assert not cache.exists()


@pytest.mark.parametrize(
    "name",
    ["model.onnx_data_1", "m.pt2", "m.safetensors.part", "m.gguf.part1of2", "m.BIN.1", "m.mar", "m.tar.lz4"]
    + ["m.safetensors.part2.1", "m.onnx.data"],
)
def test_parts_of_heavy_files_are_heavy(name: str) -> None:
    assert is_heavy(name)


@pytest.mark.parametrize(
    "name",
    ["config.json.1", "bin", "vocab.part.txt", "notes_1", ".part_1" * 500 + "-", "sentencepiece.model"],
)
def test_light_files_stay_light(name: str) -> None:
    assert not is_heavy(name)


def test_marks_that_others_could_write_are_not_trusted(model: Model, cache: Path) -> None:
    model.put_all(METADATA)
    folder = Path(download(model.uri))
    poison = folder / "config.json"
    poison.write_bytes(b'{"a": 2}')
    marks = folder.resolve().parent / "manifest.json"
    content = json.loads(marks.read_text())
    content["entries"]["config.json"]["digest"] = digest_of(poison)
    marks.write_text(json.dumps(content))
    assert Path(download(model.uri), "config.json").read_bytes() == b'{"a": 2}', "the forgery is no good"
    (cache / "model_streamer").chmod(0o777)
    assert tree(download(model.uri)) == METADATA
    assert stat.S_IMODE((cache / "model_streamer").stat().st_mode) == 0o700
