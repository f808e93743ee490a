"""The 2016 criteria: every edge, the population they were written for, and what is not known."""

from __future__ import annotations

import pytest

from fhir_adapter.scores.companions import MAS_2016, Population, in_words
from tests.scores.companions.made_up import mas, mas_verdict, received


@pytest.mark.parametrize(
    ("item", "result", "verdict"),
    [
        ("fever", "temperature 38.5 Cel", "met"),
        ("fever", "temperature 38.4 Cel", "not met"),
        ("ferritin", "ferritin 684 ng/mL", "not met"),
        ("ferritin", "ferritin 684.1 ng/mL", "met"),
        ("ferritin", "ferritin 685 ug/L", "met"),
        ("ferritin", "ferritin 1537 pmol/L", "not met"),
        ("ferritin", "ferritin 1538 pmol/L", "met"),
        ("platelets", "platelets 181 10*9/L", "met"),
        ("platelets", "platelets 182 10*9/L", "not met"),
        ("platelets", "platelets 181001 /uL", "not met"),
        ("ast", "ast 48 U/L", "not met"),
        ("ast", "ast 49 U/L", "met"),
        ("ast", "ast 48.1 [IU]/L", "met"),
        ("ast", "ast 0.8 ukat/L", "not met"),
        ("ast", "ast 0.81 ukat/L", "met"),
        ("triglycerides", "triglycerides 156 mg/dL", "not met"),
        ("triglycerides", "triglycerides 157 mg/dL", "met"),
        ("triglycerides", "triglycerides 1.57 g/L", "met"),
        ("triglycerides", "triglycerides 1.76 mmol/L", "not met"),
        ("triglycerides", "triglycerides 1.761 mmol/L", "met"),
        ("triglycerides", "triglycerides 1.77 mmol/L", "met"),
        ("fibrinogen", "fibrinogen 360 mg/dL", "met"),
        ("fibrinogen", "fibrinogen 361 mg/dL", "not met"),
        ("fibrinogen", "fibrinogen 3.6 g/L", "met"),
        ("fibrinogen", "fibrinogen 3.61 g/L", "not met"),
        ("ferritin", "ferritin > 684 ng/mL", "met"),
        ("ferritin", "ferritin >= 684 ng/mL", "undetermined"),
        ("platelets", "platelets < 200 10*9/L", "undetermined"),
    ],
)
def test_a_criterion_changes_at_its_printed_limit(item: str, result: str, verdict: str) -> None:
    """One unit in the last place decides; triglycerides in the unit received: 1.761 mmol/L is 155.97 mg/dL."""
    name, text = result.split(maxsplit=1)
    assert mas_verdict(item, received(name, text)) == verdict


FEBRILE = received("temperature", "39 Cel")
FERRITIN = received("ferritin", "9000 ng/mL")
TWO = (received("platelets", "90 10*9/L"), received("ast", "90 U/L"))
NEITHER = (received("platelets", "300 10*9/L"), received("ast", "20 U/L"))
OTHER_TWO = (received("triglycerides", "1.0 mmol/L"), received("fibrinogen", "4.0 g/L"))


def test_fever_ferritin_and_two_of_four_are_needed() -> None:
    """What is open beside them changes nothing."""
    whole = mas(FEBRILE, FERRITIN, *TWO)
    assert (whole.low, whole.high, whole.needed, whole.status) == (2, 4, 2, "met")


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ((FERRITIN, *TWO), "undetermined"),
        ((FEBRILE, *TWO), "undetermined"),
        ((FEBRILE, FERRITIN, TWO[0]), "undetermined"),
        ((received("temperature", "37 Cel"), FERRITIN, *TWO), "not met"),
        ((FEBRILE, received("ferritin", "100 ng/mL"), *TWO), "not met"),
        ((FEBRILE, FERRITIN, TWO[0], NEITHER[1], *OTHER_TWO), "not met"),
        ((FEBRILE, FERRITIN, *NEITHER, OTHER_TWO[0]), "not met"),
        ((FEBRILE, FERRITIN, *NEITHER), "undetermined"),
    ],
)
def test_what_is_missing_is_never_counted_as_no(results: tuple[object, ...], status: str) -> None:
    """Undetermined as long as an open value could still decide."""
    assert mas(*results).status == status  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("populations", "status", "why"),
    [
        (("sle",), "not applicable", "written for sJIA; the records name SLE"),
        (("aosd",), "outside its population", "written for sJIA; the records name AOSD"),
        ((), "undetermined", "the records name none of sJIA, AOSD and SLE: whether the criteria apply is not known"),
        (
            ("sjia", "sle"),
            "undetermined",
            "the records name more than one of sJIA, AOSD and SLE: whether the criteria apply is not known",
        ),
    ],
)
def test_the_criteria_speak_of_sjia_alone(populations: tuple[Population, ...], status: str, why: str) -> None:
    """The single values are told all the same; the whole is not answered for anybody else."""
    whole = mas(FEBRILE, FERRITIN, *TWO, of=populations)
    assert (whole.status, whole.why) == (status, why)
    assert whole.item("ferritin").verdict == "met"


def test_required_rows_are_not_counted_among_the_four() -> None:
    """Fever and ferritin are needed whatever the others say."""
    assert [one.item for one in mas().counted] == ["platelets", "ast", "triglycerides", "fibrinogen"]
    assert {part for row in MAS_2016.rows for part in row.parts} == set(MAS_2016.limits_with("38.5"))


def test_the_whole_is_told_in_words_that_name_no_disease_of_the_subject() -> None:
    """What is required beside how many of four, or why there is no answer."""
    assert in_words(mas(FEBRILE, FERRITIN, *TWO)) == "at or above 2; fever fulfilled; ferritin fulfilled"
    assert in_words(mas(of=("sle",))) == "not applicable (written for sJIA; the records name SLE)"
