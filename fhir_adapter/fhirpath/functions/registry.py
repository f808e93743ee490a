"""Which functions an expression may call, and how each one wants its arguments.

A function of values gets its input and the values of its arguments; one that is `scoped` gets the scope first. A `lazy`
function gets its arguments unevaluated, to evaluate them on each item (`where`) or not at all (`iif`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fhir_adapter.fhirpath.items import Collection
from fhir_adapter.fhirpath.scope import Scope

Run = Callable[[Collection, Scope], Collection]
"""What an expression became: from the items of `$this` and a scope to the items of the answer."""

Kind = Literal["values", "scoped", "lazy"]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what it does, and with how many arguments at least and at most."""

    name: str
    run: Callable[..., Collection]
    least: int
    most: int
    kind: Kind


FUNCTIONS: dict[str, Function] = {}
"""Every function by name, filled by the modules beside this one."""

Decorated = Callable[..., Collection]


def function(name: str, least: int = 0, most: int | None = None) -> Callable[[Decorated], Decorated]:
    """`run(items, *arguments)`: from values to values."""
    return _entering(name, least, most, "values")


def scoped(name: str, least: int = 0, most: int | None = None) -> Callable[[Decorated], Decorated]:
    """`run(scope, items, *arguments)`: values, and what surrounds the evaluation."""
    return _entering(name, least, most, "scoped")


def lazy(name: str, least: int = 0, most: int | None = None) -> Callable[[Decorated], Decorated]:
    """`run(scope, items, *runs)`: arguments that are evaluated item by item, or perhaps never."""
    return _entering(name, least, most, "lazy")


def _entering(name: str, least: int, most: int | None, kind: Kind) -> Callable[[Decorated], Decorated]:
    def enter(run: Decorated) -> Decorated:
        FUNCTIONS[name] = Function(name, run, least, least if most is None else most, kind)
        return run

    return enter
