"""score --input on files that are more than memory should hold: flat memory, a private temporary file, nothing left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.issues import Retriable
from fhir_adapter.store.spill import CACHE_BYTES, Spill

LINE = (
    '{{"resourceType":"Observation","id":"made-up-{0}","status":"final","code":{{"coding":[{{"system":"http://loinc.org",'
    '"code":"{1}"}}]}},"subject":{{"reference":"Patient/made-up-{2}"}},"effectiveDateTime":"2024-01-{3:02}T06:30:00+08:00",'
    '"valueQuantity":{{"value":{4},"unit":"U/L","system":"http://unitsofmeasure.org","code":"U/L"}},"note":[{{"text":"{5}"}}]}}\n'
)
AST, SODIUM = "1920-8", "2951-2"
PATIENTS = 500
GROWTH = 24 * 1024 * 1024
"""Less than the longer file is longer: four times as many results, at once, took 570 MB more."""

SCORE = """
import json, os, sys
from pathlib import Path
from fhir_adapter.jobs.score_observations import scoring_of

with scoring_of(Path(sys.argv[1])) as scoring:
    folder = Path(os.environ["TMPDIR"])
    opened = [one for one in Path("/proc/self/fd").iterdir() if os.path.exists(one)]
    spilled = [one for one in opened if os.readlink(one).startswith(f"{folder}/")]
    names, modes = os.listdir(folder), [oct(one.stat().st_mode & 0o777) for one in spilled]
    written = sum(map(len, scoring.chunks()))
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    told = {"scored": scored, "issues": sum(scoring.kinds().values())} if (scored := scoring.scored) else {}
    print(json.dumps({**told, "written": written, "peak": peak, "names": names, "modes": modes}))
"""


def write_file(path: Path, lines: int) -> Path:
    """Made-up results of many patients in turn; every tenth is of a code that counts, as in a hospital's own file."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(
            LINE.format(
                number, SODIUM if number % 10 else AST, number * 7 % PATIENTS, number % 28 + 1, number % 90, "x" * 99
            )
            for number in range(lines)
        )
    return path


def scored_apart(folder: Path, lines: int) -> dict[str, Any]:
    """What a process of its own says that scores a file of so many lines, with a TMPDIR of its own."""
    temporary = folder / f"temporary-{lines}"
    temporary.mkdir()
    path = write_file(folder / f"{lines}.ndjson", lines)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    answer = subprocess.run(
        [sys.executable, "-c", SCORE, path],
        env=environment | {"TMPDIR": str(temporary)},
        capture_output=True,
        check=True,
        text=True,
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    return told | {"left": sorted(temporary.iterdir())}


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """20,000 results."""
    return scored_apart(tmp_path_factory.mktemp("short"), 20_000)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """80,000 results of as many patients."""
    return scored_apart(tmp_path_factory.mktemp("long"), 80_000)


linux = pytest.mark.skipif(sys.platform != "linux", reason="memory and open files are read from /proc")


@linux
def test_a_file_four_times_as_long_needs_no_more_memory(short: dict[str, Any], long: dict[str, Any]) -> None:
    """Everybody is scored, every issue told, in the memory of the cache and of one subject."""
    assert (short["scored"], long["scored"]) == (PATIENTS, PATIENTS)
    assert (short["issues"], long["issues"]) == (18_000, 72_000)
    assert long["written"] > 3 * short["written"]
    assert long["peak"] - short["peak"] < GROWTH


@linux
def test_what_is_laid_aside_is_private_and_has_no_name(long: dict[str, Any]) -> None:
    """The file is in TMPDIR, only this user may open it, and no crash can leave it behind."""
    assert long["modes"] == ["0o600"]
    assert (long["names"], long["left"]) == ([], [])


@linux
def test_a_short_file_stays_in_memory(tmp_path: Path) -> None:
    """What fits into the cache is never written."""
    assert scored_apart(tmp_path, 2_000)["modes"] == []


def test_texts_come_back_by_owner_in_the_order_of_the_first_ones() -> None:
    """However they were mixed."""
    with Spill() as spill:
        for place, owner in enumerate(["b", "a", "b", "c", "a"]):
            spill.add(owner, place, b"%d" % place)
        assert list(spill.by_owner()) == [
            ("b", [(0, b"0"), (2, b"2")]),
            ("a", [(1, b"1"), (4, b"4")]),
            ("c", [(3, b"3")]),
        ]


def test_notes_come_back_in_the_order_of_their_places() -> None:
    """At one place as they came; what is the same once, once."""
    with Spill() as spill:
        for place, text, once in [(2, b"c", None), (1, b"a", b"key"), (1, b"b", None), (3, b"d", b"key")]:
            spill.note(place, "kind", text, once)
        assert (list(spill.notes()), spill.kinds()) == ([b"a", b"b", b"c"], {"kind": 3})


def test_no_room_is_said_and_can_be_repeated() -> None:
    """A full disk loses nothing: the file that is read is still there."""
    with Spill() as spill:
        spill._database.execute("PRAGMA spill.max_page_count = 20")
        spill.add("a", 1, bytes(CACHE_BYTES // 10))
        with pytest.raises(Retriable, match="full") as error:
            list(spill.by_owner())
    assert [issue.code for issue in error.value.issues] == ["no-room"]
