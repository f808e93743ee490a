"""What a FHIRPath expression says, as a tree; `str` of a tree is the expression again, in one canonical spelling.

The nodes follow the grammar of the specification (http://hl7.org/fhirpath/grammar.html). Each one knows where it
begins in the text, for messages; two trees are equal when they say the same, wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from fhir_adapter.fhirpath import numbers, quantities
from fhir_adapter.fhirpath.quantities import Quantity
from fhir_adapter.fhirpath.temporal import Date, DateTime, Time

SystemValue = bool | int | Decimal | str | Date | DateTime | Time | Quantity
"""A value of one of FHIRPath's own types, which resources know nothing of."""

POWER = {
    "*": 9, "/": 9, "div": 9, "mod": 9,
    "+": 8, "-": 8, "&": 8,
    "is": 7, "as": 7,
    "|": 6,
    "<": 5, "<=": 5, ">": 5, ">=": 5,
    "=": 4, "~": 4, "!=": 4, "!~": 4,
    "in": 3, "contains": 3,
    "and": 2,
    "or": 1, "xor": 1,
    "implies": 0,
}  # fmt: skip
"""How strongly an operator binds (http://hl7.org/fhirpath/#operator-precedence); all of them from left to right."""

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNARY = 10
_TERM = 11


@dataclass(frozen=True, slots=True)
class Node:
    """One part of an expression; `position` counts characters from 0."""

    position: int = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value that stands in the text."""

    value: SystemValue

    def __str__(self) -> str:
        return literal_text(self.value)


@dataclass(frozen=True, slots=True)
class Nothing(Node):
    """The empty collection `{}`."""

    def __str__(self) -> str:
        return "{}"


@dataclass(frozen=True, slots=True)
class Special(Node):
    """`$this`, `$index` or `$total`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """A value of the environment: `%resource`."""

    name: str

    def __str__(self) -> str:
        return f"%{identifier_text(self.name)}"


@dataclass(frozen=True, slots=True)
class Member(Node):
    """The children of that name; of what the scope holds when there is no source."""

    source: Node | None
    name: str

    def __str__(self) -> str:
        return _of(self.source) + identifier_text(self.name)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function called on its source, or on the scope."""

    source: Node | None
    name: str
    arguments: tuple[Node, ...]

    def __str__(self) -> str:
        return f"{_of(self.source)}{identifier_text(self.name)}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Indexed(Node):
    """One item of a collection by its number."""

    source: Node
    index: Node

    def __str__(self) -> str:
        return f"{_in(self.source, _TERM)}[{self.index}]"


@dataclass(frozen=True, slots=True)
class Signed(Node):
    """A sign before an operand."""

    sign: str
    operand: Node

    def __str__(self) -> str:
        return f"{self.sign}{_in(self.operand, _UNARY)}"


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operator between two expressions."""

    operator: str
    left: Node
    right: Node

    def __str__(self) -> str:
        power = POWER[self.operator]
        return f"{_in(self.left, power)} {self.operator} {_in(self.right, power + 1)}"


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    """The name of a type, with its namespace (`FHIR`, `System`) when one is written."""

    namespace: str | None
    name: str

    def __str__(self) -> str:
        space = f"{identifier_text(self.namespace)}." if self.namespace else ""
        return space + identifier_text(self.name)


@dataclass(frozen=True, slots=True)
class TypeTest(Node):
    """`is` or `as` between an expression and the name of a type."""

    operator: str
    operand: Node
    type: TypeName

    def __str__(self) -> str:
        return f"{_in(self.operand, POWER[self.operator])} {self.operator} {self.type}"


def literal_text(value: SystemValue) -> str:
    """A value as it is written in an expression."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return numbers.to_text(value)
    if isinstance(value, str):
        return f"'{''.join(_ESCAPES.get(one, one) for one in value)}'"
    if isinstance(value, Quantity):
        return quantities.to_text(value)
    return _temporal_text(value)


def _temporal_text(value: Date | DateTime | Time) -> str:
    if isinstance(value, Time):
        return f"@T{value}"
    text = str(value)
    return f"@{text}T" if isinstance(value, DateTime) and "T" not in text else f"@{text}"


def identifier_text(name: str) -> str:
    """A name as it is written in an expression: between backticks when it is no plain word."""
    if name.isascii() and name.isidentifier() and name not in _RESERVED:
        return name
    escaped = "".join("\\`" if one == "`" else _ESCAPES.get(one, one) if one != "'" else one for one in name)
    return f"`{escaped}`"


_RESERVED = frozenset({"true", "false", "and", "or", "xor", "implies", "div", "mod"})


def _of(source: Node | None) -> str:
    return "" if source is None else f"{_in(source, _TERM)}."


def _in(node: Node, power: int) -> str:
    """The text of a part, in parentheses where it binds more loosely than its place asks."""
    return f"({node})" if _power(node) < power else str(node)


def _power(node: Node) -> int:
    if isinstance(node, Binary | TypeTest):
        return POWER[node.operator]
    if isinstance(node, Signed):
        return _UNARY
    return _TERM
