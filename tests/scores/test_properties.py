"""What holds of every score, whatever the values: bounds, order, units; examples are drawn, always the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fhir_adapter.jobs.score_observations import score_observations
from fhir_adapter.scores import PARTS, Finding, HScore, Measurement, SubjectScores, hscore
from fhir_adapter.scores.hscore import Choice, total
from fhir_adapter.scores.hscore_table import BANDS, BOTH_ORGANS, ITEMS, LINEAGES, MAXIMUM
from fhir_adapter.scores.model import Evidence
from fhir_adapter.terminology import HSCORE_ITEM, Analyte, analytes
from fhir_adapter.trial import Interval, Result

drawn = settings(derandomize=True, max_examples=200, deadline=None)
some = settings(derandomize=True, max_examples=60, deadline=None)

SCORED = {one.name: one for one in analytes().values() if one.scored}
FINDINGS = [part for parts in PARTS.values() for part in parts if part not in SCORED]
TRACE = Decimal("0.001")
RISING = [name for name in SCORED if name not in LINEAGES and name != "fibrinogen"]
"""More of these is never fewer points; of the others never more."""


def edges(name: str) -> list[Fraction]:
    """Where points change."""
    intervals = [band.values for band in BANDS.get(name, ())] or [LINEAGES[name]]
    return sorted({end for one in intervals for end in (one.low, one.high) if end is not None})


def numbers(name: str) -> st.SearchStrategy[Decimal]:
    """Values that a person can have, most of them near where the points change."""
    limits = SCORED[name].limits
    assert limits.low is not None
    assert limits.high is not None
    low, high = Decimal(str(float(limits.low))), Decimal(str(float(limits.high)))
    at = [Decimal(str(float(edge))) for edge in edges(name)]
    beside = [edge + step for edge in at for step in (-TRACE, 0, TRACE)]
    usual = min(high, 2 * at[-1])
    return st.one_of(st.sampled_from(beside), st.decimals(low, usual, places=1), st.decimals(low, high, places=3))


WHOLE = st.fixed_dictionaries({name: numbers(name) for name in SCORED})
SAID = st.fixed_dictionaries({name: st.booleans() for name in FINDINGS})
HIDDEN = st.sets(st.sampled_from([*SCORED, *FINDINGS]))
CAPS = st.dictionaries(st.sampled_from(list(SCORED)), st.sampled_from(["<", "<=", ">", ">="]))


def measured(values: Mapping[str, Decimal], caps: Mapping[str, str] | None = None) -> list[Measurement]:
    """The values in canonical units, capped where a comparator is given."""
    signs = caps or {}
    return [Measurement(name, str(value), SCORED[name].unit, signs.get(name)) for name, value in values.items()]


def said(findings: Mapping[str, bool]) -> list[Finding]:
    """The findings, present or absent."""
    return [Finding(name, present) for name, present in findings.items()]


def without(things: Mapping[str, Any], hidden: set[str]) -> dict[str, Any]:
    """What is left when some of it is not known."""
    return {name: thing for name, thing in things.items() if name not in hidden}


def bounds(score: HScore) -> dict[str, tuple[int, int]]:
    """The least and the most points of every item."""
    return {item.item: (item.low, item.high) for item in score.items}


@drawn
@given(WHOLE, SAID, HIDDEN)
def test_bounds_contain_every_completion(
    values: Mapping[str, Decimal], findings: Mapping[str, bool], hidden: set[str]
) -> None:
    """Whatever a missing value turns out to be, every item and the score end up between the bounds told before."""
    before = hscore(measured(without(values, hidden)), said(without(findings, hidden)))
    after = hscore(measured(values), said(findings))
    assert after.complete
    assert before.low <= after.low <= before.high
    assert all(low <= bounds(after)[item][0] <= high for item, (low, high) in bounds(before).items())


@drawn
@given(WHOLE, SAID, HIDDEN, CAPS, WHOLE)
def test_bounds_of_capped_values_contain_what_they_stand_for(
    values: Mapping[str, Decimal],
    findings: Mapping[str, bool],
    hidden: set[str],
    caps: Mapping[str, str],
    limits: Mapping[str, Decimal],
) -> None:
    """A value inside the half-line of a capped one never leads out of its bounds."""
    fitting = {
        name: sign
        for name, sign in caps.items()
        if Interval.of(Fraction(limits[name]), sign).contains(Interval.of(Fraction(values[name])))
    }
    shown = {name: limits[name] if name in fitting else value for name, value in values.items()}
    before = hscore(measured(without(shown, hidden), fitting), said(without(findings, hidden)))
    after = hscore(measured(values), said(findings))
    assert not before.issues
    assert before.low <= after.low <= before.high


@drawn
@given(WHOLE, SAID, HIDDEN)
def test_both_bounds_are_reached_by_some_completion(
    values: Mapping[str, Decimal], findings: Mapping[str, bool], hidden: set[str]
) -> None:
    """The bounds are no wider than they must be: the mildest and the gravest missing values reach them."""
    known, told = without(values, hidden), without(findings, hidden)
    before = hscore(measured(known), said(told))
    mildest = hscore(measured({**MILD, **known}), said({**dict.fromkeys(FINDINGS, False), **told}))
    gravest = hscore(measured({**GRAVE, **known}), said({**dict.fromkeys(FINDINGS, True), **told}))
    assert (before.low, before.high) == (mildest.low, gravest.high)


MILD = {name: Decimal(36) if name == "temperature" else Decimal(1 if name in RISING else 20) for name in SCORED}
MILD |= {"platelets": Decimal(300)}
GRAVE = {name: Decimal(41) if name == "temperature" else Decimal(100 if name in RISING else 1) for name in SCORED}
GRAVE |= {"ferritin": Decimal(90000)}


@st.composite
def nested(draw: st.DrawFn, name: str) -> tuple[Interval, Interval]:
    """An interval, and one that lies inside it; ends on edges, beside them and open ends are common."""
    one = st.one_of(st.sampled_from(edges(name)), numbers(name).map(Fraction))
    outer_low, low, high, outer_high = sorted(draw(st.lists(one, min_size=4, max_size=4)))
    flag = st.booleans()
    outer = Interval(
        draw(st.sampled_from([None, outer_low])), draw(st.sampled_from([None, outer_high])), draw(flag), draw(flag)
    )
    inner = draw(st.sampled_from([Interval(low, high, draw(flag), draw(flag)), Interval(low, low), outer]))
    assume(outer.contains(inner) and (inner.low != inner.high or inner.low is None or inner == Interval(low, low)))
    return outer, inner


def chosen(name: str, intervals: Sequence[Interval], conflicting: bool) -> dict[str, Choice]:
    """The choice of results that stand for these intervals; for a lineage with one other that is low."""
    results = [Result(subject="S01", name=name, source="hospital", interval=one) for one in intervals]
    choices = {name: Choice(tuple(Evidence(one, True, "") for one in results), conflicting)}
    other = next(lineage for lineage in LINEAGES if lineage != name)
    low = Result(subject="S01", name=other, source="hospital", interval=Interval.of(Fraction(2)))
    return {other: Choice((Evidence(low, True, ""),)), **choices} if name in LINEAGES else choices


@drawn
@given(st.data(), st.sampled_from(list(SCORED)), st.booleans())
def test_narrowing_an_interval_never_widens_the_score(data: st.DataObject, name: str, conflicting: bool) -> None:
    """To know more of a result (or of one among several) never gives back points that were excluded."""
    pairs = data.draw(st.lists(nested(name), min_size=1, max_size=3))
    wide = total(chosen(name, [outer for outer, _ in pairs], conflicting))
    narrow = total(chosen(name, [inner for _, inner in pairs], conflicting))
    assert wide.low <= narrow.low <= narrow.high <= wide.high


@drawn
@given(WHOLE, SAID, HIDDEN, st.sampled_from([*SCORED, *FINDINGS]))
def test_one_more_answer_never_widens_the_score(
    values: Mapping[str, Decimal], findings: Mapping[str, bool], hidden: set[str], answered: str
) -> None:
    """Every test that comes back takes something off the range, or nothing."""
    before, after = hidden | {answered}, hidden - {answered}
    open_score = hscore(measured(without(values, before)), said(without(findings, before)))
    closed = hscore(measured(without(values, after)), said(without(findings, after)))
    assert open_score.low <= closed.low <= closed.high <= open_score.high


@drawn
@given(WHOLE, SAID, st.sampled_from(list(SCORED)), st.data())
def test_the_score_is_monotone_in_every_measurement(
    values: Mapping[str, Decimal], findings: Mapping[str, bool], name: str, data: st.DataObject
) -> None:
    """Hotter, more ferritin, triglycerides or AST is never fewer points; more fibrinogen or cells never more."""
    less, more = sorted((values[name], data.draw(numbers(name))))
    low, high = (hscore(measured({**values, name: one}), said(findings)).low for one in (less, more))
    assert low <= high if name in RISING else low >= high


@drawn
@given(WHOLE, SAID, st.sampled_from(FINDINGS))
def test_the_score_is_monotone_in_every_finding(
    values: Mapping[str, Decimal], findings: Mapping[str, bool], name: str
) -> None:
    """A finding that is present never gives fewer points than its absence."""
    absent, present = (hscore(measured(values), said({**findings, name: answer})).low for answer in (False, True))
    assert absent <= present


@drawn
@given(WHOLE, SAID, HIDDEN, CAPS)
def test_the_items_sum_up_to_the_total(
    values: Mapping[str, Decimal], findings: Mapping[str, bool], hidden: set[str], caps: Mapping[str, str]
) -> None:
    """Nine items in the order of the paper; no bound is upside down, and none leaves 0 to 337."""
    score = hscore(measured(without(values, hidden), caps), said(without(findings, hidden)))
    assert [item.item for item in score.items] == list(ITEMS)
    assert all(item.low <= item.high for item in score.items)
    assert (score.low, score.high) == tuple(map(sum, zip(*bounds(score).values(), strict=True)))
    assert 0 <= score.low <= score.high <= MAXIMUM


@st.composite
def one_value_in_two_units(draw: st.DrawFn) -> tuple[Analyte, tuple[str, str], tuple[str, str]]:
    """A value that is a finite decimal in both of two units, and its text in each of them."""
    analyte = SCORED[draw(st.sampled_from(list(SCORED)))]
    one, other = (draw(st.sampled_from([*analyte.units, *analyte.aliases])) for _ in range(2))
    first, second = (analyte.units[analyte.ucum(unit) or ""] for unit in (one, other))
    grain = first.factor * second.factor * odd_part(first.factor.denominator) * odd_part(second.factor.denominator)
    aim = Fraction(draw(numbers(analyte.name)))
    digits = draw(st.integers(0, 6))
    # A number of grains is finite in both units; where points change, as near to it as the grain allows.
    steps = round(aim * 10**digits / grain) + draw(st.integers(-1, 1))
    value = grain * steps / 10**digits
    assume(analyte.limits.contains(Interval.of(value)))
    texts = [written(value / unit.factor + unit.zero) for unit in (first, second)]
    return analyte, (texts[0], one), (texts[1], other)


def odd_part(number: int) -> int:
    """A number without its factors 2 and 5, which a decimal takes in its stride."""
    for prime in (2, 5):
        while number % prime == 0:
            number //= prime
    return number


def written(value: Fraction) -> str:
    """A fraction that is a finite decimal, with all its digits."""
    digits = next(count for count in range(60) if (value * 10**count).denominator == 1)
    return f"{Decimal((value * 10**digits).numerator).scaleb(-digits):f}"


@drawn
@given(one_value_in_two_units())
def test_the_choice_of_a_unit_never_changes_the_points(
    drawn_value: tuple[Analyte, tuple[str, str], tuple[str, str]],
) -> None:
    """One value, written exactly in two units or spellings, scores the same."""
    analyte, one, other = drawn_value
    scores = [hscore([Measurement(analyte.name, *text)]) for text in (one, other)]
    assert not scores[0].issues
    assert not scores[1].issues
    assert bounds(scores[0]) == bounds(scores[1])


@st.composite
def observations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Observations of three made-up patients: repeats, resends, capped values, contradictions, nonsense."""
    found = []
    for number in range(draw(st.integers(2, 14))):
        one: dict[str, Any] = {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": draw(st.sampled_from(["final", "final", "final", "corrected", "cancelled", "preliminary"])),
            "subject": {"reference": f"Patient/{draw(st.integers(1, 3))}"},
            "effectiveDateTime": draw(
                st.sampled_from(["2016-03-01T06:30:00+08:00", "2016-03-01T22:00:00Z", "2016-03-02", "2016-03"])
            ),
            "issued": draw(st.sampled_from(["2016-03-03T00:00:00Z", "2016-03-04T00:00:00Z"])),
        }
        if draw(st.booleans()):
            one["specimen"] = {"reference": f"Specimen/{draw(st.integers(1, 2))}"}
        found.append(one | draw(st.one_of(numeric(), finding())))
    return found


