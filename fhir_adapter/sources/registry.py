"""How a study's record comes from ClinicalTrials.gov: fetched once a day, kept, and read again when it cannot be.

`GET /studies/{nctId}` of the public API, version 2 (https://clinicaltrials.gov/data-api/api); no key is needed, and
none is sent. Redirects are not followed. A busy or unreachable registry is asked three times at most.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from fhir_adapter import __version__, fhirjson
from fhir_adapter.issues import AdapterError, Issue, Misconfigured, Retriable, Where
from fhir_adapter.sources.registry_record import RecordError, RegistryRecord, read_record, record_of

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

STUDIES = "https://clinicaltrials.gov/api/v2/studies"
TRIES = 3
LONGEST_WAIT = 60.0
"""Seconds. A registry that asks for more is not asked again in this run."""
MAX_BYTES = 64 * 1024 * 1024
"""Larger than any record; what is decompressed counts."""
FRESH = timedelta(hours=24)

_OLDEST = datetime(2020, 1, 1, tzinfo=UTC)
"""No copy is older than this program."""
_ANSWER_SECONDS = 180.0
_TIMEOUTS = (10.0, 60.0)
_CHUNK = 64 * 1024
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS,)
_SAVE = "open {url} in a browser, save the page as a .json file, and name that file with --from"

Sleep = Callable[[float], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record, the day on which it was fetched (none: nobody knows), and what a person should know of that."""

    record: RegistryRecord
    fetched_on: date | None
    cached: bool = False
    warnings: tuple[Issue, ...] = ()


class RegistryRefusedError(Misconfigured):
    """The registry does not answer this program; a browser may still be served."""


