"""Whether the last digit of an identifier fits the others: a typing error would break it.

Sources: SNOMED CT Technical Implementation Guide (Verhoeff), LOINC Users' Guide, appendix C (Luhn, modulus 10).
"""

from __future__ import annotations

from typing import Final

_TURNS: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_SWAPS: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


def has_verhoeff_digit(digits: str) -> bool:
    """Whether the last digit is Verhoeff's of the others."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _TURNS[check][_SWAPS[place % 8][int(digit)]]
    return check == 0


def has_loinc_digit(code: str) -> bool:
    """Whether the digit after the hyphen is the one that LOINC gives to the number before it."""
    number, _, check = code.partition("-")
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return int(check) == -total % 10
