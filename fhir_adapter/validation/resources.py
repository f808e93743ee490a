"""How a whole resource is checked: its type, the profiles that it names or must have, and what lies within it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_adapter.validation.bundles import check_bundle
from fhir_adapter.validation.conformance_resources import WHOLE
from fhir_adapter.validation.contained import check_contained
from fhir_adapter.validation.engine import Engine
from fhir_adapter.validation.findings import json_type, one_of
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.primitives import is_id
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.vital_signs import vital_sign_profiles

Json = Mapping[str, Any]


def check_resource(
    engine: Engine,
    value: Any,  # noqa: ANN401 - JSON
    path: str,
    run: Run,
    *,
    profiles: Sequence[str] = (),
    is_contained: bool = False,
    kinds: frozenset[str] = frozenset(),
) -> None:
    """Check one resource, itself or inside another; `kinds` are the types that it may have, if not any."""
    found = _type_of(engine, value, path, run)
    if found is None:
        return
    if kinds and not any(engine.is_a(found, each) for each in kinds):
        run.error("resource-type", f"a {found}; right is {one_of(sorted(kinds))}", path, "Resource")
        return
    outer = run.resource, run.root, run.owner, run.profile, run.environment
    run.resource, run.owner, run.profile = value, (found, path), None
    if not is_contained:
        run.root = value
    run.environment = {**run.environment, "resource": run.resource, "root_resource": run.root}
    try:
        asked = profiles if is_contained else [*profiles, *engine.definitions.global_profiles.get(found, ())]
        for address, check in _checks(engine, value, found, path, run, asked):
            run.profile = address
            check(value, path, run)
        run.profile = None
        if not is_contained:
            check_contained(value, path, run)
        if found == "Bundle":
            check_bundle(value, path, run)
        if found in WHOLE:
            WHOLE[found](engine, value, path, run)
    finally:
        run.resource, run.root, run.owner, run.profile, run.environment = outer


def _type_of(engine: Engine, value: Any, path: str, run: Run) -> str | None:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        run.error("wrong-json-type", f"{json_type(value)}; a resource is an object", path, "Resource")
        return None
    kind = value.get("resourceType")
    if not isinstance(kind, str) or not kind:
        run.error("no-resource-type", "a resource needs the text `resourceType`", path, "Resource")
        return None
    if kind not in engine.resource_types:
        shown = repr(kind) if is_id(kind) else "its type"
        run.error("unknown-type", f"{shown} is no resource type of FHIR R4", path, "Resource")
        return None
    return kind


def _checks(
    engine: Engine, value: Json, kind: str, path: str, run: Run, profiles: Sequence[str]
) -> Iterator[tuple[str | None, Check]]:
    """The checks of the type and of every profile; one that is known to repeat all rules of its type is enough."""
    usable: list[tuple[str, Check]] = []
    is_covered = False
    stated = _stated(value)
    places = _places(stated, path) if stated else {}
    for address in dict.fromkeys([*profiles, *stated, *_implied(engine, value, kind)]):
        check = engine.profile_check(address)
        structure = engine.structure(address)
        if check is None or structure is None:
            engine.unknown_profile(address, places.get(address, path), run)
        elif not engine.is_a(kind, structure.type):
            message = f"the profile {address} is for {structure.type}, the resource is a {kind}"
            run.error("profile-type", message, path, address)
        elif structure.url != f"http://hl7.org/fhir/StructureDefinition/{kind}":
            usable.append((address, check))
            is_covered = is_covered or (structure.type == kind and engine.definitions.is_trusted(address))
    if not is_covered:
        yield None, engine.type_check(kind)
    yield from usable


def _stated(value: Json) -> list[str]:
    meta = value.get("meta")
    stated = meta.get("profile") if isinstance(meta, dict) else None
    return [each for each in stated if isinstance(each, str)] if isinstance(stated, list) else []


def _places(stated: list[str], path: str) -> dict[str, str]:
    """Where a resource names each of its profiles."""
    found: dict[str, str] = {}
    for place, address in enumerate(stated):
        found.setdefault(address, f"{path}.meta.profile[{place}]")
    return found


def _implied(engine: Engine, value: Json, kind: str) -> list[str]:
    if kind != "Observation" or not engine.options.vital_signs:
        return []
    return vital_sign_profiles(value)
