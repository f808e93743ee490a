"""What a UCUM code measures, and how much of that one of it is (https://ucum.org/ucum).

The grammar of UCUM with the units of laboratories, vital signs and everyday life, for expressions over any resource.
`ucum.py` beside it is narrower on purpose: there a letter that laboratories use for thousand (`K/uL`) or giga (`G/L`)
must never become a kelvin. All factors are exact fractions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from fhir_adapter.units.ucum import UnitError

MOST_CHARACTERS = 128
_MOST_BITS = 8192

_ABOVE_ONE = {"Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1}
_BELOW_ONE = {"d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24}
_PREFIXES = _ABOVE_ONE | _BELOW_ONE
_BASE = frozenset({"m", "s", "g", "rad", "K", "C", "cd", "mol"})
"""UCUM counts a mole as a number; here it is a thing of its own, so that no result becomes 10*23 of nothing."""

_METRIC = {
    "L": "dm3",
    "l": "dm3",
    "t": "1000.kg",
    "ar": "100.m2",
    "sr": "rad2",
    "Hz": "s-1",
    "N": "kg.m/s2",
    "Pa": "N/m2",
    "J": "N.m",
    "W": "J/s",
    "A": "C/s",
    "V": "J/C",
    "Ohm": "V/A",
    "S": "A/V",
    "Bq": "s-1",
    "Ci": "37.10*9.Bq",
    "Gy": "J/kg",
    "Sv": "J/kg",
    "bar": "10*5.Pa",
    "dyn": "g.cm/s2",
    "cal": "4184.mJ",
    "cal_th": "4184.mJ",
    "cal_IT": "41868.J/10000",
    "m[Hg]": "133322.Pa",
    "m[H2O]": "980665.Pa/100",
    "g%": "g/dL",
    "eq": "mol",
    "osm": "mol",
    "kat": "mol/s",
    "U": "umol/min",
    "[IU]": "[iU]",
}
_OTHERS = {
    "%": "10*-2",
    "[ppth]": "10*-3",
    "[ppm]": "10*-6",
    "[ppb]": "10*-9",
    "[pptr]": "10*-12",
    "min": "60.s",
    "h": "60.min",
    "d": "24.h",
    "wk": "7.d",
    "a": "1461.d/4",
    "a_j": "a",
    "mo": "a/12",
    "mo_j": "mo",
    "[pi]": "31415926535897932384626433832795028841971693993751.10*-49",
    "deg": "[pi].rad/180",
    "atm": "101325.Pa",
    "[in_i]": "254.cm/100",
    "[ft_i]": "12.[in_i]",
    "[yd_i]": "3.[ft_i]",
    "[mi_i]": "5280.[ft_i]",
    "[nmi_i]": "1852.m",
    "[gr]": "6479891.mg/100000",
    "[lb_av]": "7000.[gr]",
    "[oz_av]": "[lb_av]/16",
    "[stone_av]": "14.[lb_av]",
    "[gal_us]": "231.[in_i]3",
    "[qt_us]": "[gal_us]/4",
    "[pt_us]": "[gal_us]/8",
    "[cup_us]": "[gal_us]/16",
    "[foz_us]": "[gal_us]/128",
    "[tbs_us]": "[foz_us]/2",
    "[tsp_us]": "[tbs_us]/3",
    "[Cal]": "kcal_th",
    "[drp]": "mL/20",
    "[diop]": "m-1",
    "[MET]": "35.mL/10/min/kg",
    "[HPF]": "1",
    "[LPF]": "100",
}
_ARBITRARY = frozenset(
    {
        *(
            "[iU]",
            "[arb'U]",
            "[USP'U]",
            "[GPL'U]",
            "[MPL'U]",
            "[APL'U]",
            "[beth'U]",
            "[anti'Xa'U]",
            "[tb'U]",
            "[todd'U]",
        ),
        *("[CCID_50]", "[TCID_50]", "[EID_50]", "[PFU]", "[FFU]", "[CFU]", "[BAU]", "[AU]", "[FEU]", "[ELU]", "[EU]"),
        *("[PNU]", "[Lf]", "[IR]"),
    }
)
"""Units that a procedure defines: each measures only what it measures itself."""

_DEGREES = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * 5 / 9),
    "[degRe]": (Fraction(5, 4), Fraction("273.15")),
}
"""Kelvins in a degree, and how many kelvins its zero is."""

_ANNOTATION = r"\{[!-z|~]*\}"
_TOKEN = re.compile(
    rf"(?P<mark>[/.()])|(?P<symbol>10[*^]|(?:[A-Za-z%_]|\[[^\[\]\s]+\])+)(?P<power>[+-]?\d{{1,2}})?(?:{_ANNOTATION})?"
    rf"|(?P<number>\d+)(?:{_ANNOTATION})?|{_ANNOTATION}",
    re.ASCII,
)

_FOLLOWERS = {
    "(": {"unit", "(", "/"},  # a code may begin with a solidus, as /min does
    ".": {"unit", "("},
    "/": {"unit", "("},
    "unit": {".", "/", ")"},
    ")": {".", "/", ")"},
}
"""What may come after what; a code begins as a parenthesis does."""

Term = tuple[str, int]
"""A unit with its prefix, or a whole number, and its power."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One unit: so much of which base units to which powers, and where its zero is."""

    factor: Fraction
    powers: tuple[tuple[str, int], ...] = ()
    zero: Fraction = Fraction(0)

    def base(self, value: Fraction) -> Fraction:
        """So many of this unit, in base units."""
        return value * self.factor + self.zero

    def of_base(self, value: Fraction) -> Fraction:
        """So many base units, in this unit."""
        return (value - self.zero) / self.factor


