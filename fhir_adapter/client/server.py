"""How to talk to a FHIR server: requests, retries, answers that are not FHIR.

Reads and transactions are repeated: after a lost connection, a 429 or a 503 with what `Retry-After` asks (within
bounds). A guarded update whose first answer was lost is then refused as a conflict; its Provenance tells the truth.
Redirects are refused; the token goes to the configured server alone.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, urljoin, urlsplit

import httpx2

from fhir_adapter import __version__, fhirjson
from fhir_adapter.client.bundles import (
    BadAnswerError,
    TransactionAnswer,
    TransactionEntry,
    blamed_entries,
    outcome_issues,
    read_answers,
    transaction_bundle,
)
from fhir_adapter.client.searching import (
    Found,
    Page,
    form_of,
    ignored_parameters,
    latest,
    next_link,
    read_page,
)
from fhir_adapter.client.server_settings import ServerSettings, is_loopback
from fhir_adapter.issues import AdapterError, Issue, Misconfigured, Retriable, Where

FHIR_JSON = "application/fhir+json"
MAX_ANSWER_BYTES = 256 * 1024 * 1024
MAX_PAGES = 10_000
IDS_PER_SEARCH = 100

log = logging.getLogger(__name__)

_BUSY = (429, 502, 503, 504)
_CONFLICT = (409, 412)
_GONE = (404, 410)
_VERDICTS = (400, 412, 422)
_STRICT = {"Prefer": "handling=strict"}
_LONGEST_WAIT_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 0.5


class NotFhirError(Retriable):
    """The server answered something that is not FHIR: a login page, a proxy's error, a wrong base URL."""


class ServerRejected(AdapterError):
    """The server refused what was sent; `blamed` are the places of entries that it named, `conflict` an edit there.

    `body` is what it said, in its own words: they may repeat what was sent, so they are shown to nobody as they are.
    """

    def __init__(self, status: int, issues: Sequence[Issue], blamed: set[int], body: object = None) -> None:
        super().__init__(f"the server answered {status}", *issues)
        self.status = status
        self.blamed = blamed
        self.body = body

    @property
    def conflict(self) -> bool:
        """True when somebody else changed what we were about to write."""
        return self.status in _CONFLICT


class _PageGone(ServerRejected):
    """A later page of a search is no longer there."""


