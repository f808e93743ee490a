"""What stands behind a score of plain values: every one of them, as it was given, and what could not be used."""

from __future__ import annotations

from fractions import Fraction

from fhir_adapter.issues import Issue, Where
from fhir_adapter.scores import Evidence, Finding, Measurement, hscore
from fhir_adapter.trial import Interval, Result, read_moment

AT = "2016-03-01T06:30:00+08:00"
COUNTS = "every value counts: the one with the most points decides"


def test_a_value_is_kept_as_it_was_given() -> None:
    """Subject, text of the value, unit, comparator, time and what was thought of the unit."""
    given = Measurement("ferritin", "40000", "ug/L", ">", effective=read_moment(AT), subject="S01")
    (evidence,) = hscore([given]).item("ferritin").evidence
    assert evidence == Evidence(
        Result(
            subject="S01",
            name="ferritin",
            source="typed",
            interval=Interval(Fraction(40000), None, low_open=True),
            value="40000",
            unit="ug/L",
            comparator=">",
            effective=read_moment(AT),
            flags=("unit ug/L read from its text",),
        ),
        used=True,
        why=COUNTS,
    )


def test_a_time_may_be_given_as_its_text() -> None:
    """Notebooks know texts, not moments."""
    given = Measurement("ferritin", "3000", "ug/L", effective=AT)  # type: ignore[arg-type]  # as a notebook does
    (evidence,) = hscore([given]).item("ferritin").evidence
    assert evidence.result.effective == read_moment(AT)


def test_a_measurement_without_a_value_was_not_done() -> None:
    """It is evidence that nothing was measured, and leaves everything open."""
    item = hscore([Measurement("ferritin", None, None, effective=read_moment(AT), subject="S01")]).item("ferritin")
    absent = Result(subject="S01", name="ferritin", source="typed", not_done=True, effective=read_moment(AT))
    assert (item.low, item.high, item.state) == (0, 50, "not_done")
    assert item.evidence == (Evidence(absent, used=True, why=COUNTS),)


def test_a_finding_is_kept_as_it_was_given() -> None:
    """Of no subject: it is asked of the one whose score it is."""
    (evidence,) = hscore([], [Finding("hepatomegaly", True)]).item("organomegaly").evidence
    assert evidence == Evidence(Result(subject="", name="hepatomegaly", source="typed", present=True), True, COUNTS)


def test_what_cannot_be_used_does_not_stop_what_follows() -> None:
    """A missing value, an unknown unit and a missing unit come before a ferritin that counts."""
    given = [
        *(Measurement("ast", None, None), Measurement("ast", "40", "furlong"), Measurement("fibrinogen", "2", None)),
        Measurement("ferritin", "3000", "ng/mL"),
    ]
    score = hscore(given)
    assert score.item("ferritin").low == 35
    assert [issue.code for issue in score.issues] == ["unknown-unit", "missing-unit"]


def test_an_unknown_finding_is_told_with_its_place_and_does_not_stop_the_next() -> None:
    """At most forty letters of it are repeated."""
    score = hscore([], [Finding("x" * 50, True), Finding("hepatomegaly", True)])
    message = f"'{'x' * 40}' is no finding of the HScore"
    assert score.issues == (Issue("error", "unknown-finding", message, Where(expression="findings")),)
    assert score.item("organomegaly").low == 23
