"""What is asked of a Bundle as a whole: the addresses of its entries, its links, and its requests or results.

Sources: https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/http.html#trules, bdl-7 and bdl-8; severities are
those of HL7's own engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fhir_adapter.fhirpath.model import load_model
from fhir_adapter.issues import Severity
from fhir_adapter.validation.linked_entries import FIRST, Entry, check_linked
from fhir_adapter.validation.surroundings import as_list, as_object, is_absolute, restful_address, text_of

if TYPE_CHECKING:
    from fhir_adapter.validation.run import Run

Json = Mapping[str, Any]

_WITHOUT_ADDRESS = frozenset({"batch", "transaction", "batch-response", "transaction-response"})
_REQUESTS = frozenset({"batch", "transaction", "history"})
_PAGED = frozenset({"searchset", "history"})
_PAGES = frozenset({"first", "previous", "next", "last"})
_HL7_TABLES = ("http://hl7.org/fhir/v2/", "http://hl7.org/fhir/v3/")
_FULL_URL = "Bundle.entry.fullUrl"


def check_bundle(bundle: Json, path: str, run: Run) -> None:
    """One Bundle, whose elements are checked elsewhere."""
    kind = text_of(bundle, "type") or ""
    entries = list(_entries(bundle, path))
    for entry in entries:
        _check_full_url(entry, kind, run)
        if kind in _REQUESTS:
            _check_request(entry, run)
    if kind != "history":
        _check_unique(entries, path, run)
    _check_links(bundle, kind, path, run)
    if kind == "searchset" and entries:
        _check_search(bundle, entries, path, run)
    if kind in FIRST and entries and entries[0].kind == FIRST[kind]:
        check_linked(entries, kind, run)


def _entries(bundle: Json, path: str) -> Iterator[Entry]:
    for number, each in enumerate(as_list(bundle.get("entry"))):
        content = as_object(each)
        resource = as_object(content.get("resource"))
        yield Entry(f"{path}.entry[{number}]", content, text_of(content, "fullUrl"), resource)


# Addresses


def _check_full_url(entry: Entry, kind: str, run: Run) -> None:
    address = entry.full_url
    if address is None:
        is_said_by_server = as_object(entry.content.get("search")).get("mode") == "outcome"
        if entry.resource and kind not in _WITHOUT_ADDRESS and not is_said_by_server:
            message = f"an entry of a Bundle of the type {kind!r} needs a fullUrl, the identity of its resource"
            run.error("full-url", message, entry.path, _FULL_URL)
    elif not is_absolute(address):
        run.error("full-url", "the fullUrl must be an absolute address", entry.path, _FULL_URL)
    elif "/_history/" in address:
        run.error("full-url", "bdl-8: the fullUrl must not name a version", entry.path, "bdl-8")
    elif entry.resource:
        _check_identity(entry, address, run)


def _check_identity(entry: Entry, address: str, run: Run) -> None:
    """A fullUrl that is the address of a resource on a server ends with the type and id of this one."""
    restful = restful_address(address)
    is_right = restful is not None and (restful.type, restful.id) == (entry.kind, entry.key)
    if restful is not None and not is_right:
        right = f"it ends with {entry.kind} and the id of the resource" if entry.key else "the resource needs an id"
        message = f"the fullUrl is the address of a resource on a server, so {right}"
        run.error("full-url", message, entry.path, _FULL_URL)
    elif not is_right and entry.resource.get("url") == address and not address.startswith(_HL7_TABLES):
        message = "the fullUrl is the canonical address of the resource, but does not end with its type and id"
        run.error("full-url", message, entry.path, _FULL_URL)


def _check_unique(entries: list[Entry], path: str, run: Run) -> None:
    """bdl-7: the same fullUrl twice only with different versions."""
    seen: set[tuple[str, str | None]] = set()
    for entry in entries:
        if entry.full_url is None:
            continue
        key = (entry.full_url, text_of(as_object(entry.resource.get("meta")), "versionId"))
        if key in seen:
            message = "bdl-7: two entries have the same fullUrl, and not different versions in meta.versionId"
            run.error("invariant", message, path, "bdl-7")
            return
        seen.add(key)


def _check_request(entry: Entry, run: Run) -> None:
    """The address of a request names the type of the resource, and its id where it creates none."""
    request = as_object(entry.content.get("request"))
    method, url = text_of(request, "method"), text_of(request, "url")
    if method not in ("POST", "PUT") or not url or not entry.resource or "$" in url:
        return
    name, _, key = url.partition("?")[0].removeprefix("/").partition("/")
    path, rule = f"{entry.path}.request", "Bundle.entry.request.url"
    if not load_model().is_resource(name):
        return
    if name != entry.kind and entry.kind is not None:
        run.error("request-url", f"the address is that of a {name}, the resource is a {entry.kind}", path, rule)
    elif method == "PUT" and key and entry.key != key:
        run.error("request-url", "the id in the address and the id of the resource must be the same", path, rule)


def _check_links(bundle: Json, kind: str, path: str, run: Run) -> None:
    seen: set[str] = set()
    is_paged = kind in _PAGED
    for number, each in enumerate(as_list(bundle.get("link"))):
        relation, place = text_of(as_object(each), "relation"), f"{path}.link[{number}]"
        if relation in _PAGES and not is_paged and kind:
            message = f"the link {relation!r} belongs to results in pages, not to a Bundle of the type {kind!r}"
            run.error("link-not-allowed", message, f"{place}.relation", "Bundle.link.relation")
        elif relation is not None and relation in seen and (relation in _PAGES or relation == "self"):
            message = f"the link {relation!r} can only occur once"
            run.error("link-twice", message, place if is_paged else f"{place}.relation", "Bundle.link.relation")
        seen.add(relation or "")


# Results of a search


def _check_search(bundle: Json, entries: list[Entry], path: str, run: Run) -> None:
    types = _searched_types(bundle, path, run)
    if any(_mode(entry) for entry in entries):
        for entry in entries:
            _check_found(entry, types, run)
        return
    severity: Severity = "information"
    kinds = {entry.kind for entry in entries} - {"OperationOutcome"}
    if len(kinds) > 1 or not types or not kinds <= set(types):
        severity = "warning"
    run.report(severity, "search-results", "the entries should tell their search mode", path, "Bundle.entry.search")
    for entry in entries:
        _check_has_resource(entry, run)
        if entry.resource and entry.key is None and entry.kind != "OperationOutcome":
            message = "a result of a search should have an id"
            run.report("warning", "search-results", message, f"{entry.path}.resource", "Resource.id")


def _searched_types(bundle: Json, path: str, run: Run) -> list[str]:
    """The types of resource that were searched, as far as the link `self` tells them."""
    links = [as_object(each) for each in as_list(bundle.get("link"))]
    own = next((each for each in links if each.get("relation") == "self"), None)
    if own is None:
        message = "the results of a search should have the link self, which says what was searched"
        run.report("warning", "search-results", message, path, "Bundle.link")
        return []
    place, _, parameters = (text_of(own, "url") or "").partition("?")
    name = place.rpartition("/")[2]
    if load_model().is_resource(name):
        return [name]
    stated = next((each[len("_type=") :] for each in parameters.split("&") if each.startswith("_type=")), "")
    if not stated:
        message = "the link self does not tell which types were searched, so the types are not looked at"
        run.report("information", "search-results", message, path, "Bundle.link.url")
    return stated.split(",") if stated else []


def _check_found(entry: Entry, types: list[str], run: Run) -> None:
    mode, place = _mode(entry), f"{entry.path}.resource"
    if mode is None:
        message = "the entry should tell its search mode, as others do"
        run.report("warning", "search-results", message, entry.path, "Bundle.entry.search.mode")
    _check_has_resource(entry, run)
    if not entry.resource:
        return
    if mode in ("match", "include") and entry.key is None:
        run.error("search-results", "a result of a search must have an id", place, "Resource.id")
    if mode == "match" and types and entry.kind not in types:
        message = "a match of a type that was not searched"
        run.error("search-results", message, place, "Bundle.entry.resource")
    elif mode == "outcome" and entry.kind != "OperationOutcome":
        message = "the outcome of a search is an OperationOutcome"
        run.error("search-results", message, place, "Bundle.entry.resource")


def _check_has_resource(entry: Entry, run: Run) -> None:
    if not entry.resource:
        message = "an entry of the results of a search must have a resource"
        run.error("search-results", message, entry.path, "Bundle.entry.resource")


def _mode(entry: Entry) -> str | None:
    return text_of(as_object(entry.content.get("search")), "mode")
