"""How what a search or a history found goes out: a Bundle with total, links and entries.

Sources: https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from fhir_adapter import fhirjson
from fhir_adapter.sandbox.calls import Answer, Call, Query
from fhir_adapter.sandbox.moments import instant, interval
from fhir_adapter.sandbox.search import DEFAULT_COUNT, MAX_COUNT, Found, Search, run, understand
from fhir_adapter.sandbox.storage import Session, Stored
from fhir_adapter.serving.outcome import outcome, refusal

PAGE = "_page"
LONGEST_TOKEN = 1500
MOST_KEPT = 1000
_LONGEST_QUERY = 4 * 1024 * 1024


class Pages:
    """The tokens of `next` links: they hold the query themselves, and only a long one is kept here by its hash."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()

    def token(self, query: Query, after: int) -> str:
        """A text that stands for the page of `query` behind row `after`."""
        text = _packed([*query], after)
        if len(text) <= LONGEST_TOKEN:
            return text
        name = hashlib.sha256(repr(query).encode()).hexdigest()[:32]
        self._kept[name] = json.dumps([*query])
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return _packed(name, after)

    def read(self, token: str) -> tuple[list[tuple[str, str]], int]:
        """The query and row of a token; raises `FhirError` 410 for one that is kept no longer, 400 for no token."""
        query, after = _unpacked(token)
        if isinstance(query, str):
            if query not in self._kept:
                raise refusal(410, "expired", "this page is no longer kept: search again from the start")
            query = json.loads(self._kept[query])
        return [(name, value) for name, value in query], after


def search(call: Call, session: Session, pages: Pages) -> Answer:
    """The searchset for the query of a call, or for the page that its token names."""
    query, after = _query_and_page(call, pages)
    asked = understand(call.address.type, query, call.base, lenient=call.prefer.lenient)
    found = run(asked, session, after)
    path = f"{call.base}/{call.address.type}"
    links = [_link("self", path, call.query if after else asked.applied)]
    if found.more:
        links.append(_link("next", path, [(PAGE, pages.token(asked.applied, found.matches[-1].rid))]))
    return Answer(200, fhirjson.dumps(_searchset(found, asked, links, path)))


def history(call: Call, session: Session, pages: Pages) -> Answer:
    """The versions of a resource, a type or everything, newest first."""
    query, before = _query_and_page(call, pages)
    where, arguments = _history_where(call)
    since, count = _history_parameters(query)
    if since is not None:
        where += " AND v.last_updated >= ?"
        arguments.append(since)
    ((total,),) = session.rows(f"SELECT count(*) FROM version v WHERE {where}", arguments)  # noqa: S608
    if not total and call.address.id and since is None:
        raise refusal(404, "not-found", f"{call.address.type}/{call.address.id} is not here")
    rows = _history_rows(session, where, arguments, before, count)
    path = "/".join(part for part in (call.base, call.address.type, call.address.id, "_history") if part)
    links = [_link("self", path, call.query)]
    if len(rows) > count > 0:
        links.append(_link("next", path, [(PAGE, pages.token(query, rows[count - 1][0]))]))
    entries = [_history_entry(Stored(*row[1:]), call.base) for row in rows[:count]]
    return Answer(200, fhirjson.dumps(_bundle("history", total, links, entries)))


def _query_and_page(call: Call, pages: Pages) -> tuple[list[tuple[str, str]], int]:
    tokens = [value for name, value in call.query if name == PAGE]
    if not tokens:
        return [*call.query], 0
    if len(call.query) > 1:
        raise refusal(400, "invalid", "a page link stands for itself: nothing may be added to it")
    return pages.read(tokens[0])


def _packed(query: list[tuple[str, str]] | str, after: int) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps([query, after]).encode())).decode().rstrip("=")


def _unpacked(token: str) -> tuple[Any, int]:
    try:
        packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        query, after = json.loads(zlib.decompressobj().decompress(packed, _LONGEST_QUERY))
        pairs = query if isinstance(query, str) else [(str(name), str(value)) for name, value in query]
        return pairs, int(after)
    except (ValueError, TypeError, binascii.Error, zlib.error, RecursionError) as error:
        raise refusal(400, "invalid", "this is no page link of this server") from error


def _searchset(found: Found, asked: Search, links: list[dict[str, str]], path: str) -> dict[str, Any]:
    entries: list[dict[str, Any]] = [
        {"fullUrl": f"{path}/{match.id}", "resource": orjson.Fragment(match.body), "search": {"mode": "match"}}
        for match in found.matches
    ]
    if asked.ignored:
        entries.append({"resource": outcome(asked.ignored), "search": {"mode": "outcome"}})
    return _bundle("searchset", found.total, links, entries)


def _bundle(kind: str, total: int | None, links: list[dict[str, str]], entries: list[dict[str, Any]]) -> dict[str, Any]:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        bundle["total"] = total
    bundle["link"] = links
    if entries:
        bundle["entry"] = entries
    return bundle


def _link(relation: str, path: str, query: Query) -> dict[str, str]:
    parameters = urlencode([*query], quote_via=quote)
    return {"relation": relation, "url": f"{path}?{parameters}" if parameters else path}


def _history_where(call: Call) -> tuple[str, list[object]]:
    given = {"v.type": call.address.type, "v.id": call.address.id}
    return "1" + "".join(f" AND {name} = ?" for name, value in given.items() if value), [v for v in given.values() if v]


def _history_parameters(query: Query) -> tuple[int | None, int]:
    """`_since` in milliseconds and `_count`; raises `FhirError` 400 for others and for values that mean nothing."""
    since, count = None, DEFAULT_COUNT
    for name, value in query:
        if name not in _HISTORY_PARAMETERS:
            raise refusal(400, "not-supported", f"history takes {' and '.join(_HISTORY_PARAMETERS)}, not {name[:64]!r}")
        number = _HISTORY_PARAMETERS[name](value)
        if number is None:
            raise refusal(400, "invalid", f"history parameter {name}: the value cannot be read")
        since, count = (number, count) if name == "_since" else (since, number)
    return since, count


def _since(value: str) -> int | None:
    span = interval(value.replace(" ", "+"))
    return span and -(-span[0] // 1_000_000)


def _page_size(value: str) -> int | None:
    return min(int(value[:9]), MAX_COUNT) if value.isascii() and value.isdigit() else None


_HISTORY_PARAMETERS: dict[str, Callable[[str], int | None]] = {"_since": _since, "_count": _page_size}


def _history_rows(
    session: Session, where: str, arguments: list[object], before: int, count: int
) -> list[tuple[Any, ...]]:
    page = " AND v.pk < ?" if before else ""
    return session.rows(
        "SELECT v.pk, v.type, v.id, v.vid, v.deleted, v.body, v.last_updated, v.method FROM version v "  # noqa: S608
        f"WHERE {where}{page} ORDER BY v.pk DESC LIMIT ?",
        [*arguments, *([before] if before else []), count + 1],
    )


def _history_entry(stored: Stored, base: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"fullUrl": f"{base}/{stored.reference}"}
    if stored.body is not None:
        entry["resource"] = orjson.Fragment(stored.body)
    entry["request"] = {"method": stored.method, "url": stored.type if stored.method == "POST" else stored.reference}
    entry["response"] = {
        "status": _STATUS[stored.method] if stored.vid > 1 or stored.method != "PUT" else "201 Created",
        "location": f"{base}/{stored.reference}/_history/{stored.vid}",
        "etag": stored.etag,
        "lastModified": instant(stored.last_updated),
    }
    return entry


_STATUS = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}
