"""Results of a made-up subject as a companion's criteria take them: in the unit received, or as a finding."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_adapter.scores.companions import hlh_2004, mas_2016
from fhir_adapter.scores.companions.model import Criteria, Diagnosis, Population
from fhir_adapter.scores.hscore import Choice
from fhir_adapter.scores.model import Evidence
from fhir_adapter.terminology import normalise
from fhir_adapter.trial import Result


def received(name: str, text: str, **more: str) -> Result:
    """A result as written, such as `>= 265 mg/dL`: the interval is exact, value and unit are as received."""
    *sign, value, unit = text.split()
    comparator = sign[0] if sign else None
    read = normalise(name, value, unit, comparator=comparator)
    return Result(
        subject="S01",
        name=name,
        source="hospital",
        interval=read.interval,
        value=value,
        unit=unit,
        comparator=comparator,
        method=more.get("method", ""),
    )


def stated(name: str, present: bool) -> Result:
    """A finding that a site stated."""
    return Result(subject="S01", name=name, source="typed", present=present)


def chosen(*results: Result, conflicting: bool = False) -> dict[str, Choice]:
    """All of these count."""
    names = dict.fromkeys(one.name for one in results)
    return {name: Choice(tuple(_evidence(results, name)), conflicting) for name in names}


def _evidence(results: Iterable[Result], name: str) -> Iterable[Evidence]:
    return (Evidence(one, used=True, why="given") for one in results if one.name == name)


def hlh(*results: Result) -> Criteria:
    """HLH-2004 of what is given."""
    return hlh_2004.evaluate(chosen(*results))


def hlh_verdict(item: str, *results: Result) -> str:
    """One criterion of HLH-2004."""
    return hlh(*results).item(item).verdict


def mas(*results: Result, of: Iterable[Population] = ("sjia",)) -> Criteria:
    """The 2016 criteria of what is given."""
    return mas_2016.evaluate(chosen(*results), Diagnosis(frozenset(of)))


def mas_verdict(item: str, *results: Result) -> str:
    """One of the 2016 criteria."""
    return mas(*results).item(item).verdict
