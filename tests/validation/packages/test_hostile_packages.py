"""Packages built to do harm, or damaged, are refused at once: no file is written, little is read, nothing hangs."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.packages.package import Package, open_package
from fhir_adapter.validation.packages.refusals import Limits, PackageRefused

pytestmark = pytest.mark.unmeasured

Json = dict[str, Any]
MakeArchive = Callable[..., Path]
MakeFolder = Callable[[Mapping[str, object]], Path]

SMALL = Limits(
    packed_bytes=100_000,
    bytes=200_000,
    file_bytes=50_000,
    index_bytes=20_000,
    files=20,
    containers=1_000,
    all_containers=2_500,
)
SECONDS = 30
"""Far more than any of these takes, far less than following what it claims."""


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """Fails a test that works long."""
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    """A member of an archive without content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def write(path: Path, *blocks: bytes) -> Path:
    """A .tgz of tar blocks, whatever they are, each filled up with zeros."""
    tar = b"".join(block + bytes(-len(block) % 512) for block in blocks)
    path.write_bytes(gzip.compress(tar + bytes(1024), compresslevel=1))
    return path


def numbered(header: bytes, number: int) -> bytes:
    """The header of `package/000000.json` with another number, and the checksum that goes with it."""
    digits = b"%06d" % number
    checksum = int(header[148:154], 8) + sum(digits) - sum(b"000000")
    return header[:8] + digits + header[14:148] + b"%06o" % checksum + header[154:]


def codes(package: Package) -> list[str]:
    """The code of every problem."""
    return [each.code for each in package.problems]


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
        (tarfile.LNKTYPE, "package/package.json"),
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.GNUTYPE_SPARSE, ""),
        (b"?", ""),
    ],
    ids=["character-device", "block-device", "pipe", "hard-link", "symbolic-link", "sparse", "unknown"],
)
def test_only_plain_files_are_accepted(make_archive: MakeArchive, manifest: Json, kind: bytes, link: str) -> None:
    """A package has no links and no devices."""
    path = make_archive({"package/package.json": manifest}, member("package/a.json", kind, link))
    with pytest.raises(PackageRefused, match="no plain file"):
        Definitions.of([path])


@pytest.mark.parametrize(
    "name",
    ["../a.json", "package/../../a.json", "/etc/a.json", "C:/a.json", "..\\a.json", "\\a.json"],
)
def test_a_name_that_leads_out_is_refused(make_archive: MakeArchive, name: str) -> None:
    """Even though nothing is written to disk here: nobody should use such a package."""
    with pytest.raises(PackageRefused, match="leads out of the package"):
        Definitions.of([make_archive({name: {}})])


@pytest.mark.parametrize("name", ["package/\x1b[2J.json", "package/\u202egnp.json", "a" * 2_000], ids=ascii)
def test_a_name_that_is_none_is_refused(make_archive: MakeArchive, name: str) -> None:
    """It would reach a terminal; the message shows it without its effect."""
    with pytest.raises(PackageRefused, match="no usable name") as refused:
        Definitions.of([make_archive({name: {}})])
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8."""
    header = member("package/X.json").tobuf(tarfile.USTAR_FORMAT).replace(b"X", b"\xff", 1)
    tar = bytearray(header)
    tar[148:156] = b" " * 8
    tar[148:156] = b"%06o\0 " % sum(tar[:512])
    with pytest.raises(PackageRefused, match="no usable name"):
        open_package(write(tmp_path / "a.tgz", bytes(tar)))


def test_a_name_twice_is_refused(make_archive: MakeArchive, profile: Json) -> None:
    """Readers disagree on which of the two counts."""
    path = make_archive({"package/a.json": profile, "./package/a.json": {}})
    with pytest.raises(PackageRefused, match="twice"):
        Definitions.of([path])


def test_a_hundred_thousand_files_are_refused(tmp_path: Path) -> None:
    """Well above the number of files in any package that is published."""
    header = member("package/000000.json").tobuf(tarfile.USTAR_FORMAT)
    path = write(tmp_path / "a.tgz", *(numbered(header, number) for number in range(100_000)))
    with pytest.raises(PackageRefused, match="more than 50000 files"):
        Definitions.of([path])


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    """Headers of headers count too."""
    header = member("x", tarfile.XGLTYPE).tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(PackageRefused, match="more than 20 files"):
        open_package(write(tmp_path / "a.tgz", *[header] * 100), SMALL)


def test_an_index_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A gigabyte that is not even there."""
    header = member("package/.index.json", size=1_000_000_000).tobuf()
    with pytest.raises(PackageRefused, match="1000000000 bytes: too many"):
        open_package(write(tmp_path / "a.tgz", header))


