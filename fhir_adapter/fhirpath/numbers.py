"""What FHIRPath's operators and functions make of whole numbers and decimals (https://hl7.org/fhirpath/#math).

Sums, differences and products are exact, the other results have 38 digits, and nothing is ever a binary float. A result
without a sensible value (a division by 0, a root of -1, more than a thousand digits) is None, which FHIRPath calls
empty; so nothing takes long, whatever is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    MAX_EMAX,
    MAX_PREC,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    Underflow,
)

from fhir_adapter.fhirpath.errors import EvaluationError

Number = int | Decimal

MOST_DIGITS = 1000
"""More than any measurement has; what would need more is no result."""

MOST_BOUNDARY_DIGITS = 31
DEFAULT_BOUNDARY_DIGITS = 8

_PRECISION = 38
_GUARD_DIGITS = 12
_MOST_BITS = 3322  # as many as a thousand decimal digits have
_TRAPS = [DivisionByZero, InvalidOperation, Overflow, Underflow]


def _context(digits: int) -> Context:
    return Context(digits, ROUND_HALF_UP, Emin=-MOST_DIGITS, Emax=MOST_DIGITS, traps=_TRAPS)


_EXACT = _context(MOST_DIGITS)
_PRECISE = _context(_PRECISION)
_GUARDED = _context(_PRECISION + _GUARD_DIGITS)
_ANY_SIZE = Context(MAX_PREC, ROUND_HALF_UP, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=_TRAPS)


def add(left: Number, right: Number) -> Number | None:
    """The exact sum; whole when both are."""
    if isinstance(left, int) and isinstance(right, int):
        return _sized(left + right)
    return _calculated(_EXACT.add, left, right)


def subtract(left: Number, right: Number) -> Number | None:
    """The exact difference; whole when both are."""
    if isinstance(left, int) and isinstance(right, int):
        return _sized(left - right)
    return _calculated(_EXACT.subtract, left, right)


def multiply(left: Number, right: Number) -> Number | None:
    """The exact product; whole when both are."""
    if isinstance(left, int) and isinstance(right, int):
        return _sized(left * right)
    return _calculated(_EXACT.multiply, left, right)


def divide(left: Number, right: Number) -> Decimal | None:
    """The quotient, a decimal even for whole numbers; None by 0."""
    return _calculated(_PRECISE.divide, left, right)


def integer_divide(left: Number, right: Number) -> int | None:
    """How often the right goes whole into the left, cut off towards 0; None by 0."""
    quotient = _calculated(_EXACT.divide_int, left, right)
    return None if quotient is None else int(quotient)


def modulo(left: Number, right: Number) -> Number | None:
    """What remains of that division, with the sign of the dividend; None by 0."""
    remainder = _calculated(_EXACT.remainder, left, right)
    both_whole = isinstance(left, int) and isinstance(right, int)
    return int(remainder) if both_whole and remainder is not None else remainder


def negate(value: Number) -> Number:
    """The number with the other sign."""
    if isinstance(value, int):
        return -value
    return value.copy_negate() if value else value.copy_abs()


def absolute(value: Number) -> Number:
    """The number without its sign."""
    return abs(value) if isinstance(value, int) else value.copy_abs()


def ceiling(value: Number) -> int | None:
    """The smallest whole number that is not below this one."""
    return _whole(value, ROUND_CEILING)


def floor(value: Number) -> int | None:
    """The largest whole number that is not above this one."""
    return _whole(value, ROUND_FLOOR)


def truncate(value: Number) -> int | None:
    """The whole part."""
    return _whole(value, ROUND_DOWN)


def round_to(value: Number, digits: int = 0) -> Decimal:
    """Rounded to so many digits after the point, halves away from 0; raises `EvaluationError` for digits below 0."""
    if digits < 0:
        raise EvaluationError(f"round() takes 0 or more digits after the point, not {digits}")
    rounded = _rounded(Decimal(value), digits, ROUND_HALF_UP)
    return rounded or rounded.copy_abs()


def sqrt(value: Number) -> Decimal | None:
    """The square root; None below 0."""
    return _approximated(_GUARDED.sqrt, value)


def exp(value: Number) -> Decimal | None:
    """Euler's number to this power."""
    return _approximated(_GUARDED.exp, value)


def ln(value: Number) -> Decimal | None:
    """The natural logarithm; raises `EvaluationError` for 0 and below."""
    return _approximated(_GUARDED.ln, _positive(value, "ln() takes a number above 0"))


def log(value: Number, base: Number) -> Decimal | None:
    """The logarithm to a base, None for base 1; raises `EvaluationError` when one of the two is 0 or below."""
    _positive(value, "log() takes a number above 0")
    _positive(base, "log() takes a base above 0")
    return _approximated(lambda: _GUARDED.divide(_GUARDED.ln(value), _GUARDED.ln(base)))


