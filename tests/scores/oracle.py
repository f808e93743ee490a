"""What the published table says, read a second time: the HScore that ours is checked against.

Nothing of the program is imported here, and nothing is shared with it. The table is the one of Fardet 2014 (table 3) as
it is printed, in the printed units, and read as text; values are texts that become a `Fraction`. Units are read by what
their letters say (prefix, substance, volume) and weighed in litres, grams, moles and cells, never looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from itertools import pairwise

PRINTED = {
    "temperature": ("Cel", "<38.4: 0; 38.4-39.4: 33; >39.4: 49"),
    "ferritin": ("ng/mL", "<2000: 0; 2000-6000: 35; >6000: 50"),
    "triglycerides": ("mmol/L", "<1.5: 0; 1.5-4: 44; >4: 64"),
    "fibrinogen": ("g/L", ">2.5: 0; <=2.5: 30"),
    "ast": ("IU/L", "<30: 0; >=30: 19"),
}
"""Items with a number: the unit of the paper, and its bands with their points."""

LOW = {"hemoglobin": ("g/dL", "<=9.2"), "leukocytes": ("/mm3", "<=5000"), "platelets": ("/mm3", "<=110000")}
"""Lineages: when one is low."""

STATED = {"known_immunosuppression": "no: 0; yes: 18", "marrow_hemophagocytosis": "no: 0; yes: 35"}
ORGANS = "none: 0; one: 23; both: 38"
LINEAGES = "1: 0; 2: 24; 3: 34"  # the paper prints no band for none

MOLAR_MASS = {"ferritin": "445000", "fibrinogen": "340000", "hemoglobin": "16114.5", "triglycerides": "885.7"}
"""Grams in a mole, as ruled; haemoglobin is counted by its monomer."""

_PREFIXES = {"": 0, "k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_COUNTED = "leukocytes", "platelets"
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}×", "0123456789uux")  # noqa: RUF001
_RAISED = re.compile("([0-9])([⁰¹²³⁴⁵⁶⁷⁸⁹])")


@cache
def points(item: str, value: str, unit: str) -> int:
    """The points of a number as it was written: those of the one printed band that it lies in."""
    (found,) = {int(given) for band, given in _bands(item) if _inside(amount(item, value, unit), band, item)}
    return found


@cache
def is_low(lineage: str, value: str, unit: str) -> bool:
    """True when a lineage of the blood count is low."""
    return _inside(amount(lineage, value, unit), LOW[lineage][1], lineage)


def outcome(analyte: str, value: str, unit: str) -> int:
    """The points of an item, or whether (1) or not (0) a lineage is low."""
    return int(is_low(analyte, value, unit)) if analyte in LOW else points(analyte, value, unit)


def edges(analyte: str) -> list[str]:
    """Every number that the paper prints for it, in the unit of the paper."""
    text = LOW[analyte][1] if analyte in LOW else " ".join(band for band, _ in _bands(analyte))
    return sorted(set(re.findall(r"[\d.]+", text)), key=Fraction)


def outcomes(analyte: str, comparator: str, value: str, unit: str) -> set[int]:
    """What a capped value can turn out to be: tried at, between and beyond all numbers that matter."""
    printed = LOW[analyte][0] if analyte in LOW else PRINTED[analyte][0]
    cap = amount(analyte, value, unit)
    marks = sorted({cap, *(amount(analyte, edge, printed) for edge in edges(analyte))})
    step = min((more - less for less, more in pairwise(marks)), default=Fraction(1)) / 2
    tried = [mark + way * step for mark in marks for way in (-1, 0, 1)]
    allowed = [one for one in tried if _compared(one, comparator, cap)]
    if analyte in LOW:
        return {int(_inside(one, LOW[analyte][1], analyte)) for one in allowed}
    return {int(given) for one in allowed for band, given in _bands(analyte) if _inside(one, band, analyte)}


def score(values: Mapping[str, tuple[str, str]], present: Mapping[str, bool]) -> int:
    """The HScore of a subject of whom everything is known: analyte to value and unit, finding to yes or no."""
    of_numbers = sum(points(item, *values[item]) for item in PRINTED)
    of_statements = sum(_listed(text)["yes" if present[item] else "no"] for item, text in STATED.items())
    organs = [present["hepatomegaly"], present["splenomegaly"]].count(True)
    lineages = sum(is_low(lineage, *values[lineage]) for lineage in LOW)
    of_organs = _listed(ORGANS)[("none", "one", "both")[organs]]
    return of_numbers + of_statements + of_organs + _listed(LINEAGES).get(str(lineages), 0)


def all_totals() -> list[int]:
    """Every sum that one band of each item can give, one after the other: 3,888 of them."""
    choices: list[Iterable[int]] = [[int(given) for _, given in _bands(item)] for item in PRINTED]
    choices += [_listed(text).values() for text in (*STATED.values(), ORGANS, LINEAGES)]
    totals = [0]
    for one in choices:
        totals = [total + given for total in totals for given in one]
    return totals


@cache
def amount(analyte: str, value: str, unit: str) -> Fraction:
    """A written value in grams, cells or (AST) moles per minute in a litre; a temperature in degrees Celsius."""
    number = Fraction(value)
    if analyte == "temperature":
        return _celsius(number, unit)
    above, below = _halves(analyte, unit)
    return number * above / below


def _celsius(number: Fraction, unit: str) -> Fraction:
    letter = re.sub(r"deg(rees)?|[^A-Za-z摄]", "", unit.replace("℃", "C").replace("℉", "F"))[0].upper()
    if letter == "F":
        return (number - 32) * 5 / 9
    return number - Fraction("273.15") if letter == "K" else number


def _halves(analyte: str, unit: str) -> tuple[Fraction, Fraction]:
    """What stands above the solidus, and the litres below it."""
    text = _RAISED.sub(r"\1^\2", unit).translate(_PLAIN).replace("mc", "u").replace(" ", "")
    if text.endswith("%"):  # so many in a decilitre
        text = text.removesuffix("%") + "/dL"
    if text.lower() == "mm":  # molar
        text = "mmol/L"
    text = text.replace("nL-1", "/nL").replace("100mL", "dL")
    above, _, below = text.partition("/")
    return (_cells(above) if analyte in _COUNTED else _substance(analyte, above.lower())), _litres(below.lower())


def _litres(text: str) -> Fraction:
    if text in ("mm3", "mm^3", "cmm"):
        return Fraction(1, 10**6)
    return _prefix(text.removesuffix("l"))


def _cells(text: str) -> Fraction:
    word = text.strip("*xX")
    if word.lower() in ("", "cells", "{cells}", "#", "{#}"):
        return Fraction(1)
    if word[0] in "Gg":  # giga, giga-particles
        return Fraction(10**9)
    if word[0] in "KkTt":  # kilo, thousand
        return Fraction(1000)
    ten, power = re.findall(r"\d+", word)
    return Fraction(int(ten)) ** int(power)


def _substance(analyte: str, text: str) -> Fraction:
    """Grams; for AST moles turned over in a minute."""
    if analyte == "ast":
        if text.endswith("kat"):
            return _prefix(text.removesuffix("kat")) * 60  # moles a second
        unit = re.sub(r"units|\[iu\]|iu", "u", text)
        return _prefix(unit.removesuffix("u")) / 10**6  # an enzyme unit is a micromole a minute
    if text.endswith("mol"):
        return _prefix(text.removesuffix("mol")) * Fraction(MOLAR_MASS[analyte])
    return _prefix(re.sub(r"gm?$", "", text))


def _prefix(text: str) -> Fraction:
    return Fraction(10) ** _PREFIXES[text]


def _bands(item: str) -> list[tuple[str, str]]:
    pairs = [band.split(": ") for band in PRINTED[item][1].split("; ")]
    return [(band, given) for band, given in pairs]


def _listed(text: str) -> dict[str, int]:
    return {name: int(given) for name, given in (one.split(": ") for one in text.split("; "))}


def _inside(number: Fraction, band: str, item: str) -> bool:
    """True when an amount lies in a printed band; both ends of `1.5-4` belong to it."""
    printed = LOW[item][0] if item in LOW else PRINTED[item][0]
    if "-" in band:
        low, high = (amount(item, end, printed) for end in band.split("-"))
        return low <= number <= high
    sign = re.sub(r"[\d.]", "", band)
    return _compared(number, sign, amount(item, band.removeprefix(sign), printed))


def _compared(number: Fraction, sign: str, other: Fraction) -> bool:
    match sign:
        case "<":
            return number < other
        case "<=":
            return number <= other
        case ">":
            return number > other
    assert sign == ">="
    return number >= other