class _BusyError(Exception):
    """Worth another try: what the registry or the way there said, and how long it asks to wait."""

    def __init__(self, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.said, self.wait = said, wait


def find_record(number: str, sleep: Sleep = time.sleep) -> FoundRecord:
    """The record of a study, by its number as `registry_number` writes it.

    A copy fetched within a day is used without asking. Raises `Misconfigured` for a number that the registry does not
    know, `RegistryRefusedError` where it refuses to answer, and `Retriable` where it cannot be reached; in the last two
    cases a copy of any age is used instead, with a warning.
    """
    kept = _read_copy(number)
    if kept is not None and datetime.now(UTC) - kept[1] < FRESH:
        return FoundRecord(kept[0], _day(kept[1]), cached=True)
    try:
        record, value = _fetch(number, sleep)
    except (Retriable, RegistryRefusedError) as error:
        if kept is None:
            raise
        return FoundRecord(kept[0], _day(kept[1]), cached=True, warnings=(_old_copy(kept[1], error),))
    now = datetime.now(UTC)
    warnings = _keep_copy(number, value, now)
    return FoundRecord(record, _day(now), warnings=tuple(warnings))


def read_saved_record(path: Path) -> FoundRecord:
    """The record in a file that somebody saved; raises `Misconfigured` where the file holds none."""
    try:
        return FoundRecord(read_record(_saved_bytes(path)), None)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise Misconfigured(message, Issue("error", "registry-record", message, Where(str(path)))) from error
    except RecordError as error:
        message = f"{error}; NCT numbers and saved records of ClinicalTrials.gov are read in this version"
        raise Misconfigured(message, Issue("error", "registry-record", message, Where(str(path)))) from error


def _saved_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise RecordError("neither an NCT number such as NCT02569463 nor a file")
    if path.stat().st_size > MAX_BYTES:
        raise RecordError(f"larger than the {MAX_BYTES} bytes that are read")
    return path.read_bytes()


# The registry


def _fetch(number: str, sleep: Sleep) -> tuple[RegistryRecord, object]:
    url = f"{STUDIES}/{number}"
    try:
        value = fhirjson.loads(_download(url, number, sleep))
        record = record_of(value)
    except (fhirjson.JsonError, RecordError) as error:
        message = "the answer is no study record; is a login page or a proxy in between?"
        raise Retriable(message, Issue("error", "registry-record", message, Where(url))) from error
    if record.number != number:
        message = "the answer is the record of another study; it is not used"
        raise Retriable(message, Issue("error", "registry-record", message, Where(url)))
    return record, value


def _download(url: str, number: str, sleep: Sleep) -> bytes:
    for attempt in range(1, TRIES + 1):
        try:
            return _ask(url, number)
        except _BusyError as busy:
            wait = busy.wait if busy.wait is not None else float(attempt)
            log.info("registry", extra={"said": busy.said, "attempt": attempt})
            if attempt == TRIES or wait > LONGEST_WAIT:
                later = f"; it asks to wait {wait:.0f} seconds" if wait > LONGEST_WAIT else ""
                raise _retriable(
                    "registry-unreachable", f"{busy.said}{later}; try again later, or {_SAVE.format(url=url)}", url
                ) from busy
            sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _ask(url: str, number: str) -> bytes:
    """One request; raises `_BusyError` where another try may do better."""
    import requests  # noqa: PLC0415 - it takes long to import, and most commands never ask the registry

    headers = {"User-Agent": f"fhir-adapter/{__version__}", "Accept": "application/json"}
    try:
        with requests.get(
            url, headers=headers, auth=_no_credentials, timeout=_TIMEOUTS, allow_redirects=False, stream=True
        ) as answer:
            _check(answer, url, number)
            return b"".join(_content(answer, url))
    except requests.RequestException as error:  # its text may quote a proxy's password
        raise _BusyError(f"the registry cannot be reached ({type(error).__name__})") from error


def _no_credentials(request: PreparedRequest) -> PreparedRequest:
    """Nothing is added: without this, requests would look for a password in ~/.netrc."""
    return request


def _check(answer: Response, url: str, number: str) -> None:
    status = answer.status_code
    if status == HTTPStatus.OK:
        return
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _BusyError(f"the registry answered {status}", _asked_wait(answer.headers.get("Retry-After")))
    if status == HTTPStatus.NOT_FOUND:
        message = f"the registry knows no {number}; see https://clinicaltrials.gov for the right number"
        raise Misconfigured(message, Issue("error", "registry-unknown", message, Where("--from")))
    if status < HTTPStatus.BAD_REQUEST:
        message = f"the registry answered {status}, and redirects are not followed; is a login page in between?"
        raise _retriable("registry-unreachable", message, url)
    message = f"the registry answered {status}: it refuses some programs; {_SAVE.format(url=url)}"
    raise RegistryRefusedError(message, Issue("error", "registry-refused", message, Where(url)))


def _content(answer: Response, url: str) -> Iterator[bytes]:
    size, deadline = 0, time.monotonic() + _ANSWER_SECONDS
    for chunk in answer.iter_content(_CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise _retriable("registry-record", f"the answer is larger than {MAX_BYTES} bytes; it is not read", url)
        if time.monotonic() > deadline:
            raise _BusyError(f"the registry took more than {_ANSWER_SECONDS:.0f} seconds to answer")
        yield chunk


def _asked_wait(header: str | None) -> float | None:
    """Seconds, from a number of them or from a date; none where the registry does not say."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
        return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def _retriable(code: str, message: str, url: str) -> Retriable:
    return Retriable(message, Issue("error", code, message, Where(url)))


# Our copies


def _copy_path(number: str) -> Path:
    return user_cache_path("fhir-adapter") / "registry" / f"{number}.json"


def _read_copy(number: str) -> tuple[RegistryRecord, datetime] | None:
    """The copy and when it was fetched; none where there is none, or where it is broken."""
    path = _copy_path(number)
    try:
        if path.stat().st_size > 2 * MAX_BYTES:
            return None
        kept = fhirjson.loads(path.read_bytes())
        fetched = datetime.fromisoformat(kept["fetched_at"])
        record = record_of(kept["record"])
        if fetched.tzinfo is None or not _OLDEST <= fetched <= datetime.now(UTC):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (record, fetched) if record.number == number else None


def _keep_copy(number: str, value: object, now: datetime) -> Iterator[Issue]:
    """Keep the record for the next time, whole or not at all; a warning where that cannot be."""
    path = _copy_path(number)
    part = path.with_name(f".{number}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(fhirjson.dumps({"fetched_at": now.isoformat(), "record": value}))
            part.replace(path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        message = f"the registry's record could not be kept: {error.strerror}; it will be fetched again next time"
        yield Issue("warning", "unwritable", message, Where(str(path)))


def _old_copy(fetched: datetime, error: AdapterError) -> Issue:
    message = f"{error}: the copy fetched on {_day(fetched).isoformat()} is used instead"
    return Issue("warning", "registry-copy", message, Where("--from"))


def _day(moment: datetime) -> date:
    return moment.astimezone().date()
