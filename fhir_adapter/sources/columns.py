"""What becomes of every column of a source, and whether the file has the columns that the mapping names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Literal

from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.sources.entities import FIELDS
from fhir_adapter.sources.reading import ColumnUse
from fhir_adapter.sources.table import Table
from fhir_adapter.trial_folder import Document, SourceSettings


def check_fields(source: SourceSettings, document: Document, *, masked: bool) -> None:
    """Refuse a mapping that names a field which the entity does not have, or a key that tells a masked arm.

    Raises `Misconfigured`.
    """
    known = FIELDS[source.entity]
    named = [("columns", column, name) for column, name in source.columns.items()]
    named += [("constants", name, name) for name in source.constants]
    issues = [
        document.issue("unknown-field", _unknown(name, source.entity, known), "sources", source.name, part, key)
        for part, key, name in named
        if name not in known
    ]
    issues += list(_repeated(source, document))
    issues += list(_unblinding(source, document)) if masked else []
    if source.parameters and "parameter" not in source.columns.values():
        message = "parameters are listed, and no column is mapped to the field 'parameter' that names them"
        issues.append(document.issue("unknown-field", message, "sources", source.name, "parameters"))
    if issues:
        raise Misconfigured(f"source {source.name}: fields that cannot be filled so", *issues)


def check_columns(source: SourceSettings, table: Table, document: Document) -> None:
    """Refuse a file without a column that the mapping uses; raises `Misconfigured`."""
    there = {column.name for column in table.columns}
    used = [*source.columns, *source.key, *([source.rows.column] if source.rows else [])]
    missing = [column for column in dict.fromkeys(used) if column not in there]
    if missing:
        message = f"{source.file} has no column {', '.join(missing)}; it has {', '.join(sorted(there))}"
        issue = document.issue("missing-column", message, "sources", source.name, "columns", missing[0])
        raise Misconfigured(message, issue)


def column_uses(source: SourceSettings, table: Table) -> Iterator[ColumnUse]:
    """What became of each column, and of each parameter where the source holds parameters."""
    for column in table.columns:
        use, detail = _use(column.name, source.columns, source.ignored)
        filled = sum(1 for row in table.rows if row.cells[column.name])
        yield ColumnUse(source.name, source.file, column.name, use, detail, filled)
    if source.parameters:
        yield from _parameter_uses(source, table)


def unknown_columns(uses: tuple[ColumnUse, ...]) -> Iterator[Issue]:
    """A warning for each column that is neither mapped nor ignored by decision."""
    for use in uses:
        if use.use == "unknown":
            message = f"{use.column}: neither mapped nor ignored by decision; {use.filled} rows have a value"
            yield Issue("warning", "unknown-column", message, Where(use.file))


def _parameter_uses(source: SourceSettings, table: Table) -> Iterator[ColumnUse]:
    column = next(name for name, field in source.columns.items() if field == "parameter")
    counts: dict[str, int] = {}
    for row in table.rows:
        counts[row.cells[column]] = counts.get(row.cells[column], 0) + 1
    for parameter, count in counts.items():
        use, detail = _use(parameter, source.parameters, source.ignored_parameters)
        yield ColumnUse(source.name, source.file, f"{column}={parameter}", use, detail, count)


def _use(
    name: str, mapped: Mapping[str, str], ignored: Mapping[str, str]
) -> tuple[Literal["mapped", "ignored", "unknown"], str]:
    if name in mapped:
        return "mapped", mapped[name]
    if name in ignored:
        return "ignored", ignored[name]
    return "unknown", ""


_UNBLINDING = ("treatment", "strength", "lot", "planned_arm", "actual_arm", "device")


def _unblinding(source: SourceSettings, document: Document) -> Iterator[Issue]:
    """A key stands in identifiers, so in a masked trial it must not tell the arm."""
    for column in source.key:
        if source.columns.get(column) in _UNBLINDING:
            message = f"{column} would show the arm of a masked trial in every identifier; choose another key"
            yield document.issue("unblinding-key", message, "sources", source.name, "key")


def _repeated(source: SourceSettings, document: Document) -> Iterator[Issue]:
    seen: dict[str, str] = {}
    for column, name in source.columns.items():
        if name in seen:
            message = f"{name!r} is filled by {seen[name]} and by {column}; one column fills a field"
            yield document.issue("field-twice", message, "sources", source.name, "columns", column)
        seen[name] = column


def _unknown(name: str, entity: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"a {entity} has no field {name!r}; {hint}"