@pytest.mark.parametrize("size", [-1, 2**60])
def test_a_size_that_cannot_be_is_refused(tmp_path: Path, size: int) -> None:
    """GNU's binary numbers can be anything."""
    header = member("package/a.json", size=size).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(PackageRefused, match="too many"):
        open_package(write(tmp_path / "a.tgz", header))


def test_a_size_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """An extended header may state another size than the header that follows."""
    header = member("x", tarfile.XHDTYPE, size=13).tobuf(tarfile.USTAR_FORMAT)
    path = write(tmp_path / "a.tgz", header, b"13 size=1e99\n", member("a.json").tobuf(tarfile.USTAR_FORMAT))
    with pytest.raises(PackageRefused, match="no usable size"):
        open_package(path)


def test_a_bomb_is_refused_when_it_goes_off(tmp_path: Path) -> None:
    """A small file that becomes a large one, in a member that is not even looked at."""
    path = write(tmp_path / "a.tgz", member("package/a.bin", size=180_000).tobuf(), bytes(180_000), bytes(500_000))
    assert path.stat().st_size < 10_000
    with pytest.raises(PackageRefused, match="more than 200000 bytes when unpacked"):
        open_package(path, SMALL)


def test_a_file_that_is_too_large_is_told_and_the_rest_is_used(
    make_archive: MakeArchive, manifest: Json, profile: Json
) -> None:
    """It is one bad file of a package that may be good."""
    files = {"package/package.json": manifest, "package/large.json": bytes(60_000), "package/a.json": profile}
    package = open_package(make_archive(files), SMALL)
    assert codes(package) == ["definition-unreadable"]
    assert [each.address for each in package.entries] == [profile["url"]]


def test_one_definition_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """There is nothing else to use."""
    path = tmp_path / "a.json"
    path.write_bytes(b"{" + b" " * 60_000 + b"}")
    with pytest.raises(PackageRefused, match="more than 50000 bytes"):
        open_package(path, SMALL)


def test_a_packed_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """Whatever is in it."""
    path = tmp_path / "a.tgz"
    path.write_bytes(b"\x1f\x8b" + bytes(200_000))
    with pytest.raises(PackageRefused, match="more than 100000 bytes"):
        open_package(path, SMALL)


def test_a_package_in_a_package_is_not_looked_into(make_archive: MakeArchive, manifest: Json, profile: Json) -> None:
    """However deep they are nested."""
    inner = make_archive({"package/a.json": profile}, name="inner.tgz").read_bytes()
    package = open_package(make_archive({"package/package.json": manifest, "package/inner.tgz": inner}))
    assert package.entries == []
    assert codes(package) == ["package-empty"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed[:-8] + bytes(8),
        lambda packed: packed[:20] + bytes(20) + packed[40:],
        lambda packed: packed + packed,
        lambda packed: packed + b"hidden",
        lambda _packed: b"\x1f\x8b" + bytes(100),
        lambda _packed: gzip.compress(b"no archive at all" * 100),
        lambda packed: gzip.compress(gzip.decompress(packed)[:700]),
        lambda packed: gzip.compress(gzip.decompress(packed)[:300]),
    ],
    ids=["cut", "checksum", "damaged", "two-streams", "tail", "no-gzip", "no-tar", "cut-file", "cut-header"],
)
def test_a_damaged_archive_is_refused(
    make_archive: MakeArchive, profile: Json, spoil: Callable[[bytes], bytes]
) -> None:
    """Half a package would be taken for a whole one."""
    path = make_archive({"package/a.json": profile})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(PackageRefused):
        Definitions.of([path])


