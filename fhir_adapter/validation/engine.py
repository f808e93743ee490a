"""What all checks share: the definitions as plans, the checks of types and profiles, value sets, and the options."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fhir_adapter.fhirpath import FhirPathError, compile  # noqa: A004 - the name of the interface
from fhir_adapter.fhirpath.model import load_model
from fhir_adapter.issues import Severity
from fhir_adapter.validation.codings import coding_checks
from fhir_adapter.validation.contexts import Contexts
from fhir_adapter.validation.elements import Elements
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.plan import Element, PlanError, Rule, Structure, TypeRef, plan_of
from fhir_adapter.validation.primitives import PrimitiveCheck, primitive_checks
from fhir_adapter.validation.r4_table import read_table
from fhir_adapter.validation.snapshots import SnapshotError, snapshot_of
from fhir_adapter.validation.value_sets import Expansion, ValueSets

if TYPE_CHECKING:
    from fhir_adapter.validation.definitions import Definitions
    from fhir_adapter.validation.run import Run

_OTHER_VERSION = re.compile(r"http://hl7\.org/fhir/[1-9]\.\d/StructureDefinition/extension-[A-Za-z.]+")
"""An element of another version of FHIR, as an extension: https://hl7.org/fhir/R4/versions.html#extensions"""

_EXAMPLE = re.compile(r"https?://([\w.-]+\.)?(example\.org|acme\.com)[/#]")


@dataclass(frozen=True, slots=True)
class Options:
    """How strictly a validator looks; the defaults are what HL7's own engine does without options."""

    unknown_extensions: str = "warning"
    """`warning` or `error`: what an extension is whose definition is not at hand."""
    best_practice: bool = False
    """Whether rules that the specification calls best practice are told, as warnings (dom-6: a narrative)."""
    assume_references: bool = False
    """Whether `https://server/Patient/1` is taken to point to a Patient."""
    vital_signs: bool = True
    """Whether an Observation with a vital sign's LOINC code is also checked against the core profile of that sign."""
    structure_only: bool = False
    """Whether invariants and value sets are left out."""
    security_checks: bool = False
    """Whether texts that look like HTML are errors."""
    allow_examples: bool = False
    """Whether extensions under example.org and acme.com, which nobody defines, are let be."""


