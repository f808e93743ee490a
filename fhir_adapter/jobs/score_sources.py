"""What a score rests on, as a server is told of it: each result by name, exact body and reference, and its labels.

The hospital's result is named as the server that is written to would find it: `Observation/f1` when it stands there,
else with its own server's address. A typed result is named by file, what it is of and when; its SHA-256 is that of what
it says, so a row that moved in its file is the same result.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fhir_adapter import fhirjson
from fhir_adapter.mappers import Resource
from fhir_adapter.mappers.r4.provenance import ReadSource
from fhir_adapter.store import FILE, Received, ResultStore
from fhir_adapter.sync import content_digest
from fhir_adapter.trial import Result

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_RECEIVED = re.compile(r"(?:Observation|Condition)/[A-Za-z0-9\-.]{1,64}$", re.ASCII)
_IN_A_FILE = " in a file"


class ScoreSources:
    """The results that stand now, of all subjects, for scores on the server with this base URL."""

    def __init__(self, results: Mapping[str, Sequence[Result]], store: ResultStore, base: str) -> None:
        self._store = store
        self._base = base
        self._received: dict[tuple[str, str, str], Received] = {}
        self._standing: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for one in store.current():
            self._received[one.subject, one.name, one.sha256.hex()] = one
            self._standing[one.subject] |= {(self._name(one), one.sha256.hex()), (self._name(one), _said(one.body))}
        for subject, many in results.items():
            read = (_typed(result) for result in many if result.source == "typed")
            self._standing[subject] |= {(source.name, source.sha256) for source in read}

    def read(self, result: Result) -> ReadSource:
        """A result as it was read."""
        if result.source == "typed":
            return _typed(result)
        received = self._of(result)
        literal = self._literal(result) if received.place == self._base else None
        return ReadSource(self._name(received), received.sha256.hex(), literal, _said(received.body))

    def refer(self, result: Result) -> Resource:
        """The reference to a result of the hospital: logical when it does not stand on the server of the score."""
        received = self._of(result)
        if received.place == self._base:
            return {"reference": result.reference}
        identifier = _identifier(fhirjson.loads(received.body))
        if identifier is None and received.place == FILE:
            return {"type": received.name.partition("/")[0], "display": result.reference}
        address = {"system": "urn:ietf:rfc:3986", "value": f"{received.place}/{result.reference}"}
        return {"type": received.name.partition("/")[0], "identifier": identifier or address}

    def labels(self, used: Iterable[Result]) -> list[Resource]:
        """The security labels of the hospital's results among these, each once."""
        found: dict[tuple[str, str], Resource] = {}
        for result in used:
            if result.source == "hospital":
                meta = fhirjson.loads(self._of(result).body).get("meta") or {}
                for label in meta.get("security") or ():
                    found.setdefault((str(label.get("system")), str(label.get("code"))), label)
        return [found[key] for key in sorted(found)]

    def stands(self, subject: str, name: str, digest: str) -> bool:
        """True when the result still stands at its source as it was read then."""
        return bool({(name, digest), (name, self.said_then(name, digest))} & self._standing[subject])

    def said_then(self, name: str, digest: str) -> str | None:
        """What a result said when its body had this SHA-256; None when it was not received with this state."""
        found = _RECEIVED.search(name.removesuffix(_IN_A_FILE))
        known = self._store.versions(found[0]) if found is not None else ()
        return next((_said(one.body) for one in known if one.sha256.hex() == digest), None)

    def _of(self, result: Result) -> Received:
        return self._received[result.subject, result.reference.partition("#")[0], str(result.sha256)]

    def _name(self, one: Received) -> str:
        if one.place == FILE:
            return f"{one.name}{_IN_A_FILE}"
        return one.name if one.place == self._base else f"{one.place}/{one.name}"

    def _literal(self, result: Result) -> str:
        version = result.version
        known = version is not None and _ID.fullmatch(version) is not None
        return f"{result.reference}/_history/{version}" if known else result.reference


def file_of(result: Result) -> str:
    """The file of a typed result."""
    return result.reference.rpartition(" row ")[0]


def _typed(result: Result) -> ReadSource:
    moment = result.effective
    said = [result.name, result.value, result.unit, result.comparator, result.present, result.not_done]
    digest = hashlib.sha256(fhirjson.dumps([*said, moment.iso if moment else None])).hexdigest()
    when = moment.recorded if moment else "without a date"
    return ReadSource(f"{file_of(result)}: {result.name}, {when}", digest, None, digest)


def _said(body: bytes) -> str:
    return content_digest(fhirjson.loads(body)).hex()


def _identifier(resource: Mapping[str, object]) -> Resource | None:
    """The first business identifier of a resource that names it everywhere."""
    stated = resource.get("identifier")
    for one in stated if isinstance(stated, list) else ():
        if isinstance(one, dict) and one.get("system") and one.get("value"):
            return {"system": one["system"], "value": one["value"]}
    return None
