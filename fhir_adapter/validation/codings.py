"""Whether the codes that a resource uses exist in their code systems, and are called what they are called there.

Asked of every Coding and of the unit of every Quantity, bound or not. Severities are those of HL7's own engine. Source:
https://hl7.org/fhir/R4/terminologies.html#4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.issues import Severity
from fhir_adapter.validation.findings import shown_code
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.run import NOT_EVALUATED
from fhir_adapter.validation.value_sets.external_systems import is_external, right_address, shown_system
from fhir_adapter.validation.value_sets.memory import Memory

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run
    from fhir_adapter.validation.value_sets import ValueSets

_QUANTITIES: Final = ("Quantity", "Age", "Count", "Distance", "Duration")
_LONGEST_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a coding, wherever it stands."""

    severity: Severity
    code: str
    message: str
    step: str
    """Where, below the path of the coding."""
    rule: str
    is_about_names: bool = False
    """Whether it is only a warning in a resource that is not in English."""


def coding_checks(engine: Engine) -> Mapping[str, Check]:
    """The check of each datatype that holds a code with its system, by the name of the type."""
    if engine.options.structure_only:
        return {}
    coding = _check(_Codings(engine.value_sets, "Coding"))
    quantity = _check(_Codings(engine.value_sets, "Quantity"))
    return {"Coding": coding} | dict.fromkeys(_QUANTITIES, quantity)


def _check(codings: _Codings) -> Check:
    def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if value.__class__ is dict:
            for each in codings.findings(value):
                is_soft = each.is_about_names and _is_translated(run.resource)
                severity = "warning" if is_soft else each.severity
                run.report(severity, each.code, each.message, path + each.step, each.rule)

    return check


def _is_translated(resource: Mapping[str, Any]) -> bool:
    language = resource.get("language")
    return isinstance(language, str) and not language.lower().startswith("en")


class _Codings:
    """What is wrong with codings, remembered: the same few come again and again."""

    def __init__(self, value_sets: ValueSets, kind: str) -> None:
        self._value_sets = value_sets
        self._kind = kind
        self._known = Memory[tuple[Finding, ...]]()

    def findings(self, coding: Mapping[str, Any]) -> tuple[Finding, ...]:
        """What is wrong with one coding; what is no text is for others to say."""
        get = coding.get
        key = (get("system"), get("code"), get("display"), get("version"))
        try:
            found = self._known.get(key)
        except TypeError:  # a list or an object in place of a text
            return ()
        if found is None:
            texts = tuple(each if isinstance(each, str) else None for each in key)
            found = tuple(self._judge(*texts))
            if texts == key:
                self._known.keep(texts, found)
        return found

    def _judge(
        self, system: str | None, code: str | None, display: str | None, version: str | None
    ) -> Iterator[Finding]:
        if system is None:
            if code is not None and self._kind == "Coding":
                yield self._said("warning", "no-system", "a code without its system means nothing", "")
            return
        wrong = self._wrong_system(system)
        if wrong is not None:
            yield wrong
        elif code is not None:
            yield from self._code(system, code, display, version)

    # Systems

    def _wrong_system(self, system: str) -> Finding | None:
        if ":" not in system:
            return self._said("error", "system-not-absolute", "the system is no absolute address", ".system")
        if self._value_sets.code_system(system) is not None or is_external(system):
            return None
        if self._value_sets.is_value_set(system):
            message = f"{system} is a value set; right is the code system that the code is from"
            return self._said("error", "system-is-value-set", message, ".system")
        right = right_address(system)
        if right is not None:
            return self._said("error", "system-misspelt", f"right is {right}", ".system")
        return None

    # Codes

    def _code(self, system: str, code: str, display: str | None, version: str | None) -> Iterator[Finding]:
        answer = self._value_sets.code_exists(system, code)
        local = self._value_sets.code_system(system)
        if local is not None and version and local.version != version and not answer.is_yes:
            yield self._open(f"version {local.version} of {shown_system(system)} is at hand, not the one given", system)
        elif answer.is_no:
            yield self._unknown_code(system, code)
        elif local is not None and local.content == "fragment" and not answer.is_yes:
            message = f"{shown_code(code)} is not in the part of {shown_system(system)} that is at hand"
            yield self._said("warning", "code-unknown", message, ".code")
        elif not answer.is_yes:
            yield from self._cannot_be_told(system, answer.why)
        elif display is not None:
            yield from self._display(system, code, display)

    def _unknown_code(self, system: str, code: str) -> Finding:
        why = "cannot be a code of" if is_external(system) else "is not in"
        return self._said("error", "code-unknown", f"{shown_code(code)} {why} {shown_system(system)}", ".code")

    def _cannot_be_told(self, system: str, why: str) -> Iterator[Finding]:
        is_known = is_external(system) or self._value_sets.code_system(system) is not None
        if is_known or self._kind != "Coding":
            yield self._open(why, system)
        else:
            message = f"{shown_system(system)} is not at hand, so the code cannot be checked"
            yield self._said("warning", "code-system-unknown", message, ".system")

    def _display(self, system: str, code: str, display: str) -> Iterator[Finding]:
        names = self._value_sets.displays(system, code)
        if names and _plain(display) not in {_plain(name) for name in names}:
            message = f"the display is not what {shown_system(system)} calls the code: {names[0][:_LONGEST_SHOWN]!r}"
            severity: Severity = "error" if display.isascii() else "warning"
            yield Finding(severity, "display", message, ".display", f"{self._kind}.display", is_about_names=True)

    # Findings

    def _said(self, severity: Severity, code: str, message: str, step: str) -> Finding:
        return Finding(severity, code, message, step, f"{self._kind}{step or '.system'}")

    def _open(self, why: str, system: str) -> Finding:
        """Said once for each system; `rule` is what tells them apart."""
        message = f"whether the code exists cannot be told: {why}"
        rule = shown_system(system).removeprefix("the code system").strip()
        return Finding("information", NOT_EVALUATED, message, "", rule or f"{self._kind}.code")


def _plain(display: str) -> str:
    """A display as it is compared: without case, and with single blanks."""
    return " ".join(display.split()).casefold()