class Engine:
    """The checks of one set of definitions, each made when it is first needed and kept; safe to share."""

    def __init__(self, definitions: Definitions, options: Options) -> None:
        self.definitions = definitions
        self.options = options
        self.value_sets = ValueSets(definitions)
        self.coding_checks = coding_checks(self)
        self.model = load_model()
        self.problems: dict[str, str] = {}
        """Why a definition cannot be used, by address."""
        self._elements: dict[str, Elements | None] = {}
        self._checks: dict[str, Check] = {}
        self._primitives: dict[str, PrimitiveCheck] = {}
        self._expansions: dict[str, Expansion] = {}
        self._contexts: dict[str, Contexts] = {}

    # Definitions

    def elements(self, address: str) -> Elements | None:
        """A structure by its canonical address or the bare name of a type of R4; None when it cannot be used."""
        if address in self._elements:
            return self._elements[address]
        definition = self.definitions.structure(address)
        if definition is None:
            return None  # not remembered: a resource may name any number of addresses
        found = self._elements[address] = self._read(address, definition)
        return found

    def structure(self, address: str) -> Structure | None:
        """The plan of a structure."""
        found = self.elements(address)
        return found.structure if found else None

    def _read(self, address: str, definition: dict[str, Any]) -> Elements | None:
        try:
            return Elements(self, plan_of(snapshot_of(definition, self.definitions.structure)))
        except (PlanError, SnapshotError) as error:
            self.problems[address] = str(error)
            return None

    def root_rules(self, kind: str) -> tuple[Rule, ...]:
        """The invariants that every value of a type must keep."""
        if "." in kind:
            return ()
        found = self.structure(kind)
        return found.root.rules if found else ()

    def expansion(self, address: str) -> Expansion:
        """The codes of a value set."""
        found = self._expansions.get(address)
        if found is None:
            found = self._expansions[address] = self.value_sets.expansion(address)
        return found

    # Types

    def is_resource(self, name: str) -> bool:
        """Whether this names a type of resource."""
        return self.model.is_resource(name)

    def is_primitive(self, name: str) -> bool:
        """Whether this names a primitive type."""
        kind = self.model.type(name)
        return kind is not None and kind.kind == "primitive"

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether a type is another or derives from it."""
        return name == ancestor or self.model.is_a(name, ancestor)

    def type_of_choice(self, key: str, element: Element) -> str | None:
        """The type that a key of a choice would have (`string` for `valueString`), whether it is allowed or not."""
        rest = key.lstrip("_").removeprefix(element.name)
        if rest == key.lstrip("_"):
            return None
        for name in (rest, rest[:1].lower() + rest[1:]):
            kind = self.model.type(name)
            if kind is not None and kind.kind in ("primitive", "complex"):
                return name
        return None

    def primitive(self, ref: TypeRef, element: Element) -> PrimitiveCheck:
        """The check of a primitive type."""
        if not self._primitives:
            self._primitives = primitive_checks(read_table())
        if element.base_path in self._primitives:
            return self._primitives[element.base_path]
        return self._primitives[ref.code]

    def expression(self, text: str, kind: str) -> Callable[[Any], bool | None] | None:
        """An expression as a function; None when it cannot be read. The function answers None without an answer."""
        try:
            compiled = compile(text, type=kind)
        except FhirPathError:
            return None

        def holds(value: Any) -> bool | None:  # noqa: ANN401 - JSON
            try:
                return compiled.truth(value)
            except FhirPathError:
                return None

        return holds

    # Checks

    def type_check(self, kind: str) -> Check:
        """The check of a datatype of R4, or of a resource type, by its own definition."""
        found = self._checks.get(kind)
        if found is None:
            elements = self.elements(kind)
            found = self._checks[kind] = elements.root() if elements else _unknown_type(kind)
        return found

    def profile_check(self, address: str) -> Check | None:
        """The check of a profile; None when its definition is not at hand or cannot be used."""
        found = self._checks.get(address)
        if found is None:
            elements = self.elements(address)
            if elements is None:
                return None
            found = self._checks[address] = elements.root()
        return found

    def any_profile_check(self, addresses: tuple[str, ...]) -> Check:
        """The check of a value of which one of these profiles must hold."""

        def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
            checks = [(address, self.profile_check(address)) for address in addresses]
            known = [(address, each) for address, each in checks if each is not None]
            if len(known) < len(checks):
                unknown = next(address for address, each in checks if each is None)
                self.unknown_profile(unknown, path, run, severity="error")
                return
            if len(known) == 1 or not any(run.silently(each, value, path) for _, each in known):
                self._under(known[0][0], known[0][1], value, path, run)

        return check

    def _under(self, address: str, check: Check, value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        outer, run.profile = run.profile, address
        try:
            check(value, path, run)
        finally:
            run.profile = outer

    def unknown_profile(self, address: str, path: str, run: Run, severity: Severity = "warning") -> None:
        """Say that a profile is not at hand, or why it cannot be used; one that a definition asks for is an error."""
        why = self.problems.get(address)
        if why is None:
            run.report(severity, "profile-unknown", f"the profile {address} is not at hand", path, address)
        else:
            run.report("error", "profile-unusable", f"the profile {address} cannot be used: {why}", path, address)

    def conforms(self, value: Any, address: str, path: str, run: Run) -> bool:  # noqa: ANN401 - JSON
        """Whether a value has no error by a profile; False when the profile is not at hand."""
        check = self.profile_check(address)
        if check is None or not isinstance(value, dict):
            return False
        kind = value.get("resourceType")
        structure = self.structure(address)
        is_other = structure is not None and structure.kind == "resource" and not self.is_a(str(kind), structure.type)
        if kind is not None and is_other:
            return False
        return run.silently(check, value, path)

    # Extensions

    def extension_check(self, url: str) -> Check:
        """The check of an extension by its definition; of an unknown one by the type Extension alone."""
        check = self.profile_check(url) if ":" in url else None
        structure = self.structure(url) if check is not None else None
        if check is None or structure is None or structure.type != "Extension":
            return self._unknown_extension(url)
        return lambda value, path, run: self._under(url, check, value, path, run)

    def _unknown_extension(self, url: str) -> Check:
        plain = self.type_check("Extension")
        if self.options.allow_examples and _EXAMPLE.match(url):
            return plain
        severity: Severity = "error" if self.options.unknown_extensions == "error" else "warning"

        def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
            plain(value, path, run)
            if _OTHER_VERSION.fullmatch(url):
                run.not_evaluated("the extension is an element of another version of FHIR", path, url)
            elif ":" in url:
                message = "the definition of the extension is not at hand"
                run.report(severity, "extension-unknown", message, path, url)

        return check

    def check_context(self, url: str, path: str, run: Run, *, is_modifier: bool) -> None:
        """Whether an extension may stand where it stands; of an unknown one nothing is known."""
        found = self._contexts.get(url)
        if found is None:
            structure = self.structure(url)
            if structure is None or structure.type != "Extension":
                return
            found = self._contexts[url] = Contexts(self, self.definitions.structure(url) or {})
        found.check(url, path, run, is_modifier=is_modifier)

    # Resources within resources

    def nested_check(self, element: Element) -> Check:
        """The check of a resource inside another."""
        from fhir_adapter.validation.resources import check_resource  # noqa: PLC0415 - they need each other

        is_contained = element.name == "contained"
        kinds = frozenset(each.code for each in element.types)
        allowed = frozenset() if kinds & {"Resource", "DomainResource"} else kinds

        def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
            kind = str(value.get("resourceType")) if isinstance(value, dict) else ""
            profiles = [each for ref in element.types if self.is_a(kind, ref.code) for each in ref.profiles]
            check_resource(self, value, path, run, profiles=profiles, is_contained=is_contained, kinds=allowed)

        return check

    @cached_property
    def resource_types(self) -> frozenset[str]:
        """The names of all types of resource."""
        return frozenset(name for name in self.model.names() if self.model.is_resource(name)) - {
            "Resource",
            "DomainResource",
        }


def _unknown_type(kind: str) -> Check:
    def check(_value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        run.not_evaluated(f"the type {kind} is not defined by the packages at hand", path, kind)

    return check
