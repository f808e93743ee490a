"""How a search is written, and how a page of its answer is read.

https://hl7.org/fhir/R4/search.html#escaping, https://hl7.org/fhir/R4/bundle.html#searchset
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fhir_adapter.client.bundles import outcome_issues
from fhir_adapter.issues import Issue

_SPECIAL = re.compile(r"([\\,|$])")
_CODE = re.compile(r"[a-z][a-z-]{0,39}")
_NOT_IN_SELF = ("_count", "_format", "_pretty")
"""Parameters that servers need not repeat: they change the form of the answer, not what matches."""

Resource = dict[str, object]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and what the server said or left out."""

    resources: tuple[Resource, ...]
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page: matches of the type that was asked for, codes of outcome entries, the search as the server took it."""

    matches: tuple[Resource, ...]
    outcomes: tuple[str, ...]
    self_link: str | None
    total: int | None


def token(system: str, code: str) -> str:
    """A search token of both parts; what has a meaning in search values is escaped."""
    return f"{_escaped(system)}|{_escaped(code)}"


def form_of(parameters: Sequence[tuple[str, str]]) -> bytes:
    """The body of a `POST _search`, every value percent-encoded once."""
    return urlencode(list(parameters), quote_via=quote, safe="").encode()


def read_page(body: Mapping[str, object], resource_type: str) -> Page:
    """What a page holds; included resources and outcomes are no matches."""
    matches: list[Resource] = []
    outcomes: list[str] = []
    entries = body.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        mode = _mode(entry)
        outcomes += [_word(issue.get("code")) for issue in outcome_issues(resource) if mode != "include"]
        if resource.get("resourceType") == resource_type and mode in ("", "match"):
            matches.append(resource)
    total = body.get("total")
    return Page(tuple(matches), tuple(outcomes), _link(body, "self"), total if isinstance(total, int) else None)


def latest(resources: Iterable[Resource]) -> list[Resource]:
    """Each resource once: pages that shift repeat one, or show it before and after a change."""
    found: dict[str, Resource] = {}
    for resource in resources:
        name = str(resource.get("id"))
        known = found.get(name)
        if known is None or age_of(resource) >= age_of(known):
            found[name] = resource
    return list(found.values())


def ignored_parameters(self_link: str | None, parameters: Sequence[tuple[str, str]]) -> list[str]:
    """The parameters that the server's `self` link says it did not apply; none where it shows no query at all."""
    query = urlsplit(self_link).query if self_link else ""
    if not query:
        return []
    applied = {name.partition(":")[0] for name, _ in parse_qsl(query, keep_blank_values=True)}
    asked = dict.fromkeys(name.partition(":")[0] for name, _ in parameters)
    return [name for name in asked if name not in applied and name not in _NOT_IN_SELF]


def next_link(body: Mapping[str, object]) -> str | None:
    """Where the next page is; None on the last one."""
    return _link(body, "next")


def _link(body: Mapping[str, object], relation: str) -> str | None:
    links = body.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == relation:
            return str(link.get("url"))
    return None


def _mode(entry: Mapping[str, object]) -> str:
    search = entry.get("search")
    return str(search.get("mode", "")) if isinstance(search, dict) else ""


def _word(code: object) -> str:
    """The issue type, when it is one: a server's free text may repeat what was searched for."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "unknown"


def age_of(resource: Mapping[str, object]) -> tuple[int, str]:
    """Versions that are numbers are ordered by them, others by the time of the last change."""
    meta = resource.get("meta")
    stated = meta if isinstance(meta, dict) else {}
    version = str(stated.get("versionId", ""))
    number = int(version) if version.isascii() and version.isdigit() and len(version) < len("1" * 18) else 0
    return number, str(stated.get("lastUpdated", ""))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
