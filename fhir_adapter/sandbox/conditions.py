"""Which SQL condition the value of a search parameter means, kind by kind.

`i` is a row of the search index, `c` a row of the current resources.
Sources: https://hl7.org/fhir/R4/search.html#prefix, #token, #reference, #string, #escaping
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fhir_adapter.sandbox.index import normalized, unversioned
from fhir_adapter.sandbox.moments import interval
from fhir_adapter.sandbox.parameters import Parameter, resource_types
from fhir_adapter.serving.outcome import FhirError, refusal

MOST_ALTERNATIVES = 400
"""Alternatives that need a comparison of their own; SQLite takes no deeper expressions than 1,000."""
_LAST_CHARACTER = "\U0010ffff"
_BARE_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_PREFIXED = re.compile(r"(eq|ne|gt|ge|lt|le|sa|eb|ap)?(.*)", re.DOTALL)
_BLANK_ZONE = re.compile(r" (?=\d\d:\d\d$)")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition with its arguments; `param` is the index key it speaks of, None where it needs no index row."""

    sql: str
    arguments: tuple[object, ...]
    rank: int
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter as asked: name with modifier, comma-separated value, and the base URL of this server."""

    name: str
    value: str
    modifier: str | None
    base: str

    def bad(self, why: str) -> FhirError:
        """The refusal of this value."""
        return refusal(400, "invalid", f"search parameter {self.name}: {why}")

    def alternatives(self) -> list[str]:
        """The values between commas, still escaped; raises `FhirError` for an empty one."""
        values = split_escaped(self.value, ",")
        if not all(values):
            raise self.bad("an empty value")
        return values


Compile = Callable[[Parameter, Asked], tuple[str, list[object]]]
"""SQL over one index row, and its arguments."""


def condition(parameter: Parameter, asked: Asked) -> Condition:
    """The condition that one occurrence of a parameter means; raises `FhirError` where its value means nothing."""
    sql, arguments = COMPILE[parameter.kind](parameter, asked)
    return Condition(sql, tuple(arguments), _rank(parameter), parameter.key)


def id_condition(asked: Asked) -> Condition:
    """`_id`: any of the ids."""
    ids = [unescaped(value) for value in asked.alternatives()]
    return Condition(f"c.id IN ({_marks(ids)})", tuple(ids), 0)


def last_updated_condition(asked: Asked) -> Condition:
    """`_lastUpdated`: like a date parameter; a moment of the store is one millisecond long."""
    sql, arguments = _date_sql(asked, "c.last_updated * 1000000", "(c.last_updated + 1) * 1000000")
    return Condition(f"({sql})", tuple(arguments), 9)


def understands(parameter: Parameter, modifier: str | None) -> bool:
    """True when this modifier is built for this kind of parameter."""
    if modifier is None:
        return True
    if parameter.kind == "reference":
        return modifier in (parameter.targets or resource_types())
    return parameter.kind == "string" and modifier in ("exact", "contains")


def split_escaped(text: str, separator: str) -> list[str]:
    r"""Split where the separator is not escaped by a backslash; escapes are kept."""
    if "\\" not in text:
        return text.split(separator)
    parts = [""]
    for piece in re.findall(r"\\.|.", text, re.DOTALL):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def unescaped(text: str) -> str:
    r"""The text without the backslashes before `,`, `|`, `$` and the backslash itself."""
    return re.sub(r"\\([\\,|$])", r"\1", text)


def _rank(parameter: Parameter) -> int:
    """A guess at how few resources match, fewest first: the first condition is looked up, the others are checked."""
    if parameter.code == "identifier":
        return 1
    by_kind = {"reference": 2, "uri": 3, "string": 3, "token": 4, "date": 6}
    return 5 if parameter.code in ("status", "category") else by_kind[parameter.kind]


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _any_of(asked: Asked, pieces: list[tuple[str, list[object]]]) -> tuple[str, list[object]]:
    if len(pieces) > MOST_ALTERNATIVES:
        raise asked.bad(f"more than {MOST_ALTERNATIVES} alternatives")
    return " OR ".join(f"({sql})" for sql, _ in pieces), [value for _, values in pieces for value in values]


def _token(_parameter: Parameter, asked: Asked) -> tuple[str, list[object]]:
    by_system: dict[str | None, list[str]] = {}
    for alternative in asked.alternatives():
        system, bar, code = alternative.rpartition("|") if "\\" not in alternative else _split_token(alternative)
        if "|" in system or (bar and not system and not code):
            raise asked.bad("a token is `code`, `system|code`, `|code` or `system|`")
        by_system.setdefault(unescaped(system) if bar else None, []).append(unescaped(code))
    return _any_of(asked, [piece for system, codes in by_system.items() for piece in _token_pieces(system, codes)])


def _split_token(alternative: str) -> tuple[str, str, str]:
    *system, code = split_escaped(alternative, "|")
    return "|".join(system), "|" if system else "", code


def _token_pieces(system: str | None, codes: list[str]) -> list[tuple[str, list[object]]]:
    if system is None:
        return [(f"i.value IN ({_marks(codes)})", [*codes])]
    if not system:
        return [(f"i.value IN ({_marks(codes)}) AND i.system IS NULL", [*codes])]
    given = [code for code in codes if code]
    pieces: list[tuple[str, list[object]]] = []
    if given:
        pieces.append((f"i.value IN ({_marks(given)}) AND i.system = ?", [*given, system]))
    if len(given) < len(codes):
        pieces.append(("i.value IS NOT NULL AND i.system = ?", [system]))
    return pieces


def _reference(parameter: Parameter, asked: Asked) -> tuple[str, list[object]]:
    found: list[object] = []
    for alternative in asked.alternatives():
        found += _spellings(unescaped(alternative), parameter, asked)
    return f"i.value IN ({_marks(found)})", found


def _spellings(value: str, parameter: Parameter, asked: Asked) -> list[str]:
    """How a stored reference to the same resource may be written: relative, or absolute on this server."""
    local = unversioned(value).removeprefix(asked.base + "/")
    if "/" not in local and _BARE_ID.fullmatch(local):
        types = [asked.modifier] if asked.modifier else parameter.targets or sorted(resource_types())
        return [spelling for kind in types for spelling in (f"{kind}/{local}", f"{asked.base}/{kind}/{local}")]
    if asked.modifier and asked.modifier != local.split("/")[-2:][0]:
        raise asked.bad("its modifier and its value name two types")
    return [local] if ":" in local else [local, f"{asked.base}/{local}"]


def _date(_parameter: Parameter, asked: Asked) -> tuple[str, list[object]]:
    return _date_sql(asked, "i.low", "i.high")


def _date_sql(asked: Asked, low: str, high: str) -> tuple[str, list[object]]:
    return _any_of(asked, [_compared(asked, value, low, high) for value in asked.alternatives()])


def _compared(asked: Asked, value: str, low: str, high: str) -> tuple[str, list[object]]:
    match = _PREFIXED.fullmatch(value)
    assert match is not None
    prefix, text = match[1] or "eq", _BLANK_ZONE.sub("+", match[2])  # an unescaped + arrives as a blank
    span = interval(text)
    if span is None:
        raise asked.bad("no date; right would be 2024, 2024-02, 2024-02-29 or 2024-02-29T10:00:00+08:00")
    if prefix not in _COMPARE:
        raise asked.bad(f"the prefix {prefix} is not built in this sandbox")
    names = {"low": low, "high": high}
    return _COMPARE[prefix].format(**names), [span[number] for number in _BOUNDS[prefix]]


# The value is the stretch from bound 0 to bound 1, a resource the one from low to high; upper ends are not included.
_COMPARE = {
    "eq": "{low} >= ? AND {high} <= ?",
    "ne": "{low} < ? OR {high} > ?",
    "gt": "{high} > ?",
    "lt": "{low} < ?",
    "ge": "{high} > ? OR ({low} >= ? AND {high} <= ?)",
    "le": "{low} < ? OR ({low} >= ? AND {high} <= ?)",
    "sa": "{low} >= ?",
    "eb": "{high} <= ?",
}
_BOUNDS = {
    "eq": (0, 1),
    "ne": (0, 1),
    "gt": (1,),
    "lt": (0,),
    "ge": (1, 0, 1),
    "le": (0, 0, 1),
    "sa": (1,),
    "eb": (0,),
}


def _string(_parameter: Parameter, asked: Asked) -> tuple[str, list[object]]:
    return _any_of(asked, [_text(unescaped(value), asked) for value in asked.alternatives()])


def _text(value: str, asked: Asked) -> tuple[str, list[object]]:
    if asked.modifier == "exact":
        return "i.exact = ?", [value]
    start = normalized(value)
    if not start:
        raise asked.bad("nothing but blanks or accents")
    if asked.modifier == "contains":
        return "instr(i.value, ?) > 0", [start]
    return "i.value >= ? AND i.value < ?", [start, start + _LAST_CHARACTER]


def _uri(_parameter: Parameter, asked: Asked) -> tuple[str, list[object]]:
    values: list[object] = [unescaped(value) for value in asked.alternatives()]
    return f"i.value IN ({_marks(values)})", values


COMPILE: Mapping[str, Compile] = {
    "token": _token,
    "reference": _reference,
    "date": _date,
    "string": _string,
    "uri": _uri,
}
