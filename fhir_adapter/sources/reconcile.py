"""Whether the doses as collected (EC) add up to the exposure as tabulated (EX), per subject and interval.

EX may hold one row per constant-dosing interval (SDTMIG 3.3, section 6.1.3), so totals are compared, never rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.trial import Dose, Exposure
from fhir_adapter.trial_folder import Codes, TrialFolder
from fhir_adapter.units import UnitError, convert, product


def reconcile_exposure(doses: Sequence[Dose], exposures: Iterable[Exposure], folder: TrialFolder) -> Iterator[Issue]:
    """A warning for each interval whose total differs, or cannot be compared."""
    given: dict[str, list[Dose]] = defaultdict(list)
    for dose in doses:
        if dose.given:
            given[dose.subject].append(dose)
    for exposure in exposures:
        problem = _difference(exposure, given[exposure.subject], folder)
        if problem:
            yield Issue("warning", "exposure-differs", problem, Where(exposure.origin.file, exposure.origin.row))


def derived_amount(dose: Dose, unit: str, codes: Codes) -> Fraction | None:
    """The dose in the unit asked for, exactly: volume times strength, or the amount itself; None without an amount.

    Raises `UnitError` when the units cannot give it and `Rejected` when codes.yaml does not list them.
    """
    if dose.amount is None:
        return None
    value, amount = codes.dose(dose.amount.value, dose.amount.unit)
    if dose.strength is None:
        return Fraction(value) if amount == unit else convert(value, amount, unit)
    return product(value, amount, dose.strength.value, codes.unit(dose.strength.unit), unit)


def _difference(exposure: Exposure, given: Iterable[Dose], folder: TrialFolder) -> str | None:
    codes = folder.codes
    first, last = exposure.start.day, (exposure.end or exposure.start).day
    if first is None or last is None:
        return "an interval without whole dates cannot be compared with the doses as collected"
    same = [dose for dose in given if dose.treatment == exposure.treatment]
    inside = [dose for dose in same if dose.start.day is not None and first <= dose.start.day <= last]
    try:
        amount, unit = codes.dose(exposure.amount.value, exposure.amount.unit)
        collected = sum((derived_amount(dose, unit, codes) or Fraction() for dose in inside), Fraction())
        planned = Fraction(amount) * _count(exposure, (last - first).days + 1, codes)
    except (UnitError, Rejected) as error:
        return f"cannot be compared with the doses as collected: {error}"
    if planned == collected:
        return None
    return f"the exposure as tabulated is not what was collected in {len(inside)} doses of that interval"


def _count(exposure: Exposure, days: int, codes: Codes) -> Fraction:
    word = codes.one("doses_a_day", exposure.frequency)
    try:
        return Fraction(word) * days
    except (ValueError, ZeroDivisionError) as error:
        message = f"{word!r} in the map 'doses_a_day' is no number of doses"
        raise Rejected(message, Issue("error", "unmapped-code", message)) from error
