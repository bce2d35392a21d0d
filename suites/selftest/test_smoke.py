"""The smoke test says what is missing and what is broken, and ends in time whatever hangs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tooling import probes_of_machine, probes_of_suite, smoke
from tooling.__main__ import main
from tooling.finding import INSTALL, Finding, State, absent, ok
from tooling.probes import PROBES, Probe, found

ROOT = Path(__file__).parents[2]
SECRETS = {"AWS_ACCESS_KEY_ID": "a-key-of-mine", "AWS_SECRET_ACCESS_KEY": "a-secret-of-mine-123"}


@pytest.fixture
def hanging_engine(tmp_path: Path) -> Iterator[str]:
    """The address of an engine that takes connections and never answers."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(16)
        yield f"unix://{path}"


def test_the_whole_ends_in_time_though_docker_hangs(hanging_engine: str) -> None:
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tooling", "smoke"],
        cwd=ROOT,
        env={**os.environ, **SECRETS, "DOCKER_HOST": hanging_engine},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert time.monotonic() - start < smoke.LIMIT + 5
    assert done.returncode == int("  BROKEN  " in done.stdout)
    named = [line[10:28].strip() for line in done.stdout.splitlines() if line[2:8].strip() in set(State)]
    assert sorted(named) == sorted(PROBES)
    assert "  absent  docker             no engine answers: " in done.stdout
    assert "remedy: start Docker; `docker info` must answer" in done.stdout
    assert "  ok      s3 credentials     by AWS_ACCESS_KEY_ID\n" in done.stdout
    assert not [secret for secret in SECRETS.values() if secret in done.stdout + done.stderr]
    assert done.stdout.splitlines()[-1].startswith(("smoke: ready: ", "smoke: broken: "))


def test_the_reference_loader_loads_from_disk_and_moto() -> None:
    finding = found("reference")
    assert finding == ok("loads 5 tensors from disk and from moto, all as the oracle says")
    assert [found(name).state for name in ("disk", "moto")] == [State.OK] * 2


