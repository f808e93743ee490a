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
from fhir_adapter.validation.outcomes import issues_of, label_of
from fhir_adapter.validation.primitives import is_id

_NO_OPERATION: Final = (404, 405, 501)


class ServerBackend:
    """The `$validate` of one server."""

    source: Source = "server"

    def __init__(self, server: FhirServer) -> None:
        self._server = server

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
        `Retriable` when it cannot be reached, `Misconfigured` when it has no `$validate`.
        """
        kind = resource.get("resourceType")
        if not isinstance(kind, str) or not is_id(kind):
            return [self._not_evaluated(resource, "it has no resourceType, so the server cannot be asked about it")]
        body = fhirjson.dumps(resource)
        found: dict[Issue, None] = {}
        for profile in profiles or (None,):
            found.update(dict.fromkeys(self._ask(kind, resource, body, profile)))
        return list(found)

    def _ask(self, kind: str, resource: Mapping[str, Any], body: bytes, profile: str | None) -> list[Issue]:
        try:
            return issues_of(self._server.validate(kind, body, profile), "server", resource)
        except ServerRejected as error:
            if error.status in _NO_OPERATION:
                raise self._has_none(error.status) from error
            return [self._not_evaluated(resource, f"the server answered {error.status}")]
        except Retriable as error:
            if any(issue.code == "server-failed" for issue in error.issues):
                return [self._not_evaluated(resource, "the server failed at it")]
            raise

    def _not_evaluated(self, resource: Mapping[str, Any], why: str) -> Issue:
        message = f"not evaluated by the server: {why}"
        return Issue("information", "not-evaluated", message, Where(resource=label_of(resource)), source="server")

    def _has_none(self, status: int) -> Misconfigured:
        message = f"the server answered {status} to $validate: it does not validate; leave `server` out of --backend"
        return Misconfigured(message, Issue("error", "no-validate", message, Where(self._server.settings.name)))
