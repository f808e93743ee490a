"""What a collection holds: values of FHIRPath's own types, and elements of a resource.

A collection is a list. Its items are `bool`, `int`, `Decimal`, `str`, dates, times and quantities (FHIRPath calls these
System types) or an `Element`, which knows its value as JSON, its FHIR type and, when it is a primitive, the `_` sibling
that carries its id and extensions. Equality and order of items are here too (http://hl7.org/fhirpath/#equality).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from fhir_adapter.fhirpath import numbers, quantities, temporal
from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.model import Type
from fhir_adapter.fhirpath.quantities import Quantity
from fhir_adapter.fhirpath.temporal import Date, DateTime, Time

Item = Any
"""A System value or an `Element`."""

Collection = list[Item]
Temporal = Date | DateTime | Time
Number = int | Decimal

MAX_UNKEYED = 1_000
"""How many amounts are compared pair by pair, where no key stands for them: years and months of the calendar."""

MAX_PAIRS = 1_000_000
"""How many pairs of items one equivalence looks at before it is given up."""

_READ: dict[str | None, Callable[[str], Any]] = {
    "Date": temporal.parse_date,
    "DateTime": temporal.parse_datetime,
    "Time": temporal.parse_time,
}
_SYSTEM_NAMES: dict[type, str] = {
    bool: "Boolean",
    int: "Integer",
    Decimal: "Decimal",
    str: "String",
    Date: "Date",
    DateTime: "DateTime",
    Time: "Time",
    Quantity: "Quantity",
}


class Element:
    """A node of a resource: `value` as it was read, None where only the sibling is there."""

    __slots__ = ("sibling", "system", "type", "value")

    def __init__(
        self,
        value: Any,  # noqa: ANN401 - JSON is any value
        kind: Type | None,
        system: str | None = None,
        sibling: Mapping[str, Any] | None = None,
    ) -> None:
        self.value = value
        self.type = kind
        self.system = system
        """The System type to which the value converts by itself: `Date`, `Quantity`; None for a group of elements."""
        self.sibling = sibling


def system(item: Item) -> Item:
    """The item as a System value; the element itself when it converts to none; None when it has no value."""
    if item.__class__ is not Element:
        return item
    value = item.value
    kind = item.system
    if value is None or value.__class__ is str:
        read = _READ.get(kind)
        found = None if read is None or value is None else read(value)
        return value if found is None else found
    if isinstance(value, dict | list):
        found = quantities.from_fhir(value) if kind == "Quantity" and isinstance(value, dict) else None
        return item if found is None else found
    if isinstance(value, float | Decimal):
        return exact(value)
    return Decimal(value) if kind == "Decimal" and type(value) is int else value


def exact(number: float | Decimal) -> Decimal:
    """A number of JSON as the decimal that was written; raises `EvaluationError` for NaN and the infinities.

    `fhirjson` reads decimals as such. Other readers make binary floats of them: the shortest text of one is what stood
    in the JSON, up to 15 digits.
    """
    found = Decimal(repr(number)) if isinstance(number, float) else number
    if not found.is_finite():
        raise EvaluationError("the resource holds a number that is none of JSON: NaN or an infinity")
    return found


def system_name(value: Item) -> str | None:
    """The name of a System value's type; None for an element."""
    return _SYSTEM_NAMES.get(type(value)) or next(
        (name for kind, name in _SYSTEM_NAMES.items() if isinstance(value, kind)), None
    )


def to_json(item: Item) -> Any:  # noqa: ANN401 - JSON is any value
    """An item as a JSON value: dates and times as their text, a quantity as FHIR's Quantity."""
    if item.__class__ is Element:
        return item.value
    if isinstance(item, Temporal):
        return str(item)
    if isinstance(item, Quantity):
        return quantities.to_fhir(item)
    return item


# One item where one is expected


def single(items: Collection, what: str) -> Item:
    """The only item as a System value, None when there is none; raises `EvaluationError` for several."""
    if not items:
        return None
    if len(items) > 1:
        raise EvaluationError(f"{what}: expected one item, found {len(items)}")
    return system(items[0])


def text(items: Collection, what: str) -> str | None:
    """The only item, which must be a string; None when there is none."""
    value = single(items, what)
    if value is None or isinstance(value, str):
        return value
    raise EvaluationError(f"{what}: expected a string, found {described(value)}")


