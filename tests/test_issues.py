"""What an issue says, and how it reads."""

from __future__ import annotations

import pytest

from fhir_adapter.issues import AdapterError, Fatal, Issue, Misconfigured, Refused, Rejected, Retriable, Where


def test_a_place_in_a_file_reads_as_editors_write_it() -> None:
    """A file and a line are joined by a colon."""
    assert str(Where("lb.csv", 12)) == "lb.csv:12"


def test_a_place_in_a_resource_names_it_and_the_expression() -> None:
    """A resource and an expression follow the file, parted by blanks."""
    where = Where("lb.csv", 12, "Observation/1", "Observation.status")
    assert str(where) == "lb.csv:12 Observation/1 Observation.status"


def test_a_place_that_nobody_knows_is_empty() -> None:
    """Nothing known gives an empty text."""
    assert str(Where()) == ""


@pytest.mark.parametrize("severity", ["fatal", "error"])
def test_fatal_and_error_forbid_the_use_of_the_item(severity: str) -> None:
    """An item with a fatal issue or an error must not be used."""
    assert Issue(severity, "code", "message").is_error  # type: ignore[arg-type]


@pytest.mark.parametrize("severity", ["warning", "information"])
def test_warnings_and_information_do_not(severity: str) -> None:
    """An item with a warning is still used."""
    assert not Issue(severity, "code", "message").is_error  # type: ignore[arg-type]


def test_the_json_form_holds_every_promised_key() -> None:
    """The JSON form is the one that the interface page promises, with null for what is not known."""
    issue = Issue("error", "unmapped-unit", "the unit", Where("lb.csv", 3), rule="units")
    assert issue.to_dict() == {
        "severity": "error",
        "code": "unmapped-unit",
        "where": {"file": "lb.csv", "line": 3, "resource": None, "expression": None},
        "rule": "units",
        "profile": None,
        "message": "the unit",
        "source": "native",
    }


def test_an_error_carries_its_issues() -> None:
    """What is raised brings everything that a person should read."""
    issue = Issue("error", "code", "message")
    error = Rejected("stop", issue)
    assert (str(error), error.issues) == ("stop", (issue,))


@pytest.mark.parametrize(
    ("kind", "family"),
    [(Retriable, AdapterError), (Rejected, AdapterError), (Misconfigured, Fatal), (Refused, Fatal)],
)
def test_errors_are_told_apart_by_what_to_do(kind: type[Exception], family: type[Exception]) -> None:
    """Every error belongs to one way of recovery; only what stops a run is fatal."""
    assert issubclass(kind, family)
    assert issubclass(kind, Fatal) is (family is Fatal)