def test_zeros_behind_the_end_are_no_damage(make_archive: MakeArchive, profile: Json) -> None:
    """Tapes and some tools fill up the last block."""
    path = make_archive({"package/a.json": profile})
    path.write_bytes(path.read_bytes() + bytes(1024))
    assert Definitions.of([path]).structure(profile["url"]) == profile


@pytest.mark.parametrize(
    "records",
    [
        b"x",
        b"9999 path=a\n",
        b"0 path=a\n",
        b"7 path=\n",
        b"20 GNU.sparse.major=1\n"[:22],
        b"13 size=-1000\n",
        b"9 nokey\n",
    ],
)
def test_an_extended_header_that_cannot_be_read_is_refused(tmp_path: Path, records: bytes) -> None:
    """It says what the name and the size of the next file are."""
    header = member("x", tarfile.XHDTYPE, size=len(records)).tobuf(tarfile.USTAR_FORMAT)
    path = write(tmp_path / "a.tgz", header, records, member("package/a.json").tobuf(tarfile.USTAR_FORMAT))
    with pytest.raises(PackageRefused):
        open_package(path)


def test_an_extended_header_that_is_huge_is_refused(tmp_path: Path) -> None:
    """Python's own reader would hold it in memory."""
    header = member("x", tarfile.XHDTYPE, size=500_000_000).tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(PackageRefused, match="a header of 500000000 bytes"):
        open_package(write(tmp_path / "a.tgz", header))


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_read_as_both_formats_write_them(
    make_archive: MakeArchive, manifest: Json, profile: Json, form: int
) -> None:
    """Beyond a hundred characters a name stands in a header of its own."""
    files = {"package/package.json": manifest, f"package/StructureDefinition-{'a' * 120}.json": profile}
    package = open_package(make_archive(files, form=form))
    assert [each.file for each in package.entries] == [f"package/StructureDefinition-{'a' * 120}.json"]


def test_deep_json_is_told(make_archive: MakeArchive, profile: Json) -> None:
    """Nested a hundred thousand times."""
    deep = b"[" * 100_000 + b"]" * 100_000
    package = open_package(make_archive({"package/deep.json": deep, "package/a.json": profile}))
    assert codes(package) == ["definition-unreadable"]
    assert [each.address for each in package.entries] == [profile["url"]]


@pytest.mark.parametrize(
    "spoiled",
    [
        b'"extension":' + b"[" * 300 + b"]" * 300,
        b'"name":"A","name":"B"',
        b'"minValueDecimal":1e999',
        b'"name":"\\ud800"',
    ],
    ids=["deep", "twice", "out-of-range", "surrogate"],
)
def test_what_fhir_does_not_take_for_json_is_told_when_it_is_read(make_folder: MakeFolder, spoiled: bytes) -> None:
    """Files are read in full only when they are needed; then it is a problem, not a crash."""
    text = b'{"resourceType":"StructureDefinition","url":"https://example.org/p",' + spoiled + b"}"
    definitions = Definitions.of([make_folder({"p.json": text})])
    assert definitions.structure("https://example.org/p") is None
    assert definitions.structure("https://example.org/p|1") is None
    unreadable = [each for each in definitions.problems if each.code == "definition-unreadable"]
    assert len(unreadable) == 1


def test_a_bundle_that_is_not_json_of_fhir_is_told(make_folder: MakeFolder) -> None:
    """A Bundle is read in full at once."""
    package = open_package(make_folder({"b.json": b'{"resourceType":"Bundle","id":"a","id":"b"}'}))
    assert codes(package) == ["definition-unreadable", "package-empty"]


