"""Whether an extension may stand where it stands, by the contexts that its definition names.

Source: https://hl7.org/fhir/R4/defining-extensions.html#context. A context is an element by its path or a type, another
extension by its address, or a FHIRPath expression; an invariant of the context may ask more of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.fhirpath import FhirPathError, compile  # noqa: A004 - the name of the interface
from fhir_adapter.validation.findings import one_of
from fhir_adapter.validation.plan import CORE
from fhir_adapter.validation.surroundings import as_list, as_object, text_of

if TYPE_CHECKING:
    from fhir_adapter.fhirpath.model import Model
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run

Json = Mapping[str, Any]

_STEP = re.compile(r"\.(?P<name>[A-Za-z_]\w*)(?:\.ofType\((?P<type>\w+)\))?(?:\[(?P<index>\d+)\])?")
_INDEX = re.compile(r"\[\d+\]")
_TYPE = re.compile(r"\.ofType\(\w+\)")
_ANYWHERE = frozenset({"Element", "Base", "Any"})
_HOLDS_VALUES = ("ElementDefinition.example.value", "ElementDefinition.fixed", "ElementDefinition.pattern")
"""Where a definition holds a value of some other element, with the extensions of that."""
_VERSION_SPECIFIC = CORE + "version-specific-use"
_R4 = (4, 0)
_REMEMBERED = 1_000

LOOSENED: Final[Mapping[str, tuple[str, ...]]] = {
    "structuredefinition-fhir-type": ("ElementDefinition.type", "ElementDefinition.type.code"),
    "regex": ("ElementDefinition.type", "ElementDefinition.type.code"),
    "structuredefinition-normative-version": ("Element", "Resource"),
    "capabilitystatement-expectation": ("Element",),
    "capabilitystatement-prohibited": ("Element",),
    "valueset-concept-comments": ("CodeSystem.concept",),
}
"""Extensions of R4 whose definition names too few places, with those where HL7's engine or R4 itself has them too."""