def whole_number(items: Collection, what: str) -> int | None:
    """The only item, which must be an integer; None when there is none."""
    value = single(items, what)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise EvaluationError(f"{what}: expected an integer, found {described(value)}")


def boolean(items: Collection, what: str) -> bool | None:
    """The truth of a collection: a single item that is no boolean counts as true (singleton evaluation)."""
    if not items:
        return None
    if len(items) > 1:
        raise EvaluationError(f"{what}: expected one item, found {len(items)}")
    value = items[0]
    if value.__class__ is Element:
        value = value.value
    return value if isinstance(value, bool) else True


def described(value: Item) -> str:
    """What kind of item it is, for messages: never the value itself."""
    if value.__class__ is Element:
        return value.type.name if value.type else "an element"
    return system_name(value) or "nothing"


def is_number(value: Item) -> bool:
    """True for an integer or a decimal; a boolean is neither."""
    return isinstance(value, Number) and not isinstance(value, bool)


# Equality and order


def equal(left: Collection, right: Collection) -> bool | None:
    """`=`: the same items in the same order; None when one side is empty or it cannot be decided."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answer: bool | None = True
    for one, other in zip(left, right, strict=True):
        same = same_item(one, other)
        if same is False:
            return False
        answer = answer and same
    return answer


def same_item(left: Item, right: Item) -> bool | None:
    """Whether two items are equal; None when it cannot be decided (dates of different precision, units)."""
    one, other = system(left), system(right)
    kind, other_kind = one.__class__, other.__class__
    if kind is str and other_kind is str:
        return bool(one == other)
    if kind is bool or other_kind is bool:
        return kind is other_kind and one == other
    if isinstance(one, Number) and isinstance(other, Number):
        return numbers.equal(one, other)
    if kind is Element or other_kind is Element:
        return kind is other_kind and same_json(one.value, other.value)
    return _same_special(one, other)


def _same_special(one: Item, other: Item) -> bool | None:
    pair = alike(one, other)
    if pair is None:
        return False
    first, second = pair
    if isinstance(first, Quantity):
        return quantities.equal(first, second)
    if isinstance(first, Temporal):
        return temporal.equal(first, second)
    return bool(first == second)


def alike(one: Item, other: Item) -> tuple[Item, Item] | None:
    """Two values as one kind: a number beside a quantity has the unit `1`, a text beside a date is read as one."""
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        first, second = _as_quantity(one), _as_quantity(other)
    elif isinstance(one, Temporal) or isinstance(other, Temporal):
        first, second = _as_temporal(one, other), _as_temporal(other, one)
    else:
        return (one, other) if type(one) is type(other) else None
    return None if first is None or second is None else (first, second)


def _as_quantity(value: Item) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    return Quantity(Decimal(value), "1") if is_number(value) else None


def _as_temporal(value: Item, other: Item) -> Item | None:
    """Without a model a date is a text: beside a date it is read."""
    if isinstance(value, Temporal):
        return value
    return _READ[type(other).__name__](value) if isinstance(value, str) else None


def same_json(left: Any, right: Any) -> bool:  # noqa: ANN401 - JSON is any value
    """Whether two JSON values say the same: 1.0 is 1, but true is not 1; the order of an object does not matter."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same_json(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def equivalent(left: Collection, right: Collection) -> bool:
    """`~`: the same items in any order, with texts in any case and numbers as precise as the less precise one."""
    return _matched(left, right, equivalent_items)


def _matched(left: Collection, right: Collection, same: Callable[[Item, Item], bool]) -> bool:
    """Whether each item of one list has its own in the other; raises `EvaluationError` for very long lists."""
    if len(left) != len(right):
        return False
    others = list(right)
    compared = 0
    for one in left:
        found = next((at for at, other in enumerate(others) if same(one, other)), None)
        if found is None:
            return False
        del others[found]
        compared += found + 1
        if compared > MAX_PAIRS:
            raise EvaluationError(f"~: two lists of {len(left)} items in different orders are too long to compare")
    return True


