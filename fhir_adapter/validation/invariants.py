"""The invariants of an element as functions: FHIRPath, compiled when it is first needed, asked only where it can fail.

Most invariants speak of one or two children (`obs-6`: `dataAbsentReason` and `value`). Where none of them is there, the
answer is always the one for an empty element, so it is found once and the expression is not asked again. And where an
expression asks only whether children are there, the same children always give the same answer, which is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fhir_adapter.fhirpath import Expression, FhirPathError, compile  # noqa: A004 - the name of the interface
from fhir_adapter.fhirpath.items import Element
from fhir_adapter.fhirpath.model import load_model
from fhir_adapter.issues import Severity
from fhir_adapter.validation.guards import idle_keys, presence_keys
from fhir_adapter.validation.plan import Rule
from fhir_adapter.validation.run import Run

ELSEWHERE = frozenset({"ele-1", "ref-1", "dom-3", "bdl-7", "bdl-8", "txt-1", "txt-2"})
"""Invariants that other rules here say more exactly: empty elements, fragments, contained resources, full addresses,
narratives."""

CORRECTED: Mapping[str, str] = {
    "operator = 'exists' implies (answer is Boolean)": "operator = 'exists' implies (answer is boolean)",
    "probability is decimal implies (probability as decimal) <= 100": (
        "(probability.exists() and (probability is decimal)) implies ((probability as decimal) <= 100)"
    ),
    "enableWhen.count() > 2 implies enableBehavior.exists()": "enableWhen.count() > 1 implies enableBehavior.exists()",
    "($this as dateTime).toString().length() >= 8": "($this is dateTime) implies ($this.toString().length() >= 8)",
    "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')": "name.exists() implies name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
}
"""Expressions of R4 that do not say what the text beside them says (que-7, ras-2, que-12, vs-1 and the names of
definitions), each with one that does, as in later versions of FHIR."""

_UNREADABLE = "unreadable"


class Invariant:
    """One rule, asked of an element as JSON, or of a primitive with its sibling."""

    __slots__ = ("_answers", "_expression", "_idle", "_presence", "_type", "rule")

    def __init__(self, rule: Rule, type_name: str) -> None:
        self.rule = rule
        self._type = type_name
        self._expression: Expression | None = None
        self._idle: frozenset[str] | None = None
        self._presence: frozenset[str] | None = None
        self._answers: dict[frozenset[str], bool] = {}

    def check(self, value: Mapping[str, Any], path: str, run: Run) -> None:
        """Ask it of an object."""
        expression = self._expression or self._compile()
        if self._idle is not None and self._idle.isdisjoint(value):
            return
        if self._presence is None:
            self._ask(expression, value, path, run)
            return
        there = self._presence.intersection(value)
        if not self._answers.get(there):
            self._answers[there] = self._ask(expression, value, path, run)

    def check_primitive(self, value: Any, sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        """Ask it of a primitive value."""
        expression = self._expression or self._compile()
        model = load_model()
        kind = model.type(self._type)
        self._ask(expression, Element(value, kind, model.system_type(self._type), sibling), path, run)

    def _ask(self, expression: Expression, value: Any, path: str, run: Run) -> bool:  # noqa: ANN401 - JSON or element
        rule = self.rule
        try:
            holds = expression.truth(value, **run.environment)
        except FhirPathError as error:
            run.not_evaluated(f"{rule.key} has no answer: {error}", path, rule.key)
            return False
        if not holds:
            severity: Severity = "error" if rule.severity == "error" and holds is not None else "warning"
            open_end = " (cannot be decided from what is here)" if holds is None else ""
            run.report(severity, "invariant", f"{rule.key}: {rule.human}{open_end}", path, rule.key)
        return bool(holds)

    def _compile(self) -> Expression:
        kind = None if self._type in ("Resource", "DomainResource") else self._type
        try:
            expression = compile(self.rule.expression or "", type=kind)
        except FhirPathError:
            try:
                expression = compile(self.rule.expression or "")
            except FhirPathError as error:
                expression = compile("true")
                self.rule = Rule(self.rule.key, _UNREADABLE, str(error), None)
        self._expression = expression
        self._idle = idle_keys(expression, self._type)
        self._presence = presence_keys(expression, self._type)
        return expression

    def unreadable(self) -> str | None:
        """Why the expression cannot be read, when it cannot."""
        if self._expression is None:
            self._compile()
        return self.rule.human if self.rule.severity == _UNREADABLE else None


def invariants(rules: Iterator[Rule], type_name: str, *, best_practice: bool) -> tuple[Invariant, ...]:
    """The rules that are asked on elements of a type, each key once."""
    found: dict[str, Invariant] = {}
    for rule in rules:
        if rule.key in ELSEWHERE or not rule.expression or rule.key in found:
            continue
        if rule.is_best_practice and not best_practice:
            continue
        found[rule.key] = _invariant(rule.key, rule.severity, rule.human, rule.expression, type_name)
    return tuple(found.values())


@cache
def _invariant(key: str, severity: str, human: str, expression: str, type_name: str) -> Invariant:
    """The same rule of the same type is compiled once, wherever it stands."""
    right = CORRECTED.get(expression, expression)
    return Invariant(Rule(key, severity, human, right), type_name)
