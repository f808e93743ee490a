"""Which JSON documents `validate` finds in files, folders and standard input."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs import validate_documents
from fhir_adapter.jobs.validate_documents import Reading, documents_in, files_in

ONE = b'{"resourceType":"Patient"}'
TWO = b'{"resourceType":"Group"}'


def found(path: Path) -> list[tuple[int, bytes, str | None]]:
    """Line, text and code of each document of a file."""
    return [(one.line, one.text, one.problem.code if one.problem else None) for one in documents_in([str(path)])]


@pytest.mark.parametrize(
    ("name", "text", "documents"),
    [
        ("one.json", ONE, [(1, ONE)]),
        ("one.json", ONE + b"\n\n", [(1, ONE + b"\n\n")]),
        ("one.json", b"\n\n" + ONE, [(1, b"\n\n" + ONE)]),
        ("pretty.json", b'{\n "resourceType": "Patient"\n}', [(1, b'{\n "resourceType": "Patient"\n}')]),
        ("array.json", b"[" + ONE + b"]", [(1, b"[" + ONE + b"]")]),
        ("lines.json", ONE + b"\n" + TWO + b"\n", [(1, ONE), (2, TWO)]),
        ("lines.json", b"\n" + ONE + b"\r\n\n" + TWO, [(2, ONE), (4, TWO)]),
        ("mark.json", b"\xef\xbb\xbf" + ONE + b"\n" + TWO, [(1, b"\xef\xbb\xbf" + ONE), (2, TWO)]),
        ("braces.json", b'{"a":{}\n,"b":{}}', [(1, b'{"a":{}\n,"b":{}}')]),
        ("lines.ndjson", ONE + b"\n \n" + TWO, [(1, ONE), (3, TWO)]),
        ("lines.NDJSON", ONE + b"\n{broken", [(1, ONE), (2, b"{broken")]),
        ("empty.json", b"", [(1, b"")]),
        ("empty.ndjson", b"\n \n", []),
        ("packed.ndjson.gz", gzip.compress(ONE + b"\n" + TWO, mtime=0), [(1, ONE), (2, TWO)]),
        ("packed.json", gzip.compress(ONE, mtime=0), [(1, ONE)]),
    ],
)
def test_lines_and_whole_files_are_told_apart(
    tmp_path: Path, name: str, text: bytes, documents: list[tuple[int, bytes]]
) -> None:
    """By the name or by what stands in the first lines; each document with its first line."""
    path = tmp_path / name
    path.write_bytes(text)

    assert found(path) == [(*each, None) for each in documents]


def test_a_damaged_file_is_told_after_what_could_be_read(tmp_path: Path) -> None:
    """An archive that ends too early has lost only its end."""
    lines = [b'{"resourceType":"Patient","id":"%d"}' % number for number in range(20_000)]
    path = tmp_path / "cut.ndjson.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines))[:-20_000])

    documents = found(path)

    assert 0 < len(documents) < len(lines)
    assert [text for _line, text, _code in documents[:-1]] == lines[: len(documents) - 1]
    assert documents[-1] == (1, b"", "file-unreadable")


def test_a_file_that_is_gone_does_not_stop_the_others(tmp_path: Path) -> None:
    """It is told in its place."""
    here = tmp_path / "here.json"
    here.write_bytes(ONE)

    documents = list(documents_in([str(tmp_path / "gone.json"), str(here)]))

    assert [one.problem and one.problem.code for one in documents] == ["file-unreadable", None]


@pytest.mark.parametrize("name", ["long.ndjson", "long.json"])
def test_what_is_larger_than_any_document_is_told_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A line that has no end is passed over without being read into memory; the next one is looked at."""
    monkeypatch.setattr(validate_documents, "LONGEST", 100)
    monkeypatch.setattr(validate_documents, "_SOME", 64)
    path = tmp_path / name
    path.write_bytes(ONE + b"\n{" + b" " * 1000 + b"}\n" + TWO + b"\n")

    assert found(path) == [(1, ONE, None), (2, b"", "too-large"), (3, TWO, None)]


def test_a_whole_file_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one document."""
    monkeypatch.setattr(validate_documents, "LONGEST", 100)
    path = tmp_path / "long.json"
    path.write_bytes(b"{\n" + b" " * 1000 + b"}\n")

    assert found(path) == [(1, b"", "too-large")]


def test_a_folder_is_read_with_those_below_it_in_order(tmp_path: Path) -> None:
    """What is hidden, of another kind, a pipe, or a description of a package is passed over."""
    for name in ("b.json", "a/z.ndjson", "a/package.json", ".hidden.json", ".git/x.json", "notes.txt", "c.jsonl.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(ONE)
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "nowhere.json").symlink_to(tmp_path / "gone")

    files = [str(Path(one).relative_to(tmp_path)) for one in files_in([str(tmp_path)])]

    assert files == ["b.json", "c.jsonl.gz", "nowhere.json", "a/z.ndjson"]


def test_files_are_read_in_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    """Standard input, a file, and a pipe as a shell gives one."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "one.txt").write_bytes(ONE)
    stated = [str(tmp_path / "pipe"), "-", str(tmp_path / "one.txt")]

    assert files_in(stated) == stated


@pytest.mark.parametrize("name", ["gone.json", "empty"])
def test_what_holds_no_file_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is looked at."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(Misconfigured) as refused:
        files_in([str(tmp_path / name)])

    assert refused.value.issues[0].code == "missing-file"


def test_a_pipe_is_read_as_it_is_written(tmp_path: Path) -> None:
    """It has no length and no end until its writer is done."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(ONE + b"\n" + TWO,))
    writer.start()

    documents = found(pipe)
    writer.join()

    assert documents == [(1, ONE, None), (2, TWO, None)]


def test_how_far_the_reading_is_can_be_asked(tmp_path: Path) -> None:
    """In bytes as they lie on the disk, over all files."""
    for name in ("a.ndjson", "b.ndjson"):
        (tmp_path / name).write_bytes((ONE + b"\n") * 10)
    reading = Reading()
    told = [reading.done for _ in documents_in(files_in([str(tmp_path)]), reading)]

    assert reading.total == 2 * 10 * len(ONE + b"\n")
    assert told == sorted(told)
    assert told[-1] == reading.total
