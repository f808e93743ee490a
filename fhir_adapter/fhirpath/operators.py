"""What the operators between two collections do (http://hl7.org/fhirpath/#operations)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fhir_adapter.fhirpath import items as of
from fhir_adapter.fhirpath import numbers, quantities, temporal
from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.strings import concatenated
from fhir_adapter.fhirpath.items import Collection, Distinct, Item, Temporal, described, distinct, is_number, single
from fhir_adapter.fhirpath.quantities import Quantity
from fhir_adapter.fhirpath.scope import bounded, one

Operator = Callable[[Collection, Collection], Collection]
Truth = bool | None


def _truth(value: Truth) -> Collection:
    return [] if value is None else [value]


def _equal(left: Collection, right: Collection) -> Collection:
    return _truth(of.equal(left, right))


def _different(left: Collection, right: Collection) -> Collection:
    same = of.equal(left, right)
    return [] if same is None else [not same]


def _ordered(sign: str, holds: Callable[[int], bool]) -> Operator:
    def run(left: Collection, right: Collection) -> Collection:
        first, second = single(left, sign), single(right, sign)
        order = None if first is None or second is None else of.compare(first, second)
        return [] if order is None else [holds(order)]

    return run


def _within(left: Collection, right: Collection) -> Collection:
    if len(left) > 1:
        raise EvaluationError(f"in: expected one item on the left, found {len(left)}")
    return [left[0] in Distinct(right)] if left else []


def _contains(left: Collection, right: Collection) -> Collection:
    if len(right) > 1:
        raise EvaluationError(f"contains: expected one item on the right, found {len(right)}")
    return [right[0] in Distinct(left)] if right else []


def _calculated(sign: str, calculate: Callable[[Item, Item], Item]) -> Operator:
    """An operator of one value on each side; nothing on either side gives nothing."""

    def run(left: Collection, right: Collection) -> Collection:
        first, second = single(left, sign), single(right, sign)
        return [] if first is None or second is None else one(calculate(first, second))

    return run


def _refuse(sign: str, left: Item, right: Item) -> EvaluationError:
    return EvaluationError(f"{described(left)} {sign} {described(right)} has no meaning")


def _add(left: Item, right: Item) -> Item:
    if isinstance(left, str) and isinstance(right, str):
        return bounded(left + right)
    if is_number(left) and is_number(right):
        return numbers.add(left, right)
    if isinstance(left, Temporal) and isinstance(right, Quantity):
        return temporal.add(left, right.value, right.unit)
    return quantities.add(*_quantities("+", left, right))


def _subtract(left: Item, right: Item) -> Item:
    if is_number(left) and is_number(right):
        return numbers.subtract(left, right)
    if isinstance(left, Temporal) and isinstance(right, Quantity):
        return temporal.add(left, right.value.copy_negate(), right.unit)
    return quantities.subtract(*_quantities("-", left, right))


def _quantities(sign: str, left: Item, right: Item) -> tuple[Quantity, Quantity]:
    """Both sides as quantities, of which one must be; a number has the unit `1`."""
    pair = of.alike(left, right)
    if pair is None or not isinstance(pair[0], Quantity):
        raise _refuse(sign, left, right)
    return pair


def _multiply(left: Item, right: Item) -> Item:
    if is_number(left) and is_number(right):
        return numbers.multiply(left, right)
    return quantities.multiply(*_quantities("*", left, right))


def _divide(left: Item, right: Item) -> Item:
    if is_number(left) and is_number(right):
        return numbers.divide(left, right)
    return quantities.divide(*_quantities("/", left, right))


def _of_numbers(sign: str, calculate: Callable[[int | Decimal, int | Decimal], Item]) -> Operator:
    def checked(left: Item, right: Item) -> Item:
        if not is_number(left) or not is_number(right):
            raise _refuse(sign, left, right)
        return calculate(left, right)

    return _calculated(sign, checked)


def signed(sign: str, items: Collection) -> Collection:
    """A number or a quantity with its sign, or with the other one."""
    value = single(items, sign)
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [quantities.negate(value) if sign == "-" else value]
    if not is_number(value):
        raise EvaluationError(f"{sign}: expected a number or a quantity, found {described(value)}")
    return [numbers.negate(value) if sign == "-" else value]


OPERATORS: dict[str, Operator] = {
    "=": _equal,
    "!=": _different,
    "~": lambda left, right: [of.equivalent(left, right)],
    "!~": lambda left, right: [not of.equivalent(left, right)],
    "<": _ordered("<", lambda order: order < 0),
    "<=": _ordered("<=", lambda order: order <= 0),
    ">": _ordered(">", lambda order: order > 0),
    ">=": _ordered(">=", lambda order: order >= 0),
    "in": _within,
    "contains": _contains,
    "|": lambda left, right: distinct([*left, *right]),
    "&": concatenated,
    "+": _calculated("+", _add),
    "-": _calculated("-", _subtract),
    "*": _calculated("*", _multiply),
    "/": _calculated("/", _divide),
    "div": _of_numbers("div", numbers.integer_divide),
    "mod": _of_numbers("mod", numbers.modulo),
}
"""Operators that look at both sides."""


def _or(left: Truth, right: Truth) -> Truth:
    return True if left or right else None if left is None or right is None else False


def _and(left: Truth, right: Truth) -> Truth:
    return False if left is False or right is False else None if left is None or right is None else True


def _xor(left: Truth, right: Truth) -> Truth:
    return None if left is None or right is None else left is not right


def _implies(left: Truth, right: Truth) -> Truth:
    return True if left is False or right else None if left is None or right is None else False


LOGIC: dict[str, tuple[Truth, Truth, Callable[[Truth, Truth], Truth]]] = {
    "or": (True, True, _or),
    "and": (False, False, _and),
    "xor": (None, None, _xor),
    "implies": (False, True, _implies),
}
"""The left truth that decides alone, what it decides, and the truth of both (three values; None is unknown)."""


def decided(operator: str, left: Truth) -> Truth:
    """What the left side alone decides, None when the right one is needed: `a or b` asks `b` only when it must."""
    decides, answer, _ = LOGIC[operator]
    return answer if left is decides and decides is not None else None