@lru_cache(maxsize=1024)
def read_scale(code: str) -> Scale:
    """Read a UCUM code such as `mm[Hg]`, `mL/min/{1.73_m2}` or `Cel`; raises `UnitError` for what is none of these."""
    if code in _DEGREES:
        factor, zero = _DEGREES[code]
        return Scale(factor, (("K", 1),), zero)
    return _product(_terms(code), code)


def combine(left: str, right: str, sign: int) -> tuple[Fraction, str]:
    """The unit that multiplying (sign 1) or dividing (sign -1) two units gives, and a factor for the value.

    What measures the same is put together (`cm` by `m` is 100 `cm2`). Raises `UnitError` where there is no such unit.
    """
    factor, powers = Fraction(1), Counter[str]()
    for symbol, power in (*_terms(left), *((symbol, sign * power) for symbol, power in _terms(right))):
        if symbol.isdigit():
            factor *= Fraction(int(symbol)) ** power
            continue
        same = _alike(symbol, powers)
        factor *= (_simple(symbol).factor / _simple(same).factor) ** power
        powers[same] += power
    unit = _written(powers)
    read_scale(unit)  # raises for one that is longer, or has a higher power, than this reader takes
    return _sized(factor, left), unit


def _alike(symbol: str, others: Iterable[str]) -> str:
    """The unit among others that measures the same, or this one; a plain number keeps to itself."""
    found = _simple(symbol).powers
    return next((other for other in others if other == symbol or (found and _simple(other).powers == found)), symbol)


def _written(powers: Counter[str]) -> str:
    above = ".".join(symbol + _exponent(symbol, power) for symbol, power in powers.items() if power > 0)
    below = "".join(f"/{symbol}{_exponent(symbol, -power)}" for symbol, power in powers.items() if power < 0)
    return above + below or "1"


def _exponent(symbol: str, power: int) -> str:
    return "" if power == 1 and symbol not in {"10*", "10^"} else str(power)


@lru_cache(maxsize=1024)
def _terms(code: str) -> tuple[Term, ...]:
    """The factors of a code, its parentheses resolved; annotations count as 1."""
    if not 0 < len(code) <= MOST_CHARACTERS:
        raise UnitError(f"no UCUM unit of 1 to {MOST_CHARACTERS} characters")
    terms, outer, last = [], [1], "("
    for kind, symbol, power in _tokens(code):
        if kind not in _FOLLOWERS[last]:
            raise UnitError(f"{code!r} lacks a unit, or an operator between two units")
        sign = -outer[-1] if last == "/" else outer[-1]
        if kind == "unit":
            terms.append((symbol, power * sign))
        elif kind == "(":
            outer.append(sign)
        elif kind == ")":
            outer.pop()
        if not outer:
            raise UnitError(f"{code!r} closes a parenthesis that it never opened")
        last = kind
    if last not in {"unit", ")"} or len(outer) > 1:
        raise UnitError(f"{code!r} ends too early: a unit or a closing parenthesis is missing")
    return tuple(terms)


def _tokens(code: str) -> Iterator[tuple[str, str, int]]:
    """Operators and parentheses as they stand, and units with their powers."""
    position = 0
    while position < len(code):
        token = _TOKEN.match(code, position)
        if token is None:
            raise UnitError(f"{code!r} is no UCUM unit from character {position + 1} on")
        yield token["mark"] or "unit", token["symbol"] or token["number"] or "1", int(token["power"] or 1)
        position = token.end()


def _product(terms: Iterable[Term], code: str) -> Scale:
    factor, powers = Fraction(1), Counter[str]()
    for symbol, power in terms:
        one = _simple(symbol)
        factor *= one.factor**power
        for base, count in one.powers:
            powers[base] += count * power
    return Scale(_sized(factor, code), tuple(sorted((base, count) for base, count in powers.items() if count)))


@lru_cache(maxsize=1024)
def _simple(symbol: str) -> Scale:
    """A number, a unit, or a metric unit with a prefix."""
    if symbol.isdigit():
        if not int(symbol):
            raise UnitError("a unit of 0 measures nothing")
        return Scale(Fraction(int(symbol)))
    found = _atom(symbol)
    for prefix, exponent in _PREFIXES.items():
        if found is None and symbol.startswith(prefix) and _is_metric(symbol[len(prefix) :]):
            atom = _atom(symbol[len(prefix) :])
            found = atom and Scale(atom.factor * Fraction(10) ** exponent, atom.powers)
    if found is None:
        raise UnitError(f"{symbol!r} is no unit that this program converts")
    return found


def _is_metric(atom: str) -> bool:
    return atom in _BASE or atom in _METRIC or atom == "[iU]"


def _atom(symbol: str) -> Scale | None:
    if symbol in {"10*", "10^"}:
        return Scale(Fraction(10))
    if symbol in _BASE or symbol in _ARBITRARY:
        return Scale(Fraction(1), ((symbol, 1),))
    meaning = _METRIC.get(symbol) or _OTHERS.get(symbol)
    return _product(_terms(meaning), symbol) if meaning else None


def _sized(factor: Fraction, code: str) -> Fraction:
    """A factor that can be reckoned with in no time."""
    if factor.numerator.bit_length() > _MOST_BITS or factor.denominator.bit_length() > _MOST_BITS:
        raise UnitError(f"{code!r} is too large or too small a unit")
    return factor
