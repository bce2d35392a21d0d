"""The command that builds MinIO's image says what is missing, and packs what the container needs."""

import io
import tarfile
from pathlib import Path

import pytest

from tooling import minio_image
from tooling.__main__ import main


def test_a_missing_docker_is_one_line_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["minio-image"]) == 1
    assert capsys.readouterr().err == (
        "minio-image: the program 'docker' is not on the PATH\n"
        "  remedy: install Docker (https://docs.docker.com/engine/install/)\n"
    )


def test_a_missing_go_is_said_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _program(tmp_path / "docker", '[ "$1" = info ]')  # answers, has no image
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["minio-image"]) == 1
    assert "'go' is not on the PATH\n  remedy: install Go" in capsys.readouterr().err


def test_an_engine_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _program(tmp_path / "docker", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["minio-image"]) == 1
    assert "no Docker engine answers" in capsys.readouterr().err


def test_an_image_that_is_there_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _program(tmp_path / "docker", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))  # no go: building would fail
    assert main(["minio-image"]) == 0
    assert f"{minio_image.TAG} is in the engine already" in capsys.readouterr().out


def test_building_packing_and_importing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    imported = tmp_path / "imported.tar"
    _program(tmp_path / "docker", f'case "$1" in info) ;; import) /bin/cat >{imported};; *) exit 1;; esac')
    _program(tmp_path / "go", 'echo "$1 $2 CGO_ENABLED=$CGO_ENABLED" >"$GOBIN/minio"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["minio-image"]) == 0
    with tarfile.open(imported) as tar:
        names = {entry.name: entry for entry in tar}
        assert set(names) == {"bin", "tmp", "data", "bin/minio"}
        assert names["bin/minio"].mode == 0o755
        binary = tar.extractfile("bin/minio")
        assert binary is not None
        assert binary.read().decode() == f"install {minio_image.MODULE} CGO_ENABLED=0\n"


def test_an_import_that_fails_tells_dockers_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _program(
        tmp_path / "docker",
        'case "$1" in info) ;; import) echo "no space left" >&2; exit 1;; *) exit 1;; esac',
    )
    _program(tmp_path / "go", '/usr/bin/head -c 3000000 /dev/zero >"$GOBIN/minio"')  # more than a pipe holds
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["minio-image"]) == 1
    assert "docker import failed (1): no space left" in capsys.readouterr().err


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["no-such-command"])
    assert caught.value.code == 2


def test_the_tar_has_a_writable_folder_for_every_user(tmp_path: Path) -> None:
    (tmp_path / "minio").write_bytes(b"binary")
    out = io.BytesIO()
    minio_image.pack(tmp_path / "minio", out)
    out.seek(0)
    with tarfile.open(fileobj=out) as tar:
        assert tar.getmember("tmp").mode == 0o1777


def _program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
