"""Which of two bodies of the same result is the newer one, wherever they came from.

A laboratory issues a correction later than what it corrects; version and time of change are a server's, and files often
have neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from fhir_adapter.client import age_of
from fhir_adapter.trial import MomentError, read_moment

Order = tuple[Fraction, int, str]

OLDEST: Order = (Fraction(0), 0, "")
"""Below every body there is."""


def order_of(resource: Mapping[str, object]) -> Order:
    """The newer of two bodies has the higher order; equal ones cannot be told apart."""
    version, changed = age_of(resource)
    return _issued(resource.get("issued")), version, changed


def _issued(stated: object) -> Fraction:
    try:
        return read_moment(stated).bounds()[0] if isinstance(stated, str) else Fraction(0)
    except MomentError:
        return Fraction(0)