def power(value: Number, exponent: Number) -> Number | None:
    """A number to a power, whole for whole numbers above exponent 0; None where there is no such number."""
    if not exponent:
        return 1 if isinstance(value, int) and isinstance(exponent, int) else Decimal(1)
    if isinstance(value, int) and isinstance(exponent, int) and exponent > 0:
        small = (value.bit_length() - 1) * exponent <= _MOST_BITS
        return _sized(value**exponent) if small else None
    return _approximated(_GUARDED.power, value, exponent)


def equal(left: Number, right: Number) -> bool:
    """Whether the two are one number, however many zeros follow the point."""
    return left == right


def equivalent(left: Number, right: Number) -> bool:
    """Whether they are equal when rounded to the less precise one, where zeros at the end are no precision."""
    if isinstance(left, int) and isinstance(right, int):
        return left == right
    one, other = Decimal(left), Decimal(right)
    digits = min(precision(_ANY_SIZE.normalize(one)), precision(_ANY_SIZE.normalize(other)))
    return _rounded(one, digits, ROUND_HALF_UP) == _rounded(other, digits, ROUND_HALF_UP)


def low_boundary(value: Number, digits: int | None = None) -> Decimal | None:
    """The least number that would be written as this one; None for more digits than 31 or fewer than 0."""
    return _boundary(Decimal(value), digits, upwards=False)


def high_boundary(value: Number, digits: int | None = None) -> Decimal | None:
    """The greatest number that would be written as this one; None for more digits than 31 or fewer than 0."""
    return _boundary(Decimal(value), digits, upwards=True)


def precision(value: Number) -> int:
    """How many digits were written after the point, zeros included."""
    if isinstance(value, int):
        return 0
    return max(0, -_exponent(value))


def to_text(value: Number) -> str:
    """All the digits, without an exponent; raises `EvaluationError` when they are more than anybody could read."""
    if isinstance(value, int):
        too_long = value.bit_length() > _MOST_BITS
    else:
        too_long = abs(_exponent(value)) > MOST_DIGITS or abs(value.adjusted()) > MOST_DIGITS
    if too_long:
        raise EvaluationError(f"a number of more than {MOST_DIGITS} digits is not written out")
    return format(value, "d" if isinstance(value, int) else "f")


def _boundary(value: Decimal, digits: int | None, *, upwards: bool) -> Decimal | None:
    """Half a unit of the last digit away, then cut to the digits asked for.

    The official suite rounds the boundary that lies away from 0 and cuts off the one towards 0
    (`0.0034.highBoundary(1)` is 0.0, `1.587.highBoundary(2)` is 1.59).
    """
    digits = DEFAULT_BOUNDARY_DIGITS if digits is None else digits
    if not 0 <= digits <= MOST_BOUNDARY_DIGITS or precision(value) > MOST_DIGITS:
        return None
    half = _unit(5, precision(value) + 1)
    edge = add(value, half) if upwards else subtract(value, half)
    towards_zero = bool(value) and value.is_signed() == upwards
    place = _unit(1, digits)
    rounding = ROUND_DOWN if towards_zero else ROUND_HALF_UP
    return None if edge is None else _calculated(lambda: Decimal(edge).quantize(place, rounding, _EXACT))


def _rounded(value: Decimal, digits: int, rounding: str) -> Decimal:
    """Digits beyond the place are rounded off; a number that has none there stays as it is."""
    if -_exponent(value) <= digits:
        return value
    return value.quantize(_unit(1, digits), rounding, _ANY_SIZE)


def _unit(digit: int, digits: int) -> Decimal:
    """A digit at a place behind the point."""
    return Decimal((0, (digit,), -digits))


def _whole(value: Number, rounding: str) -> int | None:
    if isinstance(value, int):
        return value
    if value.adjusted() > MOST_DIGITS:
        return None if value else 0
    return int(value.to_integral_value(rounding, _ANY_SIZE))


def _calculated(operation: Callable[..., Decimal], *numbers: Number) -> Decimal | None:
    """The result, or None where there is none of a sensible size."""
    try:
        result = operation(*numbers)
    except ArithmeticError:
        return None
    return result if result.is_finite() else None


def _approximated(operation: Callable[..., Decimal], *numbers: Number) -> Decimal | None:
    """The result in 38 digits; some more are calculated, so that log(16, 2) is 4 and not 3.99…9."""
    result = _calculated(lambda: _PRECISE.plus(operation(*numbers)))
    if result is None:
        return None
    short = result.normalize(_PRECISE)
    return short if _exponent(short) <= 0 else short.quantize(Decimal(1), context=_EXACT)


def _positive(value: Number, rule: str) -> Number:
    if value <= 0:
        raise EvaluationError(f"{rule}, not 0 or a negative one")
    return value


def _sized(value: int) -> int | None:
    return value if value.bit_length() <= _MOST_BITS else None


def _exponent(value: Decimal) -> int:
    """The power of ten of the last digit; results and JSON numbers are always finite."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent
