"""What came out of reading a trial's files: entities, what was set aside, and what became of every column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from fhir_adapter.issues import Issue
from fhir_adapter.trial import Entity, Study, Subject


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that was not used: why, what kind of entity it holds, and as far as known whose, under which key."""

    issue: Issue
    source: str
    kind: str
    subject: str | None = None
    key: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """What became of one column (or one parameter) of a file."""

    source: str
    file: str
    column: str
    use: Literal["mapped", "ignored", "unknown"]
    detail: str
    filled: int

    def to_dict(self) -> dict[str, object]:
        """The JSON form of the column report."""
        return {
            "source": self.source,
            "file": self.file,
            "column": self.column,
            "use": self.use,
            "detail": self.detail,
            "filled": self.filled,
        }


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows of a source were used, ignored by decision, or set aside."""

    source: str
    file: str
    rows: int
    used: int
    ignored: int
    set_aside: int

    def to_dict(self) -> dict[str, object]:
        """The JSON form of the row report."""
        return {
            "source": self.source,
            "file": self.file,
            "rows": self.rows,
            "used": self.used,
            "ignored": self.ignored,
            "set_aside": self.set_aside,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read from a trial's files; `files` holds the SHA-256 of each as it was read."""

    study: Study
    entities: tuple[Entity, ...]
    set_aside: tuple[SetAside, ...]
    warnings: tuple[Issue, ...]
    columns: tuple[ColumnUse, ...]
    rows: tuple[RowCount, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """All issues, set-aside rows first."""
        return (*(aside.issue for aside in self.set_aside), *self.warnings)

    def first_subjects(self, count: int | None) -> Reading:
        """The same reading with the first subjects of the file only; everything when no count is given."""
        if count is None:
            return self
        names = [entity.subject for entity in self.entities if isinstance(entity, Subject)][:count]
        kept = tuple(entity for entity in self.entities if entity.subject in names)
        return replace(self, entities=kept)