def test_many_small_values_are_told(make_folder: MakeFolder) -> None:
    """`{}` has two bytes as text and sixty-four in memory."""
    package = open_package(make_folder({"a.json": b"[" + b"{}," * 1_500 + b"{}]"}), SMALL)
    assert codes(package) == ["definition-unreadable", "package-empty"]


def test_many_small_values_in_many_files_are_refused(make_archive: MakeArchive) -> None:
    """Each file alone would do."""
    files = {f"package/{number}.json": b"[" + b"{}," * 900 + b"{}]" for number in range(3)}
    with pytest.raises(PackageRefused, match="more than 2500 objects and lists"):
        open_package(make_archive(files), SMALL)


def test_a_thousand_bad_files_are_not_a_thousand_issues(make_folder: MakeFolder) -> None:
    """Twenty are named, the rest is counted."""
    package = open_package(make_folder({f"{number}.json": b"{" for number in range(60)}))
    assert len(package.problems) == 22
    assert "40 more files" in package.problems[20].message


def test_a_folder_with_too_many_files_is_refused(make_folder: MakeFolder) -> None:
    """As an archive of them is."""
    with pytest.raises(PackageRefused, match="files"):
        open_package(make_folder({f"{number}.json": {} for number in range(30)}), SMALL)


def test_a_folder_of_other_files_without_end_is_refused(make_folder: MakeFolder) -> None:
    """Somebody named the root of a disk."""
    with pytest.raises(PackageRefused, match="more than 40 files and folders"):
        open_package(make_folder({f"{number}/a.txt": b"" for number in range(50)}), SMALL)


def test_a_folder_with_too_many_bytes_is_refused(make_folder: MakeFolder) -> None:
    """All its definitions together."""
    with pytest.raises(PackageRefused, match="more than 200000 bytes"):
        open_package(make_folder({f"{number}.json": bytes(40_000) for number in range(10)}), SMALL)


def test_a_folder_is_not_left_by_a_link(make_folder: MakeFolder, tmp_path: Path, profile: Json) -> None:
    """An archive that was unpacked carelessly may have put one there."""
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(profile))
    folder = make_folder({"a.json": profile | {"url": "https://example.org/inside"}})
    (folder / "link.json").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    definitions = Definitions.of([folder])
    assert definitions.structure(profile["url"]) is None
    assert [each.message for each in definitions.problems] == ["'link.json': a link that leads out of the folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_does_not_keep_us_waiting(make_folder: MakeFolder, profile: Json) -> None:
    """Nobody ever writes to it."""
    folder = make_folder({"a.json": profile})
    os.mkfifo(folder / "pipe.json")
    assert codes(open_package(folder)) == ["definition-unreadable"]
    with pytest.raises(PackageRefused, match="no plain file"):
        open_package(folder / "pipe.json")


@given(place=some.integers(0, 3_000), noise=some.binary(min_size=1, max_size=40), is_packed=some.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_anywhere_is_an_error_of_the_system_or_told(
    make_archive: MakeArchive, manifest: Json, profile: Json, place: int, noise: bytes, is_packed: bool
) -> None:
    """Never another error, whichever bytes are wrong, in the gzip stream or in the archive."""
    path = make_archive({"package/package.json": manifest, "package/a.json": profile})
    packed = path.read_bytes()
    text = packed if is_packed else gzip.decompress(packed)
    place %= len(text)
    spoiled = text[:place] + noise + text[place + len(noise) :]
    path.write_bytes(spoiled if is_packed else gzip.compress(spoiled, compresslevel=1))
    outcome = _opened(path)
    assert isinstance(outcome, (Package, OSError))


def _opened(path: Path) -> Package | OSError:
    try:
        return open_package(path)
    except OSError as error:
        return error


def test_nothing_is_written_while_a_package_is_read(make_archive: MakeArchive, tmp_path: Path, profile: Json) -> None:
    """It is read in memory, so there is nothing to clean up and nothing to escape from."""
    path = make_archive({"package/a.json": profile})
    before = sorted(tmp_path.rglob("*"))
    Definitions.of([path]).structure(profile["url"])
    assert sorted(tmp_path.rglob("*")) == before