def equivalent_items(left: Item, right: Item) -> bool:
    """Whether two items are equivalent; always decided."""
    one, other = system(left), system(right)
    if isinstance(one, Element) or isinstance(other, Element):
        return isinstance(one, Element) and isinstance(other, Element) and equivalent_json(one.value, other.value)
    if isinstance(one, Quantity | Temporal) or isinstance(other, Quantity | Temporal):
        pair = alike(one, other)
        if pair is None:
            return False
        return quantities.equivalent(*pair) if isinstance(pair[0], Quantity) else temporal.equivalent(*pair)
    return equivalent_json(one, other)


def equivalent_json(left: Any, right: Any) -> bool:  # noqa: ANN401 - JSON is any value
    """Whether two JSON values are equivalent: ids do not matter, nor the order of lists."""
    if isinstance(left, dict):
        return isinstance(right, dict) and _equivalent_objects(left, right)
    if isinstance(left, list):
        return isinstance(right, list) and _matched(left, right, equivalent_json)
    if isinstance(left, str) and isinstance(right, str):
        return folded(left) == folded(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return numbers.equivalent(left, right) if is_number(left) and is_number(right) else bool(left == right)


def _equivalent_objects(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    names = left.keys() - {"id"}
    return names == right.keys() - {"id"} and all(equivalent_json(left[name], right[name]) for name in names)


def folded(value: str) -> str:
    """A text without case, accents of its own and doubled spaces, as equivalence of strings looks at it."""
    return " ".join(unicodedata.normalize("NFC", value).casefold().split())


def compare(left: Item, right: Item) -> int | None:
    """-1, 0 or 1; None when it cannot be decided; raises `EvaluationError` for items that have no order together."""
    one, other = system(left), system(right)
    if one is None or other is None:
        return None
    if is_number(one) and is_number(other):
        return int(one > other) - int(one < other)
    if isinstance(one, str) and isinstance(other, str):
        return int(one > other) - int(one < other)
    if isinstance(one, Element) and isinstance(other, Element) and one.system == other.system == "Quantity":
        return _compare_amounts(one.value, other.value)
    pair = None if isinstance(one, bool | Element) or isinstance(other, bool | Element) else alike(one, other)
    if pair is None:
        raise EvaluationError(f"{described(one)} and {described(other)} have no order together")
    if isinstance(pair[0], Quantity):
        return quantities.compare(*pair)
    return temporal.compare(*pair)


def _compare_amounts(left: object, right: object) -> int | None:
    """FHIR quantities in no UCUM unit (tablets) have an order when both are in the same one; what is none has none."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        return None
    if any(left.get(name) != right.get(name) for name in ("system", "code", "unit")):
        return None
    one, other = left.get("value"), right.get("value")
    has_order = is_number(one) and is_number(other) and "comparator" not in left and "comparator" not in right
    return compare(one, other) if has_order else None


class Distinct:
    """Tells items that were there before from new ones, by equality and in about constant time."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._known: set[Hashable] = set()
        self._others: Collection = []
        for item in items:
            self.add(item)

    def __contains__(self, item: Item) -> bool:
        key = _key(item)
        if key is not None:
            return key in self._known
        return self._is_among_others(item)

    def _is_among_others(self, item: Item) -> bool:
        if len(self._others) > MAX_UNKEYED:
            raise EvaluationError(
                f"more than {MAX_UNKEYED} different amounts of years and months are too many to compare"
            )
        return any(same_item(item, other) for other in self._others)

    def add(self, item: Item) -> bool:
        """Remember an item; True when it is new."""
        key = _key(item)
        if key is None:
            if self._is_among_others(item):
                return False
            self._others.append(item)
            return True
        if key in self._known:
            return False
        self._known.add(key)
        return True


def distinct(items: Iterable[Item]) -> Collection:
    """The items without repetition, each where it came first."""
    known = Distinct()
    return [item for item in items if known.add(item)]


def _key(item: Item) -> Hashable | None:
    """What stands for an item in a set: equal items have the same; None for amounts that only pairs can tell apart."""
    value = system(item)
    kind = value.__class__
    if kind is str or kind is bool:
        return kind, value
    if isinstance(value, Number):
        return "number", value
    if kind is Element:
        return "element", _frozen(value.value)
    if isinstance(value, Quantity):
        return quantities.key(value)
    return ("nothing",) if value is None else temporal.key(value)


def _frozen(value: Any) -> Hashable:  # noqa: ANN401 - JSON is any value
    if isinstance(value, dict):
        return frozenset((key, _frozen(each)) for key, each in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return (True, value) if isinstance(value, bool) else value
