"""Provenance (R4): who wrote what in one transaction, from which files, and for what is computed, from which results.

One per transaction that changed something, inside it; targets are unversioned, because servers strip versions. What a
result was when it was read is said by its SHA-256 as a `ni` URI (RFC 6920), in `entity.what.identifier`: an identifier
that any server keeps, and that names one body and no other. Beside it stands the reference with its version, where the
result is on the same server and has one.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fhir_adapter import __version__
from fhir_adapter.mappers.canonical import ADAPTER_DEVICE, TERMINOLOGY
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.device import ADAPTER_NAME

_ACTIVITIES = {"create": ("CREATE", "create"), "update": ("UPDATE", "revise")}
_URI, _NAMED = "urn:ietf:rfc:3986", "ni:///sha-256;"
_RESULT_TYPES = ("Observation", "Condition")
"""The types of resources that a score is computed from."""


@dataclass(frozen=True, slots=True, order=True)
class ReadSource:
    """A result that a score rests on, as it was read: what people call it, and the SHA-256 of its body in hex.

    `reference` is literal, with the version where there is one; None for what stands on another server or in a file.
    `said` tells bodies apart that say something else, whatever a server changed around it; it is not written.
    """

    name: str
    sha256: str
    reference: str | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a computed resource rests on and why it is written, for the Provenance of its transaction.

    `about` tells it from the others of the transaction (`hscore/baseline`), `replaces` is the version before it,
    `method` says in words by what rule it was computed and `policy` where that rule is published.
    """

    about: str
    author: Resource
    sources: tuple[ReadSource, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    replaces: str | None = None
    method: str = ""
    policy: str = ""


def map_provenance(
    provenance_id: str,
    targets: Sequence[str],
    recorded: str,
    activity: str,
    files: Mapping[str, str],
    context: Context,
    grounds: Sequence[Grounds] = (),
) -> Resource:
    """The record of one transaction: `targets` as `Type/id`, `files` with their SHA-256, `recorded` an instant."""
    author = grounds[0].author if grounds else context.names.reference("Device", ADAPTER_NAME)
    resource: Resource = {
        "resourceType": "Provenance",
        "id": provenance_id,
        "meta": context.meta("trial-provenance"),
        "target": [{"reference": target} for target in targets],
        "recorded": recorded,
        "policy": list(dict.fromkeys(one.policy for one in grounds if one.policy)),
        "reason": [{"text": text} for text in dict.fromkeys(text for one in grounds for text in one.reasons)],
        "activity": _activity(activity, grounds),
        "agent": [
            {
                "type": {
                    "coding": [
                        {
                            "system": f"{TERMINOLOGY}provenance-participant-type",
                            "code": "assembler",
                            "display": "Assembler",
                        }
                    ]
                },
                "who": author,
            }
        ],
        "entity": list(_entities(files, grounds)),
    }
    return {element: value for element, value in resource.items() if value != []}


def adapter_of(context: Context, *, stands: bool) -> Resource:
    """This program in its version; by identifier on a server where its Device does not stand."""
    logical = {"type": "Device", "identifier": {"system": ADAPTER_DEVICE, "value": ADAPTER_NAME}}
    who = context.names.reference("Device", ADAPTER_NAME) if stands else logical
    return {**who, "display": f"{ADAPTER_NAME} {__version__}"}


def author_in(provenance: Mapping[str, object]) -> str:
    """Which version of this program wrote what a Provenance is about, as `adapter_of` said it."""
    found = (_object(agent.get("who")).get("display") for agent in _objects(provenance.get("agent")))
    return str(next(found, ""))


def sources_in(provenance: Mapping[str, object], about: str) -> dict[str, tuple[str, ...]]:
    """The results that a Provenance names as those of one computed resource: name, and SHA-256 in hex."""
    found: dict[str, set[str]] = defaultdict(set)
    for entity in _objects(provenance.get("entity")):
        what = _object(entity.get("what"))
        name, _, rest = str(what.get("display") or "").rpartition(" (")
        digest = _digest(_object(what.get("identifier")).get("value"))
        if entity.get("role") == "source" and what.get("type") in _RESULT_TYPES and rest == f"{about})" and digest:
            found[name].add(digest)
    return {name: tuple(sorted(digests)) for name, digests in found.items()}


def _activity(activity: str, grounds: Sequence[Grounds]) -> Resource:
    code, display = _ACTIVITIES[activity]
    coded: Resource = {"coding": [{"system": f"{TERMINOLOGY}v3-DataOperation", "code": code, "display": display}]}
    said = "; ".join(dict.fromkeys(one.method for one in grounds if one.method))
    return {**coded, "text": said} if said else coded


def _entities(files: Mapping[str, str], grounds: Sequence[Grounds]) -> Iterator[Resource]:
    for file, digest in {**files, **{name: known for one in grounds for name, known in one.files.items()}}.items():
        yield {"role": "source", "what": {"identifier": _named(digest), "display": file}}
    for one in grounds:
        for source in one.sources:
            literal: Resource = {"reference": source.reference} if source.reference else {}
            what = {"type": _type_of(source.name), "identifier": _named(source.sha256)}
            yield {"role": "source", "what": {**literal, **what, "display": f"{source.name} ({one.about})"}}
    for one in grounds:
        if one.replaces:
            yield {"role": "revision", "what": {"reference": one.replaces}}


def _type_of(name: str) -> str:
    """What a source is: as its address says; what a site typed stands for an Observation."""
    return next((kind for kind in _RESULT_TYPES if f"/{kind}/" in f"/{name}"), "Observation")


def _named(digest: str) -> Resource:
    """A source, named by what it held."""
    named = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    return {"system": _URI, "value": f"{_NAMED}{named}"}


def _digest(named: object) -> str:
    """The SHA-256 in hex that a `ni` URI states; empty when it is none."""
    if not isinstance(named, str) or not named.startswith(_NAMED):
        return ""
    try:
        return base64.urlsafe_b64decode(named.removeprefix(_NAMED) + "=").hex()
    except (binascii.Error, ValueError):
        return ""


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
