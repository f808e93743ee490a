"""Which of two bodies of the same result is the newer one, and which of two copies was sent last.

At one place versions and times of change tell, as far as both bodies state them: a retraction often has no `issued`.
Elsewhere versions are counted anew, so what the laboratory says itself comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from fhir_adapter.client import age_of
from fhir_adapter.mappers.r4.read_result import is_retracted
from fhir_adapter.trial import MomentError, read_moment

_Body = TypeVar("_Body")
_Pair = tuple[Fraction | int | None, Fraction | int | None]


@dataclass(frozen=True, slots=True)
class Order:
    """What a body states of its age; neither `<` nor `>` when nothing tells two of them apart."""

    version: int | None = None
    changed: Fraction | None = None
    issued: Fraction | None = None
    retracted: bool = False

    def __lt__(self, other: Order) -> bool:
        """True when it is older than another body of the same place."""
        versions, changes, issues, retractions = _pairs(self, other)
        return _is_older(versions, changes, issues, retractions)

    def __ge__(self, other: Order) -> bool:
        """True when it is not older than another body of the same place."""
        return not self < other

    def is_older_elsewhere(self, other: Order) -> bool:
        """True when it is older than a body of another place."""
        versions, changes, issues, retractions = _pairs(self, other)
        return _is_older(issues, versions, changes, retractions)


def order_of(resource: Mapping[str, object]) -> Order:
    """The newer of two bodies has the higher order; of two that state no age the retracted one."""
    version, changed = age_of(resource)
    return Order(version or None, _instant(changed), _instant(resource.get("issued")), is_retracted(resource))


def oldest_first(bodies: Sequence[tuple[Order, _Body]]) -> list[_Body]:
    """Bodies of one result at one place; no sort by pairs, for one that states no age stands between any two."""
    return [body for _, body in sorted(bodies, key=lambda one: sum(order < one[0] for order, _ in bodies))]


def sent_order_of(resource: Mapping[str, object]) -> tuple[Fraction, int, str]:
    """Of copies under different ids the one that was issued last has the highest."""
    return _instant(resource.get("issued")) or Fraction(0), *age_of(resource)


def _pairs(one: Order, other: Order) -> tuple[_Pair, _Pair, _Pair, _Pair]:
    return (
        (one.version, other.version),
        (one.changed, other.changed),
        (one.issued, other.issued),
        (one.retracted, other.retracted),
    )


def _is_older(*pairs: _Pair) -> bool:
    """What both state and differ in decides."""
    for one, other in pairs:
        if one is not None and other is not None and one != other:
            return one < other
    return False


def _instant(stated: object) -> Fraction | None:
    try:
        return read_moment(stated).bounds()[0] if isinstance(stated, str) else None
    except MomentError:
        return None
