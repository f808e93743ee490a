"""How a compiled expression is evaluated: what goes in, what comes out, and what may never come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.items import Collection, Element, boolean, system, system_name, to_json
from fhir_adapter.fhirpath.navigate import Navigator, Untyped
from fhir_adapter.fhirpath.scope import Scope
from fhir_adapter.fhirpath.shortcuts import Asked, Shortcuts, compiler_for
from fhir_adapter.fhirpath.tree import Node

_TOO_DEEP = "nested too deeply to be evaluated"


class Expression:
    """One expression, ready to be asked of any number of resources; safe to share between threads.

    Call it with a resource (or any element as JSON) to get a list of JSON values. What is named is its environment:
    `resource` and `root_resource` (`%resource`, `%rootResource`; by default what the call is about), the hooks
    `resolve`, `member_of`, `conforms_to`, `element_definition`, `trace` and `now`, and any other name as `%name`.
    Raises `EvaluationError`, and nothing else, when there is no answer.
    """

    def __init__(self, text: str, tree: Node, navigator: Navigator | Untyped, kind: str | None) -> None:
        self.text = text
        self.tree = tree
        self.type = kind
        """The FHIR type on which it is evaluated, when that was told; a resource says its own."""
        self._navigator = navigator
        self._run = compiler_for(navigator).expression(tree)
        self._shortcuts = Shortcuts(navigator, tree)

    def __repr__(self) -> str:
        return f"compile({self.text!r})"

    def __call__(self, resource: Any, /, **environment: Any) -> list[Any]:  # noqa: ANN401 - JSON is any value
        """What the expression finds, as JSON values."""
        quick = self._shortcuts.values(self._kind(resource))
        if quick is None:
            return [to_json(item) for item in self.items(resource, environment)]
        try:
            return quick(resource, Asked(self._navigator, resource, self.type, environment))
        except RecursionError as error:
            raise EvaluationError(_TOO_DEEP) from error

    def truth(self, resource: Any, /, **environment: Any) -> bool | None:  # noqa: ANN401 - JSON is any value
        """Whether it holds, as an invariant is asked; None without an answer, true for one item that is no boolean."""
        quick = self._shortcuts.truth(self._kind(resource))
        if quick is None:
            return boolean(self.items(resource, environment), "the expression")
        try:
            return quick(resource, Asked(self._navigator, resource, self.type, environment))
        except RecursionError as error:
            raise EvaluationError(_TOO_DEEP) from error

    def _kind(self, resource: Any) -> Any:  # noqa: ANN401 - JSON is any value
        """The name of the type of a JSON object; None of anything else."""
        return (self.type or resource.get("resourceType")) if resource.__class__ is dict else None

    def typed(self, resource: Any, /, **environment: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - JSON
        """What it finds, each with the name of its type: `("System.Integer", 4)`, `("FHIR.code", "home")`."""
        return [(type_name(item), to_json(item)) for item in self.items(resource, environment)]

    def items(self, resource: Any, environment: Mapping[str, Any]) -> Collection:  # noqa: ANN401 - JSON is any value
        """What it finds, as items that know their types."""
        focus = resource if resource.__class__ is Element else self._navigator.root(resource, self.type)
        scope = Scope(self._navigator, focus, environment)
        try:
            return self._run([focus], scope)
        except RecursionError as error:
            raise EvaluationError(_TOO_DEEP) from error


def type_name(item: Any) -> str:  # noqa: ANN401 - an item of any kind
    """The name of an item's type with its namespace; a simple value of no known FHIR type is a System value."""
    if item.__class__ is Element:
        if item.type is not None:
            return f"FHIR.{item.type.name}"
        if isinstance(item.value, dict) or item.value is None:
            return "FHIR.Element"
    return f"System.{system_name(system(item))}"
