"""The validator agrees with HL7's Java engine on HL7's own cases, but where `docs/validator-cases.md` says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.validation.hl7_cases.agreement import Agreement
from tests.validation.hl7_cases.asking import Answer, Asker
from tests.validation.hl7_cases.manifest import FOLDER, case_runs
from tests.validation.hl7_cases.page import left_out, table
from tests.validation.hl7_cases.places import normalised


@pytest.fixture(scope="module")
def answers(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    """Our answer to every run that can be asked."""
    asker = Asker(tmp_path_factory.mktemp("definitions"))
    return list(asker.answers(case_runs(shared_data / FOLDER)))


@pytest.fixture(scope="module")
def asked_for(answers: list[Answer]) -> list[Answer]:
    """The answers without questionnaire responses and without displays of external terminologies."""
    return [answer for answer in answers if answer.run.label not in left_out()]


def test_every_run_with_an_outcome_is_asked(answers: list[Answer]) -> None:
    """Of 161 runs six have no outcome in the data, and one needs a package that is not there."""
    assert len(answers) == 154


def test_what_is_left_out_is_there(answers: list[Answer]) -> None:
    """No run is left out that does not exist."""
    assert left_out() <= {answer.run.label for answer in answers}


def test_the_verdicts_agree(asked_for: list[Answer]) -> None:
    """Error or no error, in at least 96 of 100 runs."""
    assert Agreement.of(asked_for).verdicts.percent >= 96.0


def test_the_errors_are_at_the_same_places(asked_for: list[Answer]) -> None:
    """In at least 85 of 100 runs the same elements have errors."""
    assert Agreement.of(asked_for).places.percent >= 85.0


def test_every_other_verdict_is_explained(asked_for: list[Answer]) -> None:
    """The page names each run in which one finds an error and the other none."""
    assert {row[0] for row in table("Other verdicts")} == {one.run.label for one in asked_for if not one.agrees}


def test_every_other_place_is_explained(asked_for: list[Answer]) -> None:
    """The page names each run in which both find errors, but at other elements, with the number of these."""
    found = {
        (one.run.label, str(len(one.only_theirs)), str(len(one.only_ours)))
        for one in asked_for
        if one.agrees and not one.agrees_in_places
    }
    assert {row[:3] for row in table("Other places")} == found


def test_the_figures_of_the_page_are_those_of_the_run(answers: list[Answer], asked_for: list[Answer]) -> None:
    """All three, over all runs and over those that are asked for."""
    every, ours = Agreement.of(answers), Agreement.of(asked_for)
    assert [row[1:] for row in table("HL7's cases")] == [
        (str(ours.verdicts), str(every.verdicts)),
        (str(ours.places), str(every.places)),
        (str(ours.findings), str(every.findings)),
    ]


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Bundle.entry[0].resource/*Observation/o1*/.code", "Bundle.entry[0].resource.code"),
        ("Observation.value.ofType(Quantity)", "Observation.value"),
        ("Patient.extension[1][url='http://hl7.org/x|4.0.0']", "Patient.extension[1]"),
        ("Patient.name[0].given[1]", "Patient.name[0].given[1]"),
    ],
)
def test_expressions_are_compared_without_what_the_java_engine_adds(written: str, compared: str) -> None:
    """Comments, the address of an extension, and the type of a choice."""
    assert normalised(written) == compared