class Contexts:
    """The contexts of one extension definition."""

    def __init__(self, engine: Engine, definition: Json) -> None:
        self._engine = engine
        url = text_of(definition, "url") or ""
        stated = [as_object(each) for each in as_list(definition.get("context"))]
        ours = [each for each in stated if _is_for_r4(each)]
        self._elements = tuple(_expressions(ours, "element"))
        self._extensions = tuple(_expressions(ours, "extension"))
        self._paths = tuple(_expressions(ours, "fhirpath"))
        self._further = LOOSENED.get(url.removeprefix(CORE), ())
        self._invariants = [each for each in as_list(definition.get("contextInvariant")) if isinstance(each, str)]
        structure = engine.structure(url)
        self.is_modifier = structure is not None and structure.root.is_modifier
        self._by_place: dict[tuple[str, str], bool] = {}

    def check(self, url: str, path: str, run: Run, *, is_modifier: bool) -> None:
        """An extension at a path (`Patient.name[0].extension[1]`), by its own definition."""
        if is_modifier != self.is_modifier:
            right = "modifierExtension" if self.is_modifier else "extension"
            message = f"the definition says that this belongs under {right}"
            run.error("extension-modifier", message, path, url)
        holder = path.rpartition(".")[0]
        if self._allows(holder, run):
            self._check_invariants(url, holder, path, run)
            return
        shown = one_of([*self._elements, *self._extensions, *self._paths])
        message = f"the extension {url} may not stand here; its definition allows {shown}"
        run.error("extension-place", message, holder, url)

    def _allows(self, holder: str, run: Run) -> bool:
        kind, start = run.owner
        place = kind, _INDEX.sub("", holder[len(start) :])
        found = self._by_place.get(place)
        if found is None:
            found = self._allows_element(*place)
            if len(self._by_place) < _REMEMBERED:
                self._by_place[place] = found
        return found or self._allows_otherwise(holder, run)

    # Elements

    def _allows_element(self, kind: str, place: str) -> bool:
        names = list(_names(self._engine.model, kind, place))
        if any(f"{each}{below}".startswith(_HOLDS_VALUES) for each, below in names):
            return True
        return any(self._is_named(expression, names) for expression in (*self._elements, *self._further))

    def _is_named(self, expression: str, names: list[tuple[str, str]]) -> bool:
        if expression in _ANYWHERE:
            return True
        if expression == "CanonicalResource":
            return self._is_canonical(*names[0])
        head, _, rest = expression.replace("[x]", "").partition(".")
        return any(rest == below.removeprefix(".") and self._engine.is_a(kind, head) for kind, below in names) or (
            (expression, "") in names
        )

    def _is_canonical(self, kind: str, below: str) -> bool:
        """Whether this is a resource that has an address of its own."""
        found = self._engine.model.type(kind)
        return not below and found is not None and {"url", "version", "status"} <= set(found.children)

    # Other extensions, expressions, profiles

    def _allows_otherwise(self, holder: str, run: Run) -> bool:
        if not (self._elements or self._extensions or self._paths):
            return True
        if self._extensions and self._around(holder, run) in self._extensions:
            return True
        if any("#" in each and self._allows_in_profile(each, holder, run) for each in self._elements):
            return True
        return any(self._finds(each, holder, run) for each in self._paths)

    def _around(self, holder: str, run: Run) -> str | None:
        """The address of the extension that holds this one, itself or in its value."""
        outer, _, last = holder.rpartition(".value")
        found = as_object(_at(outer if outer and "." not in last.removeprefix(".ofType") else holder, run))
        return text_of(found, "url")

    def _allows_in_profile(self, expression: str, holder: str, run: Run) -> bool:
        profile, _, element = expression.partition("#")
        return self._is_named(element, self._names_of(holder, run)) and self._engine.conforms(
            run.resource, profile, run.owner[1], run
        )

    def _finds(self, expression: str, holder: str, run: Run) -> bool:
        """Whether an expression, asked of the resource, leads to the element that holds the extension."""
        try:
            found = compile(expression, type=run.owner[0])(run.resource, **run.environment)
        except FhirPathError as error:
            run.not_evaluated(f"the context {expression} has no answer: {error}", holder, expression)
            return True
        right = _at(holder, run)
        return any(each is right or (not isinstance(right, dict | list) and each == right) for each in found)

    def _check_invariants(self, url: str, holder: str, path: str, run: Run) -> None:
        for text in self._invariants:
            try:
                expression = compile(text, type=self._names_of(holder, run)[-1][0])
                holds = expression.truth(_at(holder, run), **{**run.environment, "extension": _at(path, run)})
            except FhirPathError as error:
                run.not_evaluated(f"the invariant of the context of {url} has no answer: {error}", holder, url)
                continue
            if not holds:
                message = f"the extension {url} may not stand here, since {text} is not so"
                run.error("extension-place", message, holder, f"{url} contextInvariant")

    def _names_of(self, holder: str, run: Run) -> list[tuple[str, str]]:
        kind, start = run.owner
        return list(_names(self._engine.model, kind, _INDEX.sub("", holder[len(start) :])))


def _expressions(stated: list[Json], kind: str) -> Iterator[str]:
    for each in stated:
        expression = text_of(each, "expression")
        if each.get("type") == kind and expression:
            yield expression


def _is_for_r4(context: Json) -> bool:
    """Whether a context counts for R4, where it says for which versions it does."""
    for extension in as_list(context.get("extension")):
        if as_object(extension).get("url") != _VERSION_SPECIFIC:
            continue
        for part in as_list(extension.get("extension")):
            version = _major_minor(text_of(as_object(part), "valueCode") or "")
            name = as_object(part).get("url")
            if version and (version > _R4 if name == "startFhirVersion" else version < _R4):
                return False
    return True


def _major_minor(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(each) for each in parts) if all(each.isdecimal() for each in parts) else ()


def _names(model: Model, kind: str, place: str) -> Iterator[tuple[str, str]]:
    """All names of an element: each type that it lies in, with the path from there, and last its own type."""
    rest = _TYPE.sub("", place)
    yield kind, rest
    for step in _STEP.finditer(place):
        name, stated = step["name"], step["type"]
        rest = rest.removeprefix(f".{name}")
        found = model.type(kind)
        child = found.children.get(name) if found is not None else None
        kind = stated or (child.types[0] if child is not None else "")
        yield kind, rest


def _at(path: str, run: Run) -> Any:  # noqa: ANN401 - JSON
    """What stands at a path within the resource that is looked at; of a primitive with extensions its value."""
    found: Any = run.resource
    for step in _STEP.finditer(path, len(run.owner[1])):
        name, stated, index = step["name"], step["type"], step["index"]
        key = name + stated[:1].upper() + stated[1:] if stated else name
        holder = as_object(found)
        found = holder.get(key, holder.get(f"_{key}"))
        if index is not None:
            items = as_list(found)
            found = items[int(index)] if int(index) < len(items) else None
    return found
