"""How an amount in one UCUM unit reads in another, exactly (https://ucum.org/ucum, a subset).

Prefixes, powers of ten (`10*9`), products and quotients of the units that trials and laboratories write. Everything is
a `Fraction`: binary floats flip inclusive limits. Units with an offset (degrees) and arbitrary units are not converted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

_PREFIXES = {
    "k": Fraction(1000),
    "d": Fraction(1, 10),
    "c": Fraction(1, 100),
    "m": Fraction(1, 10**3),
    "u": Fraction(1, 10**6),
    "n": Fraction(1, 10**9),
    "p": Fraction(1, 10**12),
    "f": Fraction(1, 10**15),
}
# Base dimensions of this subset: gram, metre, second, mole. A litre is a cubic decimetre.
_ATOMS: dict[str, tuple[Fraction, tuple[int, int, int, int]]] = {
    "g": (Fraction(1), (1, 0, 0, 0)),
    "m": (Fraction(1), (0, 1, 0, 0)),
    "s": (Fraction(1), (0, 0, 1, 0)),
    "mol": (Fraction(1), (0, 0, 0, 1)),
    "L": (Fraction(1, 1000), (0, 3, 0, 0)),
    "min": (Fraction(60), (0, 0, 1, 0)),
    "h": (Fraction(3600), (0, 0, 1, 0)),
    "d": (Fraction(86400), (0, 0, 1, 0)),
    "[lb_av]": (Fraction("453.59237"), (1, 0, 0, 0)),
    "[in_i]": (Fraction("0.0254"), (0, 1, 0, 0)),
    "%": (Fraction(1, 100), (0, 0, 0, 0)),
    "1": (Fraction(1), (0, 0, 0, 0)),
}
_METRIC = frozenset({"g", "m", "s", "mol", "L"})
_POWER_OF_TEN = re.compile(r"10[*^](-?\d{1,2})", re.ASCII)
_MAX_LENGTH = 64


class UnitError(ValueError):
    """The unit is not in the subset, or the two units measure different things."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as an exact factor over its base dimensions (gram, metre, second, mole)."""

    factor: Fraction
    dimensions: tuple[int, int, int, int]


@lru_cache(maxsize=512)
def parse_unit(code: str) -> Unit:
    """Read a UCUM code such as `g/dL`, `10*9/L` or `mL`; raises `UnitError` when it is not in the subset."""
    if not code or len(code) > _MAX_LENGTH:
        raise UnitError(f"no UCUM unit of 1 to {_MAX_LENGTH} characters")
    factor, dimensions = Fraction(1), (0, 0, 0, 0)
    for sign, term in _terms(code):
        atom = _term(term, code)
        factor *= atom.factor**sign
        dimensions = _add(dimensions, atom.dimensions, sign)
    return Unit(factor, dimensions)


def convert(value: Decimal, code: str, to: str) -> Fraction:
    """The exact value in the other unit; raises `UnitError` when the two measure different things."""
    source, target = parse_unit(code), parse_unit(to)
    if source.dimensions != target.dimensions:
        raise UnitError(f"{code!r} and {to!r} measure different things")
    return Fraction(value) * source.factor / target.factor


def product(value: Decimal, code: str, other: Decimal, other_code: str, to: str) -> Fraction:
    """Two amounts multiplied (volume by strength), in the unit asked for; raises `UnitError` as `convert` does."""
    first, second, target = parse_unit(code), parse_unit(other_code), parse_unit(to)
    if _add(first.dimensions, second.dimensions, 1) != target.dimensions:
        raise UnitError(f"{code!r} times {other_code!r} is not a {to!r}")
    return Fraction(value) * Fraction(other) * first.factor * second.factor / target.factor


def _terms(code: str) -> list[tuple[int, str]]:
    """The factors of a code with their sign: `/` inverts the one term after it, `.` multiplies."""
    parts = re.split(r"([/.])", code)
    if parts[0] == "" and parts[1:2] == ["/"]:
        parts[0] = "1"  # UCUM allows a solidus at the beginning, as in /min
    if "" in parts:
        raise UnitError(f"{code!r} lacks a term beside a solidus or a point")
    signs = [1, *(-1 if mark == "/" else 1 for mark in parts[1::2])]
    return list(zip(signs, parts[::2], strict=True))


def _term(term: str, code: str) -> Unit:
    power = _POWER_OF_TEN.fullmatch(term)
    if power:
        return Unit(Fraction(10) ** int(power[1]), (0, 0, 0, 0))
    if term in _ATOMS:
        return Unit(*_ATOMS[term])
    prefix, atom = term[:1], term[1:]
    if prefix in _PREFIXES and atom in _METRIC:
        factor, dimensions = _ATOMS[atom]
        return Unit(_PREFIXES[prefix] * factor, dimensions)
    raise UnitError(f"{term!r} in {code!r} is no unit that this program converts")


def _add(left: tuple[int, int, int, int], right: tuple[int, int, int, int], sign: int) -> tuple[int, int, int, int]:
    return (
        left[0] + sign * right[0],
        left[1] + sign * right[1],
        left[2] + sign * right[2],
        left[3] + sign * right[3],
    )
