"""This program's own validator, as one of the backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fhir_adapter.issues import Issue, Source
from fhir_adapter.validation.validator import Validator


class NativeBackend:
    """A `Validator` that was made for one run; made with the same arguments."""

    source: Source = "native"

    def __init__(self, packages: Sequence[Path] = (), **options: Any) -> None:  # noqa: ANN401 - those of Options
        self._validator = Validator(packages, **options)
        self.problems = self._validator.problems

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to close."""

    def check(self, resource: Mapping[str, Any], profiles: Sequence[str] = ()) -> list[Issue]:
        """As `Validator.check`."""
        return self._validator.check(resource, profiles)
