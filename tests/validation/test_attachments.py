"""What is said of an Attachment whose size or hash is not that of its data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_adapter.validation.attachments import check_attachment
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

Json = dict[str, Any]
Found = list[tuple[str, str, str | None]]

HELLO = "aGVsbG8="
SHA_1 = "qvTGHdzF6KLavt4PO0gs2a6pQ00="
PATH = "Media.content"


@pytest.fixture
def found() -> Callable[[Json], Found]:
    """Checks an Attachment and gives severity, code and expression of every issue."""

    def check(value: Json) -> Found:
        run = Run("Media/1", {}, Surroundings.of({}), {})
        check_attachment(value, PATH, run)
        return [(issue.severity, issue.code, issue.where.expression) for issue in run.issues]

    return check


@pytest.mark.parametrize(
    "value",
    [
        {"contentType": "text/plain", "data": HELLO},
        {"contentType": "text/plain", "data": HELLO, "size": 5, "hash": SHA_1},
        {"contentType": "text/plain", "data": "aGVs\n bG8=", "size": 5, "hash": SHA_1},
        {"contentType": "text/plain", "data": "aGVsbG8h", "size": 6},
        {"contentType": "text/plain", "url": "https://example.org/a", "size": 70, "hash": SHA_1},
        {"_data": {"extension": []}},
        {"contentType": "application/pdf", "title": "to come"},
    ],
)
def test_what_agrees_with_its_data_or_has_none_is_right(value: Json, found: Callable[[Json], Found]) -> None:
    """Blanks in the data do not count, and what lies at an address is not fetched."""
    assert found(value) == []


def test_another_size_than_that_of_the_data_is_an_error(found: Callable[[Json], Found]) -> None:
    """Somebody would read to the wrong end."""
    assert found({"data": HELLO, "size": 6}) == [("error", "attachment-size", PATH)]


def test_another_hash_than_that_of_the_data_is_an_error(found: Callable[[Json], Found]) -> None:
    """The data or the hash was changed."""
    assert found({"data": "aGVsbG8h", "hash": SHA_1}) == [("error", "attachment-hash", PATH)]


def test_an_attachment_of_nothing_is_a_warning(found: Callable[[Json], Found]) -> None:
    """A title alone says of what nothing is there."""
    assert found({"title": "x"}) == [("warning", "attachment-empty", PATH)]


@pytest.mark.parametrize(
    "value",
    [
        {"data": "%%%2@()()", "size": 6, "hash": SHA_1},
        {"data": "", "size": 6},
        {"data": "aGVsbG8", "size": 6},
        {"data": HELLO, "size": "6"},
        {"data": HELLO, "size": True},
        {"data": HELLO, "hash": "no base64"},
        {"data": HELLO, "hash": 7},
        {"data": 7, "size": 6},
    ],
)
def test_what_has_no_right_form_is_told_elsewhere(value: Json, found: Callable[[Json], Found]) -> None:
    """Data and hash that are no base64, and a size that is no number, are errors of these elements themselves."""
    assert found(value) == []
