"""Which results a file says were deleted, and whether that came after what the file says of them.

An entry whose request is a DELETE has no resource; in a history the newest entry comes first
(https://hl7.org/fhir/R4/http.html#history). Versions and times decide where both state them, else the order of the
entries of one history; what neither tells is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from fhir_adapter.intake.order import Order, order_of
from fhir_adapter.issues import Issue, Rejected, Where

MOST = 100_000
"""How many deletions are remembered: a file of any length is read in flat memory."""

Fate = Literal["stands", "deleted", "unsure"]

_Json = Mapping[str, object]
_URL = re.compile(
    r"(?:(?P<base>https?://[^\s|#?]+)/)?(?P<kind>[A-Z][A-Za-z]{0,63})/(?P<id>[A-Za-z0-9.-]{1,64})"
    r"(?:/_history/(?P<version>[^\s/]{1,64}))?"
)
_ETAG = re.compile(r'(?:W/)?"(?P<version>[^"\s]{1,64})"')


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry stands: on which server, in which history of the file (0: in none), and after how many others."""

    base: str = ""
    history: int = 0
    place: int = 0


ALONE = Position()
"""Where a resource stands that no Bundle holds."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What one entry says: which resource was deleted; `trace` has nothing but its name and age."""

    name: str
    trace: _Json
    order: Order
    position: Position

    @property
    def has_age(self) -> bool:
        """True when it states a version or a time."""
        return self.order.version is not None or self.order.changed is not None

    def fate_of(self, resource: _Json, at: Position) -> Fate:
        """What it means for one body of the resource of this name."""
        mine = self.position
        if mine.base and at.base and mine.base != at.base:
            return "stands"
        later = self._is_later(order_of(resource), at)
        if later is None:
            return "unsure"
        if not later:
            return "stands"
        return "deleted" if mine.base == at.base else "unsure"

    def _is_later(self, body: Order, at: Position) -> bool | None:
        for mine, other in ((self.order.version, body.version), (self.order.changed, body.changed)):
            if mine is not None and other is not None and mine != other:
                return bool(mine > other)
        same = self.position.history and self.position.history == at.history
        return self.position.place > at.place if same else None


class Deletions:
    """Every deletion that a file tells of."""

    def __init__(self) -> None:
        self._known: dict[str, list[Deletion]] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Deletion]:
        """All of them, by resource."""
        return (one for many in self._known.values() for one in many)

    def note(self, one: Deletion) -> None:
        """Remember it; raises `Rejected` when there are too many to remember."""
        self._count += 1
        if self._count > MOST:
            message = f"the file tells of more than {MOST} deletions; ask for the results as they are now instead"
            raise Rejected(message, Issue("error", "too-many-deletions", message))
        self._known.setdefault(one.name, []).append(one)

    def fate_of(self, resource: _Json, at: Position) -> Fate:
        """What becomes of a body: deleted where one deletion certainly came later, unsure where one may have."""
        name = f"{resource.get('resourceType')}/{resource.get('id')}"
        fates = {one.fate_of(resource, at) for one in self._known.get(name, ())}
        return "deleted" if "deleted" in fates else "unsure" if "unsure" in fates else "stands"


def is_deletion(entry: _Json) -> bool:
    """True for an entry of a Bundle that tells of a deletion."""
    request = entry.get("request")
    return isinstance(request, dict) and request.get("method") == "DELETE"


def deletion_of(entry: _Json, at: Position) -> Deletion | None:
    """What such an entry says; None where it does not name one resource by its id."""
    address = _URL.fullmatch(str(entry.get("fullUrl") or ""))
    named = _URL.fullmatch(str(_object(entry.get("request")).get("url") or "")) or address
    if named is None:
        return None
    kind, name = named["kind"], f"{named['kind']}/{named['id']}"
    base = named["base"] or (address["base"] if address else "") or at.base
    response = _object(entry.get("response"))
    etag = _ETAG.fullmatch(str(response.get("etag") or ""))
    ages = {"versionId": etag["version"] if etag else named["version"], "lastUpdated": response.get("lastModified")}
    meta = {key: value for key, value in ages.items() if isinstance(value, str)}
    trace = {"resourceType": kind, "id": named["id"], "status": "entered-in-error", "meta": meta}
    return Deletion(name, trace, order_of(trace), replace(at, base=base))


def about_deletion(fate: Fate, name: str) -> Issue | None:
    """What is to be said of a result that was, or may have been, deleted."""
    if fate == "deleted":
        message = "the file says that it was deleted afterwards; not used"
        return Issue("information", "deleted-result", message, Where(resource=name))
    if fate == "unsure":
        message = "the file says that it was deleted, and not whether that was before or after this"
        return Issue("error", "deletion-unclear", message, Where(resource=name))
    return None


def only_base(entries: Iterable[object]) -> str:
    """The server of a Bundle's entries where their addresses name one and no other: a history is of one server."""
    stated = [str(entry.get("fullUrl") or "") for entry in entries if isinstance(entry, dict)]
    bases = {found["base"] for found in map(_URL.fullmatch, stated) if found is not None and found["base"]}
    return bases.pop() if len(bases) == 1 else ""


def _object(value: object) -> _Json:
    return value if isinstance(value, dict) else {}
