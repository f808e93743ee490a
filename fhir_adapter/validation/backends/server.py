"""A FHIR server as validator: its `$validate`, one request a resource and profile.

Source: https://hl7.org/fhir/R4/operation-resource-validate.html. The profile goes into the query, which takes one; a
resource without profiles to be checked beside its own is sent once. What the server says is shown without the values
that the resource holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, ServerRejected
from fhir_adapter.issues import Issue, Misconfigured, Retriable, Source, Where
from fhir_adapter.validation import resource_types
from fhir_adapter.validation.outcomes import issues_of, label_of

_NO_OPERATION: Final = (404, 405)
_MOST_FAILURES: Final = 5
"""How many resources a server may fail at before it has validated any."""


class ServerBackend:
    """The `$validate` of one server."""

    source: Source = "server"

    def __init__(self, server: FhirServer) -> None:
        self._server = server
        self._validates = False
        self._failures = 0

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def check(self, resource: Mapping[str, Any], profiles: Sequence[str] = ()) -> list[Issue]:
        """What the server finds.

        A resource at which it fails (500), or that it will not look at, is said not to be evaluated. Raises
        `Retriable` when it cannot be reached or fails at one after the other, `Misconfigured` when it has no
        `$validate`.
        """
        kind = resource.get("resourceType")
        if not isinstance(kind, str) or kind not in resource_types():
            return [self._not_evaluated(resource, "it has no resourceType of R4, so no server is asked")]
        body = fhirjson.dumps(resource)
        found: dict[Issue, None] = {}
        for profile in profiles or (None,):
            found.update(dict.fromkeys(self._ask(kind, resource, body, profile)))
        return list(found)

    def _ask(self, kind: str, resource: Mapping[str, Any], body: bytes, profile: str | None) -> list[Issue]:
        try:
            outcome = self._server.validate(kind, body, profile)
            self._validates = True
            return issues_of(outcome, "server", resource)
        except ServerRejected as error:
            if error.status in _NO_OPERATION and not self._validates:
                raise self._has_none(error.status) from error
            return [self._not_evaluated(resource, f"the server answered {error.status}")]
        except Retriable as error:
            self._failures += 1
            bearable = self._validates or self._failures < _MOST_FAILURES
            if bearable and any(issue.code == "server-failed" for issue in error.issues):
                return [self._not_evaluated(resource, "the server failed at it")]
            raise

    def _not_evaluated(self, resource: Mapping[str, Any], why: str) -> Issue:
        message = f"not evaluated by the server: {why}"
        return Issue("information", "not-evaluated", message, Where(resource=label_of(resource)), source="server")

    def _has_none(self, status: int) -> Misconfigured:
        message = f"the server answered {status} to $validate: it does not validate; leave `server` out of --backend"
        return Misconfigured(message, Issue("error", "no-validate", message, Where(self._server.settings.name)))
