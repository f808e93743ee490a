"""Whether coded values are in the value set that is bound to their element, as strictly as it is bound.

Source: https://hl7.org/fhir/R4/terminologies.html#strength. What cannot be told from the value sets at hand is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fhir_adapter.issues import Severity
from fhir_adapter.validation.findings import shown_code
from fhir_adapter.validation.lists import Further
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.plan import Binding, Element
from fhir_adapter.validation.value_sets import Answer, Expansion

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run

_SEVERITIES: Mapping[str, Severity] = {"required": "error", "extensible": "warning", "preferred": "information"}
WEAKENED: Mapping[tuple[str, str], str] = {
    ("Observation.component.value[x]", "http://hl7.org/fhir/ValueSet/ucum-vitals-common|4.0.1"): "extensible",
}
"""Bindings of R4 that bind more than they mean to, with the strength that HL7's engine gives them: the vital signs'
units would else be the only values of any component, of whatever type."""

_VERBS = {"error": "must be", "warning": "should be, where one of them fits,", "information": "may best be"}
_REMEMBERED = 10_000


class Bound:
    """One value set, bound with one strength to one element."""

    def __init__(self, engine: Engine, element: Element, value_set: str, severity: Severity) -> None:
        self._engine = engine
        self._element = element
        self._value_set = value_set
        self._severity = severity
        self._expansion: Expansion | None = None
        self._known: dict[tuple[str | None, str], Answer] = {}

    def holds(self, system: str | None, code: str) -> Answer:
        """Whether a coding is in the value set."""
        key = (system, code)
        found = self._known.get(key)
        if found is None:
            expansion = self._expansion = self._expansion or self._engine.expansion(self._value_set)
            found = expansion.holds(system, code)
            if len(self._known) < _REMEMBERED:
                self._known[key] = found
        return found

    def holds_code(self, code: str) -> Answer:
        """Whether a bare code is in the value set."""
        key = ("", code)
        found = self._known.get(key)
        if found is None:
            expansion = self._expansion = self._expansion or self._engine.expansion(self._value_set)
            found = expansion.holds_code(code)
            if len(self._known) < _REMEMBERED:
                self._known[key] = found
        return found

    def refuse(self, what: str, path: str, run: Run) -> None:
        """Say that a value is outside."""
        message = f"{self._element.id}: {what} {_VERBS[self._severity]} from {self._value_set}"
        run.report(self._severity, "code-not-allowed", message, path, self._element.id)

    def unknown(self, answer: Answer, path: str, run: Run) -> None:
        """Say that it cannot be told."""
        if self._severity != "information":
            message = f"whether the code is in {self._value_set} cannot be told: {answer.why}"
            run.not_evaluated(message, path, self._element.id)


def binding_check(engine: Engine, element: Element, binding: Binding, kind: str) -> Iterator[Check]:
    """The checks of a Coding, CodeableConcept or Quantity (its unit) against the bound value set."""
    for bound in _bound(engine, element, binding):
        if kind == "CodeableConcept":
            yield _concept(bound)
        elif kind in ("Coding", "Quantity", "Age", "Count", "Distance", "Duration", "Money"):
            yield _coding(bound)


def code_check(engine: Engine, element: Element, binding: Binding) -> Iterator[Further]:
    """The checks of a bare code against the bound value set."""
    for bound in _bound(engine, element, binding):
        yield _code(bound)


def _bound(engine: Engine, element: Element, binding: Binding) -> Iterator[Bound]:
    if engine.options.structure_only:
        return
    stated = WEAKENED.get((element.path, binding.value_set or ""), binding.strength)
    severity = _SEVERITIES.get(stated)
    if severity is not None and binding.value_set:
        yield Bound(engine, element, binding.value_set, severity)
    if binding.most:
        yield Bound(engine, element, binding.most, "error")


def _code(bound: Bound) -> Further:
    def check(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        answer = bound.holds_code(value)
        if answer.is_no:
            bound.refuse(shown_code(value), path, run)
        elif not answer.is_yes:
            bound.unknown(answer, path, run)

    return check


def _coding(bound: Bound) -> Check:
    def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        system, code = value.get("system"), value.get("code")
        if not isinstance(code, str) or not (system is None or isinstance(system, str)):
            return
        answer = bound.holds(system, code)
        if answer.is_no:
            bound.refuse(shown_code(code), path, run)
        elif not answer.is_yes:
            bound.unknown(answer, path, run)

    return check


def _concept(bound: Bound) -> Check:
    def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        codings = value.get("coding")
        open_answer = None
        is_empty = True
        for coding in codings if isinstance(codings, list) else ():
            code = coding.get("code") if isinstance(coding, dict) else None
            if not isinstance(code, str):
                continue
            is_empty = False
            system = coding.get("system")
            answer = bound.holds(system if isinstance(system, str) else None, code)
            if answer.is_yes:
                return
            if not answer.is_no:
                open_answer = answer
        if open_answer is not None:
            bound.unknown(open_answer, path, run)
        elif not is_empty:
            bound.refuse("none of the codings is in the value set; one", path, run)
        elif not _says_why(value):
            bound.refuse("no code is given; one", path, run)

    return check


def _says_why(concept: Mapping[str, Any]) -> bool:
    """An extension (data-absent-reason) may stand for the code."""
    return "extension" in concept
