"""Whether a Reference may point where it points, and whether what it points to is there and right.

Sources: https://hl7.org/fhir/R4/references.html, https://hl7.org/fhir/R4/bundle.html#references, invariant ref-1;
severities are those of HL7's own engine. An absolute address says nothing sure about the type behind it, so it is
judged only when the Bundle holds it, or when the option `assume_references` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fhir_adapter.validation.findings import is_safe_name, one_of
from fhir_adapter.validation.lists import Further
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.plan import CORE, Element, TypeRef
from fhir_adapter.validation.surroundings import Target, as_object, is_absolute, restful_address, version_of

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run

Json = Mapping[str, Any]

_ID = r"[A-Za-z0-9\-.]{1,64}"
_PLAIN = re.compile(rf"([A-Za-z]+)/{_ID}")
_RELATIVE = re.compile(rf"([A-Za-z]+)(?:/{_ID}(?:/_history/{_ID})?(?:#.*)?|\?[^\s=]+=.*)")
_BLANK = re.compile(r"\s")
_VERSION = "/_history/"
_ANY = frozenset({"Resource", "DomainResource"})
_WITHOUT_ADDRESS = frozenset({"batch", "transaction", "batch-response", "transaction-response"})
_DEEPEST = 8
"""Through how many references in a row the targets are looked at by their profiles."""

_REFERENCE = "Reference.reference"


def reference_checks(engine: Engine, _element: Element, ref: TypeRef) -> Iterator[Check]:
    """The checks of the References of one element, whose type says what they may point to."""
    yield reference_check(engine, ref)


def reference_check(engine: Engine, ref: TypeRef) -> Check:
    """The check of the References of one element, whose type says what they may point to."""
    return _Targets(engine, ref).check


def canonical_checks(element: Element, ref: TypeRef) -> Iterator[Further]:
    """The check of the canonical addresses of one element: an address of its own, or that of a contained resource."""
    if ref.code == "canonical":
        yield _canonical_check(element)


def _canonical_check(element: Element) -> Further:
    def check(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if isinstance(value, str) and not value.startswith("#") and not is_absolute(value):
            message = f"{element.id}: a canonical address is absolute, or #id of a contained resource"
            run.report("warning", "canonical-relative", message, path, element.id)

    return check


class _Targets:
    """What the references of one element may point to."""

    def __init__(self, engine: Engine, ref: TypeRef) -> None:
        self._engine = engine
        self._ref = ref
        self._types: frozenset[str] | None = None
        self._is_plain = not ref.aggregation and ref.versioning in (None, "either")

    def check(self, value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        """Check one Reference."""
        reference = value.get("reference")
        if not isinstance(reference, str) or not self._is_right_alone(reference, value, run):
            self._check_in_full(reference, value, path, run)

    def _is_right_alone(self, reference: str, value: Json, run: Run) -> bool:
        """Whether this is a plain `Type/id` of an allowed type, outside of any Bundle: most references are."""
        relative = _PLAIN.fullmatch(reference)
        return (
            relative is not None
            and self._is_plain
            and "type" not in value
            and self._allows(relative[1])
            and run.surroundings.place(run) is None
        )

    def _check_in_full(self, reference: object, value: Json, path: str, run: Run) -> None:
        declared = _declared_type(value)
        if declared is not None and not self._allows(declared):
            self._refuse(declared, path, run)
        if not isinstance(reference, str) or not reference:
            _check_says_something(value, path, run)
            return
        matches = run.surroundings.matches(reference, run)
        if not matches and reference.startswith("#"):
            message = "no contained resource has this id; a #fragment must name one of `contained`"
            run.error("unresolved-fragment", message, path, "ref-1")
            return
        kind = _kind(matches[0]) if matches else self._named_type(reference, path, run)
        self._check_type(kind, declared, path, run)
        self._check_place(reference, matches, path, run)
        if matches:
            self._check_target(matches, path, run)
        elif not reference.startswith("http"):
            _check_unmatched(reference, path, run)

    # Types

    def _check_type(self, kind: str | None, declared: str | None, path: str, run: Run) -> None:
        if kind is None:
            return
        if not self._allows(kind):
            self._refuse(kind, path, run)
        elif declared and kind != declared and declared in self._engine.resource_types:
            message = f"the type says {declared!r} but the reference points to another resource type"
            run.error("reference-type", message, path, "Reference.type")

    def _allows(self, kind: str) -> bool:
        if self._types is None:
            self._types = frozenset(self._type_names())
        return kind in self._types

    def _type_names(self) -> Iterator[str]:
        if not self._ref.targets:
            yield from self._engine.resource_types
        for address in self._ref.targets:
            name = self._type_of(address)
            yield from self._engine.resource_types if name is None or name in _ANY else (name,)

    def _type_of(self, address: str) -> str | None:
        """The type of resource that a target profile is for; None when the profile is not at hand."""
        name = _type_name(address)
        if name in self._engine.resource_types or name in _ANY:
            return name
        structure = self._engine.structure(address)
        return structure.type if structure is not None else None

    def _refuse(self, kind: str, path: str, run: Run) -> None:
        found = f"a reference to {kind}" if is_safe_name(kind) else "a reference to an unknown type"
        allowed = self._types or frozenset()
        is_any = len(allowed) >= len(self._engine.resource_types)
        right = "FHIR R4 has no such resource type" if is_any else f"allowed here: {one_of(sorted(allowed))}"
        run.error("reference-type", f"{found}; {right}", path, _REFERENCE)

    def _named_type(self, reference: str, path: str, run: Run) -> str | None:
        """The type that a reference itself names; None when it names none, which is reported where wrong."""
        relative = _RELATIVE.fullmatch(reference)
        if relative is not None:
            return relative[1]
        if not is_absolute(reference) or _BLANK.search(reference):
            message = "not a right reference: Type/id, Type/id/_history/version, an absolute address or #contained-id"
            run.error("format", message, path, _REFERENCE)
            return None
        restful = restful_address(reference) if self._engine.options.assume_references else None
        return restful.type if restful else None

    # Where the target is

    def _check_place(self, reference: str, matches: list[Target], path: str, run: Run) -> None:
        """The aggregation and the versioning that a profile asks for."""
        allowed, is_versioned = self._ref.aggregation, _VERSION in reference
        if allowed:
            place = "contained" if reference.startswith("#") else "bundled" if matches else "referenced"
            if place not in allowed and not (place == "bundled" and "referenced" in allowed):
                message = f"the target is {place}; allowed here: {one_of(sorted(allowed))}"
                run.error("reference-place", message, path, _REFERENCE)
        if self._ref.versioning == "specific" and not is_versioned and not reference.startswith("#"):
            run.error("reference-version", "the reference must name a version of the target", path, _REFERENCE)
        elif self._ref.versioning == "independent" and is_versioned:
            run.error("reference-version", "the reference must not name a version of the target", path, _REFERENCE)

    # The target itself

    def _check_target(self, matches: list[Target], path: str, run: Run) -> None:
        if len(matches) > 1:
            message = f"{len(matches)} entries of the Bundle have the full address that is meant"
            run.error("reference-ambiguous", message, path, _REFERENCE)
            return
        profiles = self._profiles_for(_kind(matches[0]))
        unknown = [each for each in profiles if self._engine.profile_check(each) is None]
        for each in unknown:
            self._engine.unknown_profile(each, path, run)
        if profiles and not unknown and not any(self._conforms(matches[0], each, run) for each in profiles):
            message = f"the target is not right by any of {one_of(profiles)}"
            run.error("reference-profile", message, path, _REFERENCE)

    def _profiles_for(self, kind: str | None) -> list[str]:
        """The profiles of which a target of that type must keep one; none when its plain type is allowed."""
        found = []
        for address in self._ref.targets:
            name = _type_name(address)
            if name == kind or name in _ANY:
                return []
            if name not in self._engine.resource_types and self._type_of(address) in (kind, None):
                found.append(address)
        return found

    def _conforms(self, target: Target, address: str, run: Run) -> bool:
        """Whether the target is right by a profile; while that is being asked it is taken to be so."""
        verdicts = run.surroundings.verdicts
        key = (id(target.resource), address)
        if key not in verdicts:
            if run.depth >= _DEEPEST:
                return True
            verdicts[key] = True
            with _seen_from(target, run):
                verdicts[key] = self._engine.conforms(target.resource, address, target.path, run)
        return verdicts[key]


@contextmanager
def _seen_from(target: Target, run: Run) -> Iterator[None]:
    """Look at a target as at any resource: from where it stands."""
    outer = run.resource, run.root, run.owner, run.profile, run.environment, run.depth
    run.resource, run.owner, run.profile = target.resource, (_kind(target) or "", target.path), None
    if not target.is_contained:
        run.root = target.resource
    run.environment = {**run.environment, "resource": run.resource, "root_resource": run.root}
    run.depth += 1
    try:
        yield
    finally:
        run.resource, run.root, run.owner, run.profile, run.environment, run.depth = outer


def _check_says_something(value: Json, path: str, run: Run) -> None:
    identifier = as_object(value.get("identifier"))
    if not (identifier.get("system") or identifier.get("value") or value.get("display") or "extension" in value):
        message = "neither a reference nor an identifier; then at least a display should say what is meant"
        run.report("warning", "reference-empty", message, path, "Reference")


def _check_unmatched(reference: str, path: str, run: Run) -> None:
    """A reference in a Bundle that no entry answers, where one could be expected to."""
    place = run.surroundings.place(run)
    if place is None or not place.is_bundle or "?" in reference:
        return
    if reference.startswith("urn:"):
        message = "no entry of the Bundle has this urn as its fullUrl"
        run.report("warning", "reference-not-in-bundle", message, path, _REFERENCE)
    elif is_absolute(reference):
        return
    elif place.full_url is None:
        if run.resource.get("resourceType") != "Bundle" and place.bundle_type not in _WITHOUT_ADDRESS:
            message = "what a relative reference means in a Bundle is told by the fullUrl of its entry, which has none"
            run.error("reference-base", message, path, _REFERENCE)
    elif namesakes := place.entries.namesakes(reference):
        _tell_namesakes(reference, namesakes, path, run)


def _tell_namesakes(reference: str, namesakes: list[Target], path: str, run: Run) -> None:
    if _VERSION in reference and all(version_of(each) is None for each in namesakes):
        message = "an entry has the type and id that are meant, but it tells no meta.versionId"
    else:
        message = "an entry has the type and id that are meant, but not the fullUrl or version that they mean here"
    run.report("warning", "reference-not-in-bundle", message, path, _REFERENCE)


def _kind(target: Target) -> str | None:
    kind = target.resource.get("resourceType")
    return kind if isinstance(kind, str) else None


def _type_name(address: str) -> str:
    return address.partition("|")[0].removeprefix(CORE)


def _declared_type(reference: Json) -> str | None:
    declared = reference.get("type")
    if not isinstance(declared, str) or not declared:
        return None
    name = declared.removeprefix(CORE)
    return None if is_absolute(name) else name
