"""What the suite consists of: Python, the libraries, the stores, Docker and the reference loader.

Imports stand inside the functions: a package that is missing is a finding about one thing, not the end.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib import metadata

from tooling.finding import Finding, absent, broken, ok

ENGINE_SECONDS = 4.0


def python() -> Finding:
    return ok(f"{platform.python_version()}, {sys.executable}")


def torch() -> Finding:
    import torch as module

    cuda = module.version.cuda
    return ok(f"{module.__version__}, {f'built for CUDA {cuda}' if cuda else 'built for CPUs'}")


def streamer() -> Finding:
    importlib.import_module("runai_model_streamer").SafetensorsStreamer  # noqa: B018  it is imported lazily
    return ok(f"runai-model-streamer {metadata.version('runai-model-streamer')}")


def disk_store() -> Finding:
    return _store("disk")


def moto_store() -> Finding:
    return _store("moto")


def _store(name: str) -> Finding:
    """Start it, write an object and find it again, as the checks' set-up does."""
    from fixtures.stores import STORES, Unavailable

    store = STORES[name]()
    try:
        store.start()
        with stopping(store.stop):
            place = store.place("smoke")
            place.put("object", b"content")
            if place.keys() != ["object"]:
                return broken(f"{store.version()} loses what is written", "see its log and its free space")
            return ok(store.version())
    except Unavailable as reason:
        return broken(reason.reason, reason.remedy)


def reference() -> Finding:
    """Load one tiny checkpoint from disk and from moto, through the fork server as the checks do."""
    from fixtures import checkpoints
    from fixtures.stores import STORES
    from fixtures.subjects.client import SubjectServer, spec_of

    checkpoint = checkpoints.single_file(1)
    right = {name: tensor.sha256 for name, tensor in checkpoint.expected.items()}
    server = SubjectServer(spec_of("reference"))
    with stopping(server.stop):
        for name in ("disk", "moto"):
            store = STORES[name]()
            store.start()
            with stopping(store.stop):
                place = store.place("smoke")
                place.put_all(checkpoint.files)
                files = [f"{place.uri}/{file}" for file in checkpoint.weight_files]
                with server.worker(store.environment()) as worker:
                    answer = worker.ask("tensors", files=files, settings={})
            if {one["name"]: one["sha256"] for one in answer["tensors"]} != right:
                return broken(f"wrong tensors from {name}", "run suites/conformance/test_weights.py")
    return ok(f"loads {len(right)} tensors from disk and from moto, all as the oracle says")


def stopping(stop: Callable[[], None]) -> ExitStack:
    """Stops a store or a server at the end of a `with`."""
    stack = ExitStack()
    stack.callback(stop)
    return stack


def docker_engine() -> Finding:
    import docker
    from docker.errors import DockerException

    try:
        with closing(docker.from_env(timeout=ENGINE_SECONDS)) as engine:
            return ok(f"Docker {engine.version()['Version']}")
    except (DockerException, OSError) as error:
        return absent(f"no engine answers: {error}", "start Docker; `docker info` must answer")


def minio_image() -> Finding:
    import docker
    from docker.errors import DockerException, ImageNotFound

    from fixtures.stores.minio import IMAGE_VARIABLE
    from tooling import minio_image as images

    wanted = os.environ.get(IMAGE_VARIABLE, "")
    try:
        with closing(docker.from_env(timeout=ENGINE_SECONDS)) as engine:
            for image in [wanted] if wanted else [images.RELEASE, images.TAG]:
                try:
                    engine.images.get(image)
                except ImageNotFound:
                    continue
                return ok(image)
    except (DockerException, OSError):
        return absent("no Docker engine to ask", "start Docker; `docker info` must answer")
    pull = f"docker pull {wanted or images.RELEASE}"
    return absent(
        f"{wanted or images.RELEASE} isn't in the engine", f"{pull}, or python -m tooling minio-image"
    )