@st.composite
def numeric(draw: st.DrawFn) -> dict[str, Any]:
    """The code and the value of a measurement."""
    analyte = SCORED[draw(st.sampled_from(["ferritin", "hemoglobin", "temperature", "platelets"]))]
    value: dict[str, Any] = {
        "value": draw(numbers(analyte.name)),
        "system": "http://unitsofmeasure.org",
        "code": draw(st.sampled_from([analyte.unit, analyte.unit, analyte.unit, "furlong"])),
    }
    if draw(st.booleans()):
        value["comparator"] = draw(st.sampled_from(["<", ">"]))
    code = draw(st.sampled_from(list(analyte.codes)))
    return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": value}


@st.composite
def finding(draw: st.DrawFn) -> dict[str, Any]:
    """The code and the answer of a finding."""
    code = draw(st.sampled_from(["hepatomegaly", "splenomegaly", "marrow-hemophagocytosis", "known-immunosuppression"]))
    coding = {"system": HSCORE_ITEM, "code": code}
    if draw(st.booleans()):
        coding = {"system": "http://snomed.info/sct", "code": "36760000"}
    return {"code": {"coding": [coding]}, "valueBoolean": draw(st.booleans())}


def told(resources: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Everything that is said of these Observations, with no order among subjects, evidence and issues."""
    scored = score_observations(resources)
    issues = sorted(str(issue.to_dict()) for issue in scored.issues)
    return {"issues": issues, **{one.subject: items_of(one) for one in scored.subjects}}


def items_of(one: SubjectScores) -> list[object]:
    """Points, state and evidence of every item."""
    (window,) = one.windows
    return [
        replace(item, evidence=tuple(sorted(item.evidence, key=repr)), notes=tuple(sorted(item.notes)))
        for item in window.score.items
    ]


@some
@given(observations(), st.randoms(use_true_random=False))
def test_the_order_of_observations_never_changes_the_result(resources: list[dict[str, Any]], random: Any) -> None:
    """Servers give pages in any order: points, states, evidence and issues are the same."""
    shuffled = random.sample(resources, len(resources))
    assert told(shuffled) == told(resources)


@drawn
@given(WHOLE, SAID, HIDDEN, st.randoms(use_true_random=False), st.one_of(st.none(), st.booleans()))
def test_the_order_of_measurements_and_findings_never_changes_the_score(
    values: Mapping[str, Decimal], findings: Mapping[str, bool], hidden: set[str], random: Any, both: bool | None
) -> None:
    """With what was measured twice, and with a combined finding that may contradict the single ones."""
    many = [*measured(values), *measured({name: value for name, value in MILD.items() if name in hidden})]
    answers = [*said(findings), Finding(BOTH_ORGANS, both)]
    shuffled = hscore(random.sample(many, len(many)), random.sample(answers, len(answers)))
    assert bounds(shuffled) == bounds(hscore(many, answers))
