"""What is done to one document: it is read as JSON, every backend is asked, each finding gets its place in the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Misconfigured, Source, Where
from fhir_adapter.jobs.validate_documents import Document
from fhir_adapter.validation.backends import Backend
from fhir_adapter.validation.canonical_resources import profiles_folder
from fhir_adapter.validation.positions import Positions
from fhir_adapter.validation.run import NOT_EVALUATED

if TYPE_CHECKING:
    from fhir_adapter.jobs.validate_trial import Note
    from fhir_adapter.trial_folder import TrialFolder

FIRST_PLACES: Final = 3
"""How many places of one rule are told in a summary."""
MOST_RULES: Final = 2_000
"""Rules that are told apart; there are not so many, unless a document makes them up."""
UNREAD: Final = frozenset({"file-unreadable"})
"""Codes of what is not wrong with a resource, but keeps a file from being looked at."""
_NO_OPTIONS: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True)
class Checking:
    """What a run of `validate` is to look at: profiles beside those that resources name, packages, backends, options.

    `server` are the `ServerSettings` of the backend `server`; `options` are those of the `Validator`; `trial` is the
    trial whose rules are asked too. It is handed to other processes, so it holds nothing that is open.
    """

    profiles: tuple[str, ...] = ()
    packages: tuple[Path, ...] = ()
    backends: tuple[Source, ...] = ("native",)
    server: Any = None
    options: Mapping[str, object] = field(default_factory=lambda: _NO_OPTIONS)
    trial: TrialFolder | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one document: its place, the resource in it, and what was found.

    `looked_at` is False for what is no JSON or could not be read; then `issues` says why. `notes` are for the rules of
    the trial that look at all resources together.
    """

    file: str
    line: int
    resource: str | None
    issues: tuple[Issue, ...]
    looked_at: bool = True
    notes: tuple[Note, ...] = ()

    @property
    def unread(self) -> bool:
        """True when the file could not be read, so that nobody knows what is in it."""
        return any(issue.code in UNREAD for issue in self.issues)


class Checker:
    """The backends of a run, open."""

    def __init__(self, backends: Sequence[Backend], checking: Checking, problems: Sequence[Issue] = ()) -> None:
        self._backends = backends
        self._profiles = checking.profiles
        self._trial = checking.trial
        self._left_open: Counter[tuple[str, Source]] = Counter()
        self.problems = tuple(problems)
        """What in the packages could not be read."""

    def check(self, document: Document) -> Checked:
        """What is wrong with a document; never raises for what stands in it."""
        if document.problem is not None:
            return Checked(document.file, document.line, None, (document.problem,), looked_at=False)
        try:
            resource = fhirjson.loads(document.text)
        except fhirjson.JsonError as error:
            return Checked(document.file, document.line, None, (_no_json(document, error),), looked_at=False)
        if not isinstance(resource, dict):
            message = "JSON, but no object: a resource is an object with a resourceType"
            issue = Issue("error", "wrong-json-type", message, Where(document.file, document.line), "Resource")
            return Checked(document.file, document.line, None, (issue,))
        found = [issue for backend in self._backends for issue in backend.check(resource, self._profiles)]
        places = Positions(document.text, resource)
        issues = [self._placed(issue, document, places) for issue in found]
        told, notes = self._trial_says(document, resource, places)
        label = next((issue.where.resource for issue in issues), None)
        return Checked(document.file, document.line, label, (*issues, *told), notes=notes)

    def _placed(self, issue: Issue, document: Document, places: Positions) -> Issue:
        """The finding with its line and column in the file, as far as anybody is told of them."""
        line, column = document.line, None
        if issue.code != NOT_EVALUATED or self._is_news(issue):
            inside, column = places.of(issue.where.expression)
            line += inside - 1
        where = Where(document.file, line, issue.where.resource, issue.where.expression, column)
        return replace(issue, where=where)

    def _is_news(self, issue: Issue) -> bool:
        """Whether it was not said often before; of a million results of one code there is one thing to say."""
        key = (issue.rule or issue.message, issue.source)
        if key in self._left_open or len(self._left_open) < MOST_RULES:
            self._left_open[key] += 1
        return self._left_open[key] <= FIRST_PLACES

    def _trial_says(
        self, document: Document, resource: Mapping[str, Any], places: Positions
    ) -> tuple[tuple[Issue, ...], tuple[Note, ...]]:
        if self._trial is None:
            return (), ()
        from fhir_adapter.jobs.validate_trial import Page, read_notes, read_results  # noqa: PLC0415 - for who asks

        page = Page(resource, document.file, document.line, places)
        return tuple(read_results(page, self._trial)), tuple(read_notes(page))


@contextmanager
def opened(checking: Checking) -> Iterator[Checker]:
    """The checker of a run; raises `Misconfigured` for a package or an engine that is not there."""
    with ExitStack() as stack:
        problems: list[Issue] = []
        backends = [stack.enter_context(_backend(source, checking, problems)) for source in checking.backends]
        yield Checker(backends, checking, problems)


def _backend(source: Source, checking: Checking, problems: list[Issue]) -> Backend:
    if source == "native":
        return _native(checking, problems)
    if source == "server":
        from fhir_adapter.client import FhirServer  # noqa: PLC0415 - half a second, for who asks a server
        from fhir_adapter.validation.backends.server import ServerBackend  # noqa: PLC0415

        return ServerBackend(FhirServer(checking.server))
    from fhir_adapter.validation.backends.hl7 import Hl7Backend  # noqa: PLC0415

    strict = checking.options.get("unknown_extensions") == "error"
    return Hl7Backend((profiles_folder(), *checking.packages), strict_extensions=strict)


def _native(checking: Checking, problems: list[Issue]) -> Backend:
    from fhir_adapter.validation.backends.native import NativeBackend  # noqa: PLC0415 - paid for by who asks it

    try:
        backend = NativeBackend(checking.packages, **checking.options)
    except OSError as error:
        message = f"a package cannot be opened: {error.strerror or 'it is no package'}"
        where = Where(str(error.filename or "--package"))
        raise Misconfigured(message, Issue("error", "package-unreadable", message, where)) from error
    problems += backend.problems
    return backend


def _no_json(document: Document, error: fhirjson.JsonError) -> Issue:
    cause = error.__cause__
    line, column = document.line, None
    if isinstance(cause, json.JSONDecodeError):
        line, column = document.line + cause.lineno - 1, cause.colno
    message = f"not JSON: {cause.msg if isinstance(cause, json.JSONDecodeError) else error}"
    return Issue("error", "not-json", message, Where(document.file, line, column=column))
