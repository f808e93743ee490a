"""Who is asked what is wrong with a resource: this program, a FHIR server, HL7's Java engine, behind one seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

from fhir_adapter.issues import Issue, Source

BACKENDS: Final[tuple[Source, ...]] = ("native", "server", "hl7")
"""The backends that can be asked for, in the order in which they answer."""


class Backend(Protocol):
    """One validator; `source` is what its issues say of where they come from.

    `check` answers everything that is wrong with a resource (a JSON value with `Decimal` numbers), and what was not
    looked at. Raises `AdapterError` only when it can answer nothing any more: the server or the engine is gone.
    """

    source: Source

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def check(self, resource: Mapping[str, Any], profiles: Sequence[str] = ()) -> list[Issue]:
        """What is wrong with one resource, against R4, the profiles it names, and these."""
        ...