def test_a_loader_that_is_wrong_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from fixtures import checkpoints

    right = checkpoints.single_file
    other = replace(right(1), files=right(2).files)
    monkeypatch.setattr(checkpoints, "single_file", lambda seed: other)
    finding = found("reference")
    assert (finding.state, finding.detail) == (State.BROKEN, "wrong tensors from disk")


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        ("sleep 600 & sleep 600", "no answer within 0.5 s"),
        ("kill -9 $$", "the probe was killed by signal 9 and said nothing"),
        ("exit 3", "the probe ended with 3 and said nothing"),
        ("echo hello", "the probe ended with 0 and said nothing"),
        ('echo "[]"', "the probe ended with 0 and said nothing"),
    ],
)
@pytest.mark.parametrize("needed", [True, False])
def test_a_probe_that_hangs_or_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, detail: str, needed: bool
) -> None:
    program(tmp_path / "python", script.replace("&", f"& echo $! >{tmp_path}/child;"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    probe = Probe(lambda: ok("unused"), 0.5 if "sleep" in script else 30, needed, "see NAME")
    finding = smoke.ask("it", probe, tmp_path)
    assert finding == Finding(State.BROKEN if needed else State.ABSENT, detail, "see 'it'")
    if "sleep" in script:
        child = (tmp_path / "child").read_text().strip()
        give_up = time.monotonic() + SECONDS_TO_DIE
        while is_alive(child) and time.monotonic() < give_up:
            time.sleep(0.01)
        assert not is_alive(child)


def test_what_cant_even_be_killed_does_not_hold_the_end_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(name: str, probe: Probe, folder: Path) -> Finding:
        if name == "moto":
            time.sleep(600)
        return ok("there")

    monkeypatch.setattr(smoke, "ask", ask)
    monkeypatch.setattr(smoke, "LIMIT", 0.5)
    start = time.monotonic()
    assert main(["smoke"]) == 1
    assert time.monotonic() - start < 10
    output = capsys.readouterr().out
    assert "  BROKEN  moto               no answer within 0.5 s\n" in output
    assert output.splitlines()[-1].startswith("smoke: broken: moto, in ")


def test_absent_things_leave_the_suite_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = absent("password=x AWS_SECRET_ACCESS_KEY=hush\x1b[31m", "get one")
    monkeypatch.setattr(smoke, "ask", lambda name, *_: gone if name == "gpu" else ok("there"))
    assert main(["smoke"]) == 0
    output = capsys.readouterr().out
    assert "hush" not in output and "\x1b" not in output
    assert f"smoke: ready: {len(PROBES) - 1} of {len(PROBES)} ok, absent: gpu, in " in output


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (None, "no nvidia-smi on the PATH"),
        ("exec /bin/sleep 600", "nvidia-smi says nothing within 0.3 s"),
        ("echo 'no devices'; exit 6", "nvidia-smi ended with 6: no devices"),
    ],
)
def test_a_gpu_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, detail: str
) -> None:
    if script is not None:
        program(tmp_path / "nvidia-smi", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(probes_of_machine, "GPU_SECONDS", 0.3)
    finding = found("gpu")
    assert (finding.state, finding.detail) == (State.ABSENT, detail)
    assert finding.remedy


@pytest.mark.parametrize("name", ["docker", "minio image"])
def test_a_docker_socket_that_hangs_or_is_not_there(
    monkeypatch: pytest.MonkeyPatch, hanging_engine: str, name: str
) -> None:
    monkeypatch.setattr(probes_of_suite, "ENGINE_SECONDS", 0.3)
    for address in (hanging_engine, "unix:///nonexistent/docker.sock"):
        monkeypatch.setenv("DOCKER_HOST", address)
        finding = found(name)
        assert finding.state is State.ABSENT
        assert finding.detail.startswith("no ")
        assert finding.remedy == "start Docker; `docker info` must answer"


@pytest.mark.parametrize("store", ["s3", "gcs", "azure"])
def test_credentials_are_absent_or_named_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: str
) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "AZURE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert found(f"{store} credentials").state is State.ABSENT
    variable = {
        "s3": "AWS_ACCESS_KEY_ID",
        "gcs": "GOOGLE_APPLICATION_CREDENTIALS",
        "azure": "AZURE_STORAGE_KEY",
    }
    (tmp_path / "value-of-mine").write_text("")
    monkeypatch.setenv(variable[store], str(tmp_path / "value-of-mine"))
    assert found(f"{store} credentials") == ok(f"by {variable[store]}")
    monkeypatch.delenv(variable[store])
    file = {
        "s3": ".aws/credentials",
        "gcs": ".config/gcloud/application_default_credentials.json",
        "azure": ".azure/azureProfile.json",
    }
    (tmp_path / file[store]).parent.mkdir(parents=True)
    (tmp_path / file[store]).write_text("hush")
    assert found(f"{store} credentials") == ok("by a file in its usual place")


def test_credentials_that_name_a_missing_file_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
    finding = found("gcs credentials")
    assert finding.state is State.ABSENT
    assert finding.detail == "GOOGLE_APPLICATION_CREDENTIALS names a file that isn't there"


@pytest.mark.parametrize(("name", "limit"), [("free disk", "DISK_MIB"), ("free memory", "MEMORY_MIB")])
def test_too_little_room_is_broken(monkeypatch: pytest.MonkeyPatch, name: str, limit: str) -> None:
    assert found(name).state is State.OK
    monkeypatch.setattr(probes_of_machine, limit, 2**40)
    assert found(name).state is State.BROKEN


def test_a_missing_package_and_an_unforeseen_error_are_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Finding:
        import no_such_package_at_all  # type: ignore[import-not-found]  # noqa: F401

        return ok("there")

    def strange() -> Finding:
        raise RuntimeError("first\nlast")

    monkeypatch.setitem(PROBES, "it", Probe(missing, 1, True, "r"))
    assert found("it") == Finding(State.BROKEN, "No module named 'no_such_package_at_all'", INSTALL)
    monkeypatch.setitem(PROBES, "it", Probe(strange, 1, False, "r"))
    assert found("it") == Finding(State.ABSENT, "RuntimeError: last", "r")


SECONDS_TO_DIE = 5.0
"""For a process that was killed: the kernel takes a moment on a busy machine."""


def is_alive(pid: str) -> bool:
    """False for a zombie, too: whoever adopted it may take its time."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
