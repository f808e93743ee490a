"""What a CapabilityStatement declares of what the trial needs.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fhir_adapter.jobs.doctor.checks import Notes

PULL_SEARCHES = {"Patient": ("identifier",), "Observation": ("patient", "date")}
"""What a pull searches by, besides codes."""
CODE_SEARCHES = frozenset({"code", "combo-code"})

Capabilities = Mapping[str, object]

_DECLARE = "servers declare less than they can: try it with push --dry-run, then with one subject"


def look_at_transaction(notes: Notes, capabilities: Capabilities, about: str) -> None:
    """Each subject is sent in one transaction: a server without them cannot be written to."""
    declared = {one.get("code") for rest in _rests(capabilities) for one in _objects(rest.get("interaction"))}
    if "transaction" in declared:
        notes.passed("server-transaction", "takes transactions", about)
    else:
        do = "have transactions switched on, or name a server that takes them"
        notes.failed("server-transaction", "transactions are not declared", do, "refused", about)


def look_at_push(notes: Notes, capabilities: Capabilities, types: Iterable[str], about: str) -> None:
    """Every resource type that the trial sends, and the Provenance of each transaction, under ids that we choose."""
    wanted = sorted({*types, "Provenance"}) if types else []
    if not wanted:
        do = "mend the trial, or name one with --trial"
        notes.skipped("server-push", "which resources would be sent is not known", do, about)
        return
    declared = _resources(capabilities)
    missing = [
        *_lacking("type", [kind for kind in wanted if kind not in declared]),
        *_lacking("update", [kind for kind in wanted if kind in declared and not _updates(declared[kind])]),
        *_lacking("updateCreate", [k for k in wanted if k in declared and declared[k].get("updateCreate") is not True]),
    ]
    if missing:
        notes.warned("server-push", f"not declared: {'; '.join(missing)}", _DECLARE, about)
    else:
        notes.passed("server-push", f"declares all {len(wanted)} resource types that are sent", about)


def look_at_pull(notes: Notes, capabilities: Capabilities, about: str) -> None:
    """The searches with which a pull finds a subject's Patient and results."""
    declared = {kind: _searches(resource) for kind, resource in _resources(capabilities).items()}
    missing = [
        f"{kind} by {name}"
        for kind, names in PULL_SEARCHES.items()
        for name in names
        if name not in declared.get(kind, set())
    ]
    if not CODE_SEARCHES & declared.get("Observation", set()):
        missing.append("Observation by code or combo-code")
    if missing:
        do = "servers declare less than they can: pull one subject, and look at its warnings"
        notes.warned("server-pull", f"searches not declared: {', '.join(missing)}", do, about)
    else:
        notes.passed("server-pull", "declares the searches of a pull", about)


def _lacking(what: str, kinds: list[str]) -> list[str]:
    return [f"{what} of {', '.join(kinds)}"] if kinds else []


def _updates(resource: Mapping[str, object]) -> bool:
    return any(one.get("code") == "update" for one in _objects(resource.get("interaction")))


def _searches(resource: Mapping[str, object]) -> set[object]:
    return {one.get("name") for one in _objects(resource.get("searchParam"))}


def _resources(capabilities: Capabilities) -> dict[str, Mapping[str, object]]:
    return {str(one.get("type")): one for rest in _rests(capabilities) for one in _objects(rest.get("resource"))}


def _rests(capabilities: Capabilities) -> list[Mapping[str, object]]:
    return [one for one in _objects(capabilities.get("rest")) if one.get("mode") == "server"]


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
