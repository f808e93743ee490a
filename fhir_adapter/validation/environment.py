"""What the expressions of invariants may ask beyond the resource: other resources, value sets, other profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run
    from fhir_adapter.validation.value_sets import Answer, Expansion


def environment(engine: Engine, run: Run) -> dict[str, Any]:
    """The hooks of FHIRPath for one run: `resolve()`, `memberOf()` and `conformsTo()`."""

    def resolve(reference: str) -> Any:  # noqa: ANN401 - a resource
        found = run.surroundings.resolve(reference, run)
        return found[0] if found else None

    def member_of(value: Any, value_set: str) -> bool | None:  # noqa: ANN401 - JSON
        return _is_member(value, engine.expansion(value_set))

    def conforms_to(value: Any, profile: str) -> bool | None:  # noqa: ANN401 - JSON
        if engine.profile_check(profile) is None:
            return None
        return engine.conforms(value, profile, run.owner[1], run)

    return {"resolve": resolve, "member_of": member_of, "conforms_to": conforms_to}


def _is_member(value: Any, expansion: Expansion) -> bool | None:  # noqa: ANN401 - JSON
    """Whether a code, a Coding, or one of the codings of a concept is in the set; None when nobody knows."""
    answers = list(_answers(value, expansion))
    if any(answer.is_yes for answer in answers):
        return True
    return False if all(answer.is_no for answer in answers) else None


def _answers(value: Any, expansion: Expansion) -> list[Answer]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return [expansion.holds_code(value)]
    if not isinstance(value, dict):
        return []
    codings = value["coding"] if isinstance(value.get("coding"), list) else [value]
    return [
        expansion.holds(each.get("system") if isinstance(each.get("system"), str) else None, each["code"])
        for each in codings
        if isinstance(each, dict) and isinstance(each.get("code"), str)
    ]