class FhirServer:
    """One FHIR server, over one pool of connections.

    `requests` counts what was sent; `date` is the server's own clock in its last answer, None when it told none.
    """

    def __init__(self, settings: ServerSettings, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings = settings
        self.base = settings.base
        self.requests = 0
        self._sleep = sleep
        self.date: datetime | None = None
        self._http: httpx2.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            self._http.close()

    def capabilities(self) -> Mapping[str, object]:
        """The CapabilityStatement; raises `NotFhirError` when there is none."""
        body = self._send("GET", "/metadata")
        if not isinstance(body, dict) or body.get("resourceType") != "CapabilityStatement":
            raise self._not_fhir("no CapabilityStatement at /metadata")
        return body

    def transaction(self, entries: Sequence[TransactionEntry]) -> list[TransactionAnswer]:
        """Put all entries or none; raises `ServerRejected`, and `Retriable` when the outcome is not known."""
        body = self._send("POST", "", transaction_bundle(self.base, entries))
        try:
            return read_answers(body, entries)
        except BadAnswerError as error:
            raise self._not_fhir(str(error)) from error

    def validate(self, resource_type: str, body: bytes, profile: str | None = None) -> object:
        """The OperationOutcome of the server's `$validate`, whatever its status (400 and 422 are verdicts too).

        Raises `ServerRejected` when the answer is none, `Retriable` as every request does.
        """
        query = f"?profile={quote(profile, safe='')}" if profile else ""
        try:
            answer = self._send("POST", f"/{resource_type}/$validate{query}", body)
        except ServerRejected as error:
            if error.status in _VERDICTS and outcome_issues(error.body):
                return error.body
            raise
        if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome":
            raise self._not_fhir("$validate was not answered with an OperationOutcome")
        return answer

    def read_many(self, resource_type: str, ids: Sequence[str]) -> dict[str, dict[str, object]]:
        """The resources of one type that exist under these ids, by id."""
        try:
            return self._read_many(resource_type, ids)
        except ServerRejected as error:
            raise self._not_fhir(f"the search of {resource_type} by _id was answered {error.status}") from error

    def _read_many(self, resource_type: str, ids: Sequence[str]) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        for start in range(0, len(ids), IDS_PER_SEARCH):
            some = ids[start : start + IDS_PER_SEARCH]
            form = f"_id={'%2C'.join(some)}&_count={IDS_PER_SEARCH}".encode()
            for resource in self._pages(f"/{resource_type}/_search", form, resource_type):
                if resource.get("id") in some:
                    found[str(resource["id"])] = resource
        return found

    def count(self, resource_type: str) -> int:
        """How many resources of a type the server holds."""
        body = self._send("GET", f"/{resource_type}?_summary=count")
        total = body.get("total") if isinstance(body, dict) else None
        if not isinstance(total, int):
            raise self._not_fhir("no total came back")
        return total

    def search(self, resource_type: str, parameters: Sequence[tuple[str, str]]) -> Found:
        """All matches of a search, each once and in its latest version, with what the server said about the search.

        Values are search values: tokens escaped by `token`, prefixes and commas as FHIR means them. A server that
        drops a parameter or counts otherwise is an issue; callers check that matches are what they asked for. Raises
        `ServerRejected` for a refused search, `Retriable` when it cannot be read to its end.
        """
        form = form_of(parameters)
        try:
            pages = self._all_pages(resource_type, form)
        except _PageGone:  # a server keeps a search for a while only: once more from the start, then give up
            log.info("a page was gone; searching again", extra={"kind": resource_type})
            try:
                pages = self._all_pages(resource_type, form)
            except _PageGone as error:
                raise self._retriable("page-expired", "a page of a search was gone, twice") from error
        return self._found(resource_type, parameters, pages)

    def _all_pages(self, resource_type: str, form: bytes) -> list[Page]:
        return [read_page(body, resource_type) for body in self._bodies(f"/{resource_type}/_search", form, _STRICT)]

    def _found(self, resource_type: str, parameters: Sequence[tuple[str, str]], pages: Sequence[Page]) -> Found:
        resources = latest(resource for page in pages for resource in page.matches)
        issues = [self._said(status) for page in pages for status in page.outcomes]
        ignored = ignored_parameters(pages[0].self_link, parameters)
        if ignored:
            message = f"the server did not apply {', '.join(ignored)} to a search of {resource_type}"
            issues.append(Issue("warning", "search-ignored", message, Where(self._name)))
        total = pages[0].total
        if total is not None and total != len(resources):
            message = f"the server announced {total} {resource_type} and gave {len(resources)}"
            issues.append(Issue("warning", "total-differs", message, Where(self._name)))
        return Found(tuple(resources), tuple(dict.fromkeys(issues)))

    def _said(self, code: str) -> Issue:
        return Issue(
            "warning", "search-outcome", f"the server said of a search: {code}", Where(self._name), None, None, "server"
        )

    def _pages(self, path: str, form: bytes, resource_type: str) -> Iterator[dict[str, object]]:
        """All matches of a search, page by page."""
        for body in self._bodies(path, form):
            yield from read_page(body, resource_type).matches

    def _bodies(
        self, path: str, form: bytes, headers: Mapping[str, str] | None = None
    ) -> Iterator[Mapping[str, object]]:
        """The pages of a search; only links to the same server are followed, and none twice."""
        body = self._send("POST", path, form, "application/x-www-form-urlencoded", headers)
        visited: set[str] = set()
        while True:
            if not isinstance(body, dict) or body.get("type") != "searchset":
                raise self._not_fhir("no searchset came back")
            yield body
            link = next_link(body)
            if link is None:
                return
            address = urljoin(f"{self.base}/", link)
            if address in visited or len(visited) >= MAX_PAGES:
                raise self._not_fhir("the next link repeats itself")
            visited.add(address)
            if urlsplit(address)[:2] != urlsplit(self.base)[:2]:
                raise self._not_fhir("the next link leads to another server")
            body = self._page(address, headers)

    def _page(self, address: str, headers: Mapping[str, str] | None) -> object:
        try:
            return self._send("GET", address, extra=headers)
        except ServerRejected as error:
            if error.status in _GONE:
                raise _PageGone(error.status, error.issues, error.blamed) from error
            raise

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        media: str = FHIR_JSON,
        extra: Mapping[str, str] | None = None,
    ) -> object:
        address = path if path.startswith("http") else self.base + path
        headers = {**({"Content-Type": media} if content is not None else {}), **(extra or {})}
        for attempt in range(1, self.settings.attempts + 1):
            last = attempt == self.settings.attempts
            try:
                self.requests += 1
                response = self._client().request(method, address, content=content, headers=headers)
            except httpx2.TransportError as error:
                log.info("no answer", extra={**_about(method, path, attempt), "why": _network_words(error)})
                if last:
                    raise self._retriable("server-unreachable", _network_words(error)) from error
                self._sleep(_FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
                continue
            except httpx2.RequestError as error:
                raise self._not_fhir("an answer that cannot be decoded") from error
            self.date = _date(response.headers.get("Date"))
            log.debug("answer", extra={**_about(method, path, attempt), "status": response.status_code})
            if response.status_code not in _BUSY or last:
                return self._read(response)
            self._sleep(_wait_seconds(response.headers.get("Retry-After"), attempt))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _read(self, response: httpx2.Response) -> object:
        status = response.status_code
        if 300 <= status < 400:  # noqa: PLR2004 - the range of redirects
            raise self._not_fhir(f"a redirect ({status}); configure the address that it leads to, if you trust it")
        body = self._json(response)
        if status < 300:  # noqa: PLR2004
            if body is None:
                media = response.headers.get("Content-Type", "no content type")
                raise self._not_fhir(f"{media} instead of FHIR JSON; is a login page or a proxy in between?")
            return body
        if status in (401, 403):
            hint = "the token is missing, expired or too narrow; see `servers` in the configuration"
            raise self._retriable("not-authorised", f"the server answered {status}: {hint}")
        if status in _BUSY or status >= 500:  # noqa: PLR2004
            raise self._retriable("server-failed", f"the server answered {status}")
        raise ServerRejected(status, self._issues(status, body), blamed_entries(body), body)

    def _json(self, response: httpx2.Response) -> object:
        if len(response.content) > MAX_ANSWER_BYTES:
            raise self._not_fhir("an answer larger than any Bundle we ask for")
        try:
            return fhirjson.loads(response.content)
        except fhirjson.JsonError:
            return None

    def _issues(self, status: int, body: object) -> list[Issue]:
        """What the server said, without its free text: diagnostics of servers repeat the values they refuse."""
        found: list[Issue] = []
        for issue in outcome_issues(body):
            severity = str(issue.get("severity"))
            if severity not in ("fatal", "error"):
                continue
            expression = issue.get("expression") or issue.get("location")
            place = str(expression[0])[:200] if isinstance(expression, list) and expression else None
            message = f"the server answered {status} ({str(issue.get('code', 'unknown'))[:40]})"
            found.append(Issue("error", "server-rejected", message, Where(expression=place), source="server"))
        fallback = Issue("error", "server-rejected", f"the server answered {status}", source="server")
        return found or [fallback]

    def _client(self) -> httpx2.Client:
        if self._http is None:
            try:
                self._http = _open(self.settings)
            except (ValueError, httpx2.InvalidURL) as error:
                message = "the proxy that the environment names (HTTPS_PROXY, ALL_PROXY) is no http(s) URL"
                raise Misconfigured(message, self._issue("wrong-url", message)) from error
        return self._http

    def _not_fhir(self, message: str) -> NotFhirError:
        return NotFhirError(f"{self._name}: not FHIR: {message}", self._issue("not-fhir", f"not FHIR: {message}"))

    def _retriable(self, code: str, message: str) -> Retriable:
        return Retriable(f"{self._name}: {message}", self._issue(code, message))

    def _issue(self, code: str, message: str) -> Issue:
        return Issue("error", code, message, Where(self._name))

    @property
    def _name(self) -> str:
        return self.settings.name or self.base


def _open(settings: ServerSettings) -> httpx2.Client:
    headers = {
        "Accept": FHIR_JSON,
        "Accept-Charset": "utf-8",
        "Cache-Control": "no-cache",  # a server's search cache may be a minute old (HAPI)
        "User-Agent": f"fhir-adapter/{__version__}",
        **{name: value.reveal() for name, value in settings.headers.items()},
    }
    if settings.token is not None:
        headers["Authorization"] = f"Bearer {settings.token.reveal()}"
    return httpx2.Client(
        headers=headers,
        timeout=settings.timeout_seconds,
        follow_redirects=False,
        verify=settings.ca_bundle or True,
        proxy=settings.proxy,
        trust_env=settings.proxy is None and not is_loopback(settings.base),
    )


def _about(method: str, path: str, attempt: int) -> dict[str, object]:
    """What the log may say of a request: never an id or a query."""
    return {"method": method, "kind": _kind(path), "attempt": attempt}


def _kind(path: str) -> str:
    """What a request is about: the resource type, a page of a search, a bundle."""
    return (
        path.lstrip("/").partition("?")[0].partition("/")[0] if path.startswith("/") else "page" if path else "bundle"
    )


def _date(stated: str | None) -> datetime | None:
    """The moment of an answer by the server's clock, in UTC."""
    if stated is None:
        return None
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return parsedate_to_datetime(stated).astimezone(UTC)
    return None


def _wait_seconds(asked: str | None, attempt: int) -> float:
    """What the server asks for, in seconds or as a date, within bounds; without it, twice as long each time."""
    wait = _FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
    if asked is not None:
        try:
            wait = max(wait, float(asked))
        except ValueError:
            with contextlib.suppress(ValueError, TypeError):
                wait = max(wait, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    return min(wait, _LONGEST_WAIT_SECONDS) if wait == wait else _FIRST_WAIT_SECONDS  # noqa: PLR0124 - NaN


def _network_words(error: httpx2.TransportError) -> str:
    """What went wrong on the way, by the kind of error: its text may hold addresses and credentials."""
    kinds = {
        httpx2.ConnectTimeout: "no connection in time",
        httpx2.ConnectError: "no connection: is it running, is the address right, is its certificate trusted?",
        httpx2.ReadTimeout: "no answer in time",
        httpx2.ProxyError: "the proxy refused",
    }
    return next((words for kind, words in kinds.items() if isinstance(error, kind)), "the connection broke")
