"""META: what a metadata pull brings, and what it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings

from fixtures.checkpoints import sharded
from fixtures.stores import Place, Store
from fixtures.strategies import metadata_trees
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.folders import everything_below, tree_of

TREE = {
    "config.json": b'{"model_type": "made-up"}',
    "tokenizer.json": b"{}" * 20,
    "merges.txt": b"a b\n",
    "vocab.txt": b"",
    "tokenizer.model": b"\x00\xff" * 100,
    "chat_template.jinja": "{{ größe }}".encode(),
    "modeling_made_up.py": b"x = 1\n",
    "1_Pooling/config.json": b'{"pooling": true}',
    "a/b/c/d.json": b"{}",
    "license of the model.md": b"free",
}
#: real models have them, too, and loaders keep books under such names
DOTTED = {".gitattributes": b"*.json -text\n", ".config/a.json": b"[1]", "a/.hidden": b"."}
HEAVY = ["model.safetensors", "pytorch_model.bin", "a.pt", "a.pth", "a.tensors", "a.gguf", "a.onnx"]
HEAVY += ["B.SAFETENSORS", "B.BIN", "B.Pt", "nested/C.GGUF", "nested/c.safetensors"]
#: what tools call the pieces of a weight file that a store or a hub didn't take whole
PIECES = ["a.gguf.part1of2", "a.gguf.part2of2", "b.safetensors.part", "c.bin.1", "c.bin.002", "D.ONNX_DATA_1"]
#: ends of names that a new repository at Hugging Face keeps as large files (its .gitattributes), or that
#: tools write beside them: ONNX, TensorRT, PyTorch's archives and checkpoints, diffusers
ARCHIVES = (
    ("7z", "arrow", "bz2", "joblib", "lz4", "mlmodel", "parquet", "pickle", "rar", "tar", "tar.gz")
    + ("tgz", "xz", "zip", "zst", "hdf5", "onnx.data", "plan", "pt2", "mar", "distcp", "dduf")
)  # fmt: skip


@pytest.mark.quick
@requirement("META-001")
def test_the_whole_tree(check: Check, subject: Bench, place: Place) -> None:
    tree = TREE | DOTTED
    place.put_all(tree)
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri), held=tree)
    check.equal(expected=tree, actual=pulled, what="the pulled tree")


@requirement("META-002")
def test_no_heavy_files(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE | dict.fromkeys(HEAVY, b"heavy"))
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    check.equal(expected=[], actual=sorted(set(HEAVY) & pulled.keys()), what="heavy files in the cache")
    check.equal(expected=sorted(TREE), actual=sorted(pulled.keys() - set(HEAVY)), what="the other files")


@requirement("META-036")
def test_no_pieces_of_weights(check: Check, subject: Bench, place: Place) -> None:
    pieces = dict.fromkeys(PIECES, b"heavy")
    tree = TREE | {"vocab.txt.1": b"a", "config.json.part": b"{}"}
    place.put_all(tree | pieces)
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    check.equal(expected=[], actual=sorted(pieces.keys() & pulled.keys()), what="pieces in the cache")
    check.equal(expected=sorted(tree), actual=sorted(pulled.keys() - pieces.keys()), what="the other files")


@requirement("META-034")
def test_no_archives(check: Check, subject: Bench, place: Place) -> None:
    archives = {f"a.{end}": b"heavy" for end in ARCHIVES} | {"B.TAR": b"heavy", "nested/c.zip": b"heavy"}
    tree = TREE | {"tokenizer.model": b"a tokenizer", "plan.json": b"{}", "zip": b"no end"}
    tree |= {"bpe_simple_vocab_16e6.txt.gz": b"CLIP's"}
    place.put_all(tree | archives)
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    check.equal(expected=[], actual=sorted(archives.keys() & pulled.keys()), what="archives in the cache")
    check.equal(expected=sorted(tree), actual=sorted(pulled), what="the other files")


@requirement("META-035")
def test_what_is_to_be_ignored(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    for number, (patterns, left_out) in enumerate(
        (
            (["*.py"], {"modeling_made_up.py"}),
            (["config.json", "a/*.json"], {"config.json", "a/b/c/d.json"}),
            (
                ["merges.txt", "*.jinja", "1_Pooling/*"],
                {"merges.txt", "chat_template.jinja", "1_Pooling/config.json"},
            ),
        )
    ):
        with subject.root(f"cache-{number}") as worker:
            pulled = tree_of(worker.ask("pull_files", uri=place.uri, allow=None, ignore=patterns))
        expected = sorted(TREE.keys() - left_out)
        check.equal(expected=expected, actual=sorted(pulled), what=f"the files where {patterns} are ignored")


@requirement("META-035")
def test_a_pattern_alone(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    try:
        folder = subject.ask("pull_files", uri=place.uri, allow=None, ignore="*.py")
    except SubjectRaised as error:
        # what takes it for its letters finds `*` among them, which is every file
        assert_names(check, error, "*.py")
        return
    expected = sorted(TREE.keys() - {"modeling_made_up.py"})
    check.equal(expected=expected, actual=sorted(tree_of(folder)), what="the files where '*.py' is ignored")


@requirement("META-003")
def test_the_index(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    index = "model.safetensors.index.json"
    check.equal(expected=checkpoint.files[index], actual=pulled.get(index), what="the index in the cache")


@requirement("META-004")
def test_neighbours_that_begin_alike(check: Check, subject: Bench, place: Place, store: Store) -> None:
    place.put_all(TREE)
    for neighbour in ("-instruct", "2", ".bak"):
        store.place(place.prefix + neighbour).put("neighbour.json", b"{}")
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    check.equal(expected=sorted(TREE), actual=sorted(pulled), what="the pulled files")


@requirement("META-005")
def test_any_tree(
    check: Check, subject: Bench, store: Store, place: Place, examples: Callable[[int, int], int]
) -> None:
    number = 0

    @settings(max_examples=examples(6, 150))
    @given(metadata_trees())
    def pulled_alike(tree: dict[str, bytes]) -> None:
        nonlocal number
        number += 1
        model = store.place(f"{place.prefix}/{number}")
        model.put_all(tree)
        # a root of its own: some subjects have one folder per root, and keeping models apart isn't asked here
        with subject.root(f"cache-{number}") as worker:
            pulled = tree_of(worker.ask("pull_metadata", uri=model.uri), held=tree)
        check.equal(expected=tree, actual=pulled, what="the pulled tree")

    pulled_alike()


@requirement("META-006")
def test_a_key_that_climbs(check: Check, subject: Bench, place: Place) -> None:
    before = everything_below(subject.cache_root.parent)
    for key in ("../escaped.json", "a/../../../escaped.json"):
        place.put_all(TREE)
        place.put_raw(f"{place.prefix}/{key}", b"escaped")
        error_of(check, subject.shared, "pull_metadata", why=f"the bucket holds {key!r}", uri=place.uri)
        escaped = [p for p in everything_below(subject.cache_root.parent) - before if "escaped" in p]
        check.equal(expected=[], actual=escaped, what="files written for a key that climbs")
        place.clear()


@requirement("META-007")
def test_a_model_that_does_not_exist(check: Check, subject: Bench, place: Place) -> None:
    uri = f"{place.uri}/nothing-here"
    error = error_of(check, subject.shared, "pull_metadata", why="no such model exists", uri=uri)
    # a lock may stay: it has a leading dot and says nothing of what there is
    paths = {name: subject.cache_root / name for name in everything_below(subject.cache_root)}
    left = sorted(
        name
        for name, path in paths.items()
        if path.is_file() and not (path.name.startswith(".") and path.stat().st_size == 0)
    )
    check.equal(expected=[], actual=left, what="files below the root after the error")
    place.put("nothing-here/config.json", b"{}")
    check.equal(
        expected={"config.json": b"{}"},
        actual=tree_of(subject.ask("pull_metadata", uri=uri)),
        what="the tree, once the model exists",
    )
    assert_names(check, error, "nothing-here")


@requirement("META-008")
def test_a_refused_download(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE)
    wire.inject(Fault(match="tokenizer.json", method="GET", status=403))
    error = error_of(check, subject.shared, "pull_metadata", why="one object is refused", uri=place.uri)
    assert_names(check, error, "tokenizer.json")
    left = sorted(path.name for path in subject.cache_root.rglob("*") if path.name in TREE)
    check.equal(expected=[], actual=left, what="files of the tree after the refusal")
    says_so = any(word in error.message.lower() for word in ("403", "denied", "forbidden"))
    check.true(
        says_so,
        what="the error's message",
        expected="a text that says access is denied",
        actual=error.message,
    )


@requirement("META-008")
def test_a_refused_change(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE)
    folder = subject.ask("pull_metadata", uri=place.uri)

    def files() -> list[str]:
        return sorted(path.name for path in subject.cache_root.rglob("*") if path.name in TREE)

    before = files()
    place.put("tokenizer.json", b"[]")
    refused = wire.inject(Fault(match="/tokenizer.json", method="GET", status=403))
    error = error_of(check, subject.shared, "pull_metadata", why="one object is refused", uri=place.uri)
    assert_names(check, error, "tokenizer.json")
    check.equal(expected=before, actual=files(), what="files of the trees after the refusal")
    check.equal(expected=TREE, actual=tree_of(folder), what="the tree that was there before")
    assert refused.hits, "nothing was refused"


@requirement("META-009")
def test_python_files_are_data(check: Check, subject: Bench, place: Place) -> None:
    marker = subject.cache_root.parent / "executed"
    code = f"open({str(marker)!r}, 'w').close()\n".encode()
    place.put_all(
        TREE | {"modeling_made_up.py": code, "conftest.py": code, "__init__.py": code, "setup.py": code}
    )
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    check.equal(expected=code, actual=pulled.get("modeling_made_up.py"), what="the pulled Python file")
    check.equal(expected=False, actual=marker.exists(), what="whether code from the bucket ran")
