"""Documents checked one after the other, by one process or several, and what is counted of them."""

from __future__ import annotations

import io
import pickle
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.issues import Issue, Misconfigured, Retriable, Where
from fhir_adapter.jobs import validate_parallel
from fhir_adapter.jobs.validate import Comparison, Tally, validate
from fhir_adapter.jobs.validate_checking import MOST_RULES, Checked, Checking
from fhir_adapter.jobs.validate_documents import Document
from fhir_adapter.jobs.validate_parallel import WorkerBugError, checked_in_parallel, work

RIGHT = b'{"resourceType":"Patient","id":"made-up"}'
WRONG = b'{"resourceType":"Patient","birthDate":"1980-02-30","gender":"Canary-Made-Up"}'
BROKEN = b'{"resourceType": Canary-Made-Up}'


def documents(*texts: bytes) -> Iterator[Document]:
    """The lines of a file."""
    return (Document("a.ndjson", number, text) for number, text in enumerate(texts, 1))


def found(texts: Iterable[bytes], jobs: int = 1, **options: Any) -> list[Checked]:
    """What comes of these texts."""
    return list(validate(documents(*texts), Checking(**options), jobs, lambda _problems: None))


def test_each_finding_has_its_place_and_no_value() -> None:
    """File, line and column; a line that is no JSON is an error of its own."""
    checked = found([RIGHT, BROKEN, WRONG])

    places = [(one.code, one.where.file, one.where.line, one.where.column) for each in checked for one in each.issues]
    assert places == [
        ("not-json", "a.ndjson", 2, 18),
        ("format", "a.ndjson", 3, 27),
        ("code-not-allowed", "a.ndjson", 3, 52),
    ]
    assert "Canary" not in str(checked)


def test_several_processes_find_the_same_in_the_same_order() -> None:
    """More parts than may be under way at once."""
    texts = [RIGHT, WRONG, BROKEN] * 700

    assert found(texts, jobs=2) == found(texts)


def test_what_stops_a_worker_stops_the_run(tmp_path: Path) -> None:
    """With the words and the kind of error that one process would have."""
    (tmp_path / "no-package.tgz").write_bytes(b"no archive")

    with pytest.raises(Misconfigured) as error:
        found([RIGHT], jobs=2, packages=(tmp_path / "no-package.tgz",))

    assert [issue.code for issue in error.value.issues] == ["package-unreadable"]


def test_a_worker_that_is_killed_is_no_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most often there was no room in memory."""
    monkeypatch.setattr(validate_parallel, "_START", "import os; os.kill(os.getpid(), 9)")

    with pytest.raises(Retriable, match="smaller --jobs"):
        found([RIGHT], jobs=2)


def test_a_bug_in_a_worker_tells_its_place_and_no_value() -> None:
    """Python would write its own message, with the values that it met, to standard error."""
    questions = io.BytesIO(pickle.dumps(Checking()) + pickle.dumps([Canary("Canary-Made-Up")]))
    answers = io.BytesIO()

    work(questions, answers)

    answers.seek(0)
    assert pickle.load(answers) == []  # noqa: S301 - written by the lines above
    kind, message, issues = pickle.load(answers)  # noqa: S301
    assert (kind, issues) == (WorkerBugError, ())
    assert "AttributeError in " in message
    assert "Canary-Made-Up" not in message


class Canary(str):
    """What is no document."""

    __slots__ = ()


def test_workers_end_with_a_run_that_nobody_reads_to_its_end() -> None:
    """As when a signal or a closed pipe stops it."""
    workers: list[Any] = []
    run = checked_in_parallel(documents(*[WRONG] * 2000), Checking(), 2, workers.extend)

    next(run)
    run.close()

    assert [one for one in _children() if "validate_parallel" in one] == []


def _children() -> list[str]:
    own = Path("/proc/self/task")
    numbers = [number for task in own.iterdir() for number in (task / "children").read_text().split()]
    return [Path(f"/proc/{number}/cmdline").read_text() for number in numbers if Path(f"/proc/{number}").exists()]


def test_a_long_file_needs_no_more_memory_than_a_short_one() -> None:
    """Each line breaks a rule of its own; a kilobyte kept of each would be over a megabyte of those measured."""
    tally, checking = Tally(), Checking(options={"structure_only": True})
    lines = (b'{"resourceType":"Patient","madeUp%d":1,"birthDate":"1980-02-30"}' % one for one in range(3_500))
    run = validate((Document("a", 1, line) for line in lines), checking, 1, lambda _problems: None)
    for checked in islice(run, 2_100):
        tally.add(checked)
    tracemalloc.start()
    for checked in run:
        tally.add(checked)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (tally.resources, tally.errors, len(tally.rules)) == (3_500, 7_000, MOST_RULES)
    assert most < 700_000


def test_what_was_not_evaluated_is_told_once_a_rule() -> None:
    """Of a million results of one code there is one thing to say; all are counted."""
    issue = Issue("information", "not-evaluated", "no such code system", Where("a", 1), "Observation.code")
    tally = Tally()

    told = [tally.add(Checked("a", line, None, (issue,))) for line in range(3)]

    assert ([len(one) for one in told], tally.not_evaluated) == ([1, 0, 0], 3)


def test_backends_are_compared_by_place_and_verdict() -> None:
    """Where all find an error, where one does, and whether they agree that there is any."""
    comparison = Comparison(("native", "server"))
    both = [Issue("error", "x", "odd", Where(expression="Patient.name"), source=one) for one in comparison.backends]
    one_only = Issue("error", "y", "only one", Where("a", 2, expression="Patient.gender"))
    mild = Issue("warning", "z", "mild", source="server")

    for issues in (both, [*both, one_only], [one_only], [mild], []):
        comparison.add(Checked("a", 1, None, tuple(issues)))

    told = comparison.to_dict()
    assert (told["same_verdict"], told["other_verdict"]) == (4, 1)
    assert told["places"] == [
        {"found_by": ["native", "server"], "count": 2},
        {"found_by": ["native"], "count": 2},
    ]
    assert (
        told["differences"]
        == [
            {"where": "a:2 Patient.gender", "found_by": ["native"], "messages": ["only one"]},
        ]
        * 2
    )


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({}, ["extension-unknown:warning"]),
        ({"unknown_extensions": "error"}, ["extension-unknown:error"]),
    ],
)
def test_strictness_makes_an_unknown_extension_an_error(options: dict[str, object], codes: list[str]) -> None:
    """A warning otherwise."""
    text = b'{"resourceType":"Patient","extension":[{"url":"https://nobody.example/x","valueCode":"y"}]}'

    (checked,) = found([text], options=options)

    assert [f"{one.code}:{one.severity}" for one in checked.issues] == codes


def test_vital_signs_are_left_out_when_asked_for() -> None:
    """A weight without a category is wrong by the profile of vital signs, and by nothing else."""
    text = (
        b'{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org",'
        b'"code":"29463-7"}]}}'
    )

    with_them, without = (
        [one.is_error for one in found([text], options={"vital_signs": on})[0].issues] for on in (True, False)
    )

    assert (any(with_them), any(without)) == (True, False)
