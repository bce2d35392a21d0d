"""One model in a bucket, its cache folder and the processes that pull it, and what must be true of them."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from fixtures.stores import Store
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectDied, SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check
from suites.conformance.bench import Bench
from suites.conformance.folders import files_below, tree_of

NAMES = ("config.json", "tokenizer.json", "a/b.json", "a/c/größe 1.jinja")
#: some differ in nothing but their bytes, some in their size
CONTENTS = (b"1", b"2", b"33", b"")
HEAVY_NAMES = ("model.safetensors", "a/pytorch_model.bin", "model.gguf")
HEAVY = b"a weight that stays in the bucket"
#: a pull is killed while it waits for this, or for one of the names
LISTING = "list-type=2"
#: files that a loader may keep for itself: lock, manifest, mark of completeness, those of the tree before
BOOKKEEPING = 8
PATIENCE = 20.0


class Scene:
    """`step` methods change the world or pull; after each of them `look` must find nothing wrong."""

    def __init__(
        self,
        check: Check,
        subject: Bench,
        store: Store,
        wire: Wire,
        *,
        prefix: str,
        root: str,
        exact: bool = True,
    ) -> None:
        """`prefix` in the bucket and `root`, a folder's name, are this scene's own.

        Unless `exact`, what a pull brings isn't asked.
        """
        self._exact = exact
        self._check = check
        self._subject = subject
        self._store = store
        self._wire = wire
        self._place = store.place(f"{prefix}/model")
        self._beside = store.place(f"{prefix}/model-2")
        self._root = subject.cache_root.parent / root
        self._root.mkdir(mode=0o700)
        self._engine: Worker | None = None
        self._outside = self._files_outside()
        #: what a right pull brings
        self.model: dict[str, bytes] = {}
        #: what lies in the folder, from its first appearance on
        self.seen: dict[str, bytes] = {}
        self.folder: Path | None = None
        self._largest = 0

    # The bucket.

    def put(self, name: str, content: bytes) -> None:
        self._place.put(name, content)
        self.model[name] = content
        self._largest = max(self._largest, len(self.model))

    def delete(self, name: str) -> None:
        self._place.delete(name)
        self.model.pop(name, None)

    def rename(self, old: str, new: str) -> None:
        content = self.model[old]
        self.put(new, content)
        self.delete(old)

    def put_heavy(self, name: str) -> None:
        self._place.put(name, HEAVY)

    def put_beside(self, name: str, content: bytes) -> None:
        self._beside.put(name, content)

    # The folder.

    def lose(self, name: str) -> None:
        assert self.folder is not None
        (self.folder / name).unlink()
        del self.seen[name]

    def cut(self, name: str) -> None:
        assert self.folder is not None
        self.seen[name] = self.seen[name][:-1] or b"another size"
        (self.folder / name).write_bytes(self.seen[name])

    def alter(self, name: str) -> None:
        """Other bytes, as many, and the time of change as it was."""
        assert self.folder is not None
        file = self.folder / name
        status = file.stat()
        self.seen[name] = bytes(byte ^ 1 for byte in self.seen[name])
        file.write_bytes(self.seen[name])
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    # The processes.

    def pull(self) -> None:
        """In the process that has pulled before."""
        if self._engine is None:
            self._engine = self._worker()
        self._pulled(self._engine.ask("pull_metadata", uri=self._place.uri))

    def pull_anew(self) -> None:
        """In a process that has never pulled."""
        with self._worker() as worker:
            self._pulled(worker.ask("pull_metadata", uri=self._place.uri))

    def pull_refused(self, name: str) -> None:
        """The store refuses one object: a pull that asks for it fails, and one that needn't ask is right."""
        fault = self._wire.inject(Fault(match=f"{self._place.prefix}/{name}?", status=403))
        try:
            with self._worker() as worker:
                self._pulled(worker.ask("pull_metadata", uri=self._place.uri))
        except SubjectRaised as error:
            what = f"an error of a pull where {name} is refused"
            self._check.true(fault.hits > 0, what=what, expected="a request for it", actual=error.message)
        finally:
            self._wire.heal()

    def pull_killed(self, moment: str) -> None:
        """The process is killed while it waits for an answer; where it never waits, it pulls."""
        match = moment if moment == LISTING else f"{self._place.prefix}/{moment}?"
        fault = self._wire.inject(Fault(match=match, hang=True, times=1))
        with self._worker() as worker:
            worker.send("pull_metadata", uri=self._place.uri)
            waited = 0.0
            while not fault.hits and waited < PATIENCE and not worker.speaks(within=0.01):
                waited += 0.01
            if fault.hits:
                worker.kill()
                with contextlib.suppress(SubjectDied):
                    worker.receive("pull_metadata")
            else:
                self._pulled(worker.receive("pull_metadata"))
        self._wire.heal()

    def _worker(self) -> Worker:
        return self._subject.worker(**{self._subject.cache_variable: str(self._root)})

    def _pulled(self, folder: str) -> None:
        __tracebackhide__ = True
        self.folder = Path(folder)
        self.seen = tree_of(folder)
        if self._exact:
            self._check.equal(expected=self.model, actual=self.seen, what="the tree after a pull")

    def look(self) -> None:
        """Between pulls nothing moves; no weights, nothing outside of the root, no pile of older trees."""
        __tracebackhide__ = True
        if self.folder is not None:
            self._check.equal(expected=self.seen, actual=tree_of(self.folder), what="the tree between pulls")
        files = files_below(self._root)
        heavy = sorted(path.name for path in files if HEAVY in path.read_bytes())
        self._check.equal(expected=[], actual=heavy, what="weights on the disk")
        most = 2 * self._largest + BOOKKEEPING
        self._check.true(
            len(files) <= most,
            what="number of files below the root",
            expected=f"at most {most}",
            actual=len(files),
        )
        strays = sorted(self._files_outside() - self._outside)
        self._check.equal(expected=[], actual=strays, what="files outside of the root")

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
        shutil.rmtree(self._root, ignore_errors=True)

    def _files_outside(self) -> set[str]:
        """In the check's own folder, where the processes have their homes and temporary files too."""
        above = self._root.parent
        return {
            path.relative_to(above).as_posix()
            for entry in above.iterdir()
            if entry != self._root
            for path in entry.rglob("*")
            if path.is_file()
        }
