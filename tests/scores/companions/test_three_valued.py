"""The three answers, checked against every completion of what is not known, by rules written a second time here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import pytest

from fhir_adapter.scores.companions import Criteria, hlh_2004
from fhir_adapter.scores.companions.three_valued import UNKNOWN, deciding_by
from fhir_adapter.scores.hscore import Choice
from fhir_adapter.trial import Result
from tests.scores.companions.made_up import chosen, mas, received, stated

Facts = Mapping[str, bool | None]
"""Whether each part is fulfilled; None when nobody knows."""

HLH_PARTS: Mapping[str, tuple[Result, Result]] = {
    "temperature": (received("temperature", "38.5 Cel"), received("temperature", "38.4 Cel")),
    "splenomegaly": (stated("splenomegaly", True), stated("splenomegaly", False)),
    "ferritin": (received("ferritin", "500 ug/L"), received("ferritin", "499 ug/L")),
    "nk_activity": (stated("nk_activity", True), stated("nk_activity", False)),
    "soluble_cd25": (stated("soluble_cd25", True), stated("soluble_cd25", False)),
    "hemoglobin": (received("hemoglobin", "8.9 g/dL"), received("hemoglobin", "9.0 g/dL")),
    "platelets": (received("platelets", "99 10*9/L"), received("platelets", "100 10*9/L")),
    "neutrophils": (received("neutrophils", "0.9 10*9/L"), received("neutrophils", "1 10*9/L")),
    "triglycerides": (received("triglycerides", "265 mg/dL"), received("triglycerides", "264 mg/dL")),
    "fibrinogen": (received("fibrinogen", "1.5 g/L"), received("fibrinogen", "1.6 g/L")),
    "marrow_hemophagocytosis": (stated("marrow_hemophagocytosis", True), stated("marrow_hemophagocytosis", False)),
}
"""A result that fulfils each part, and one that does not."""
MAS_PARTS: Mapping[str, tuple[Result, Result]] = {
    "temperature": (received("temperature", "38.5 Cel"), received("temperature", "38.4 Cel")),
    "ferritin": (received("ferritin", "685 ng/mL"), received("ferritin", "684 ng/mL")),
    "platelets": (received("platelets", "181 10*9/L"), received("platelets", "182 10*9/L")),
    "ast": (received("ast", "49 U/L"), received("ast", "48 U/L")),
    "triglycerides": (received("triglycerides", "157 mg/dL"), received("triglycerides", "156 mg/dL")),
    "fibrinogen": (received("fibrinogen", "360 mg/dL"), received("fibrinogen", "361 mg/dL")),
}
CHOICES = {
    name: {fulfilled: chosen(result)[name] for fulfilled, result in zip((True, False), both, strict=True)}
    for name, both in HLH_PARTS.items()
}


def eight(facts: Mapping[str, bool]) -> list[bool]:
    """The eight criteria of the paper when everything is known."""
    lineages = (facts["hemoglobin"], facts["platelets"], facts["neutrophils"])
    return [
        *(facts[name] for name in ("temperature", "splenomegaly")),
        lineages.count(True) >= 2,
        facts["triglycerides"] or facts["fibrinogen"],
        *(facts[name] for name in ("marrow_hemophagocytosis", "nk_activity", "ferritin", "soluble_cd25")),
    ]


def completions(facts: Facts) -> Iterator[dict[str, bool]]:
    """Everything that may be true."""
    yield from (
        dict(zip(facts, values, strict=True))
        for values in product(*[(True, False) if known is None else (known,) for known in facts.values()])
    )


def expected(facts: Facts, count: Callable[[dict[str, bool]], int], needed: int) -> tuple[int, int, str]:
    """The least and the most that can be met, and what follows, by trying everything."""
    counts = [count(one) for one in completions(facts)]
    enough = {one >= needed for one in counts}
    status = "undetermined" if len(enough) == 2 else "met" if enough == {True} else "not met"
    return min(counts), max(counts), status


def answers(whole: Criteria) -> tuple[int, int, str]:
    """What the program says."""
    return whole.low, whole.high, whole.status


def by_parts(names: tuple[str, ...], rest: Facts) -> Iterator[Facts]:
    """Every combination of fulfilled, not fulfilled and unknown for some parts, the others as given."""
    for values in product((True, False, None), repeat=len(names)):
        yield {**rest, **dict(zip(names, values, strict=True))}


def evaluated(facts: Facts) -> Criteria:
    """HLH-2004 of results that say so."""
    found: dict[str, Choice] = {name: CHOICES[name][known] for name, known in facts.items() if known is not None}
    return hlh_2004.evaluate(found)


SINGLE = ("temperature", "splenomegaly", "ferritin", "nk_activity", "soluble_cd25")
COMPOUND = ("hemoglobin", "platelets", "neutrophils", "triglycerides", "fibrinogen", "marrow_hemophagocytosis")


def test_every_combination_of_the_eight_criteria_agrees_with_every_completion() -> None:
    """Each criterion fulfilled, not fulfilled or unknown through one of its parts: 6,561 combinations."""
    settled: Facts = {"neutrophils": True, "triglycerides": False}
    combinations = list(by_parts((*SINGLE, "platelets", "fibrinogen", "marrow_hemophagocytosis"), settled))
    assert len(combinations) == 6561
    whole = [{**facts, "hemoglobin": False} for facts in combinations]
    told = [answers(evaluated(facts)) for facts in whole]
    assert told == [expected(facts, lambda one: sum(eight(one)), 5) for facts in whole]


def test_every_combination_of_the_compound_criteria_agrees_with_every_completion() -> None:
    """Three lineages, triglycerides, fibrinogen and marrow, beside two, three and four criteria that are met."""
    for met in (2, 3, 4):
        rest: Facts = {name: place < met for place, name in enumerate(SINGLE)}
        whole = list(by_parts(COMPOUND, rest))
        told = [answers(evaluated(facts)) for facts in whole]
        assert told == [expected(facts, lambda one: sum(eight(one)), 5) for facts in whole]


def test_every_combination_of_the_2016_criteria_agrees_with_every_completion() -> None:
    """Fever, ferritin and two of four: 729 combinations."""
    names = tuple(MAS_PARTS)
    for facts in by_parts(names, {}):
        results = [MAS_PARTS[name][0 if known else 1] for name, known in facts.items() if known is not None]
        whole = mas(*results)
        four = [facts[name] for name in names[2:]]
        assert (whole.low, whole.high) == (four.count(True), 4 - four.count(False))
        assert whole.status == expected(facts, _whole_of_2016, 1)[2]


def _whole_of_2016(facts: Mapping[str, bool]) -> int:
    four = [facts[name] for name in ("platelets", "ast", "triglycerides", "fibrinogen")]
    return int(facts["temperature"] and facts["ferritin"] and sum(four) >= 2)


@pytest.mark.parametrize(("present", "word"), [(True, "yes"), (False, "no")])
def test_a_finding_decides_and_the_reason_says_how(present: bool, word: str) -> None:
    """It has no limit to lie on one side of."""
    whole = hlh_2004.evaluate(chosen(stated("soluble_cd25", present)))
    assert whole.item("soluble_cd25").why == f"raised soluble CD25: {word}"


@pytest.mark.parametrize(
    "result",
    [received("ast", "48 U/L"), Result(subject="S01", name="temperature", source="typed")],
    ids=["a part without a limit", "neither a number nor a finding"],
)
def test_what_no_limit_decides_is_not_known(result: Result) -> None:
    """It is never counted as no."""
    assert deciding_by(hlh_2004.HLH_2004.limits_with("38.5"))(result.name, result) == UNKNOWN
