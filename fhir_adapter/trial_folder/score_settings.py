"""What trial.yaml says of the hospital's results, of the doses expected, and of which result counts for a score.

Nothing here has a default that a trial did not state: the choice of a window alone changes who counts as a case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from fhir_adapter.issues import Issue, Misconfigured
from fhir_adapter.terminology import TABLES_ONLY, SiteCodes, analytes, why_not
from fhir_adapter.trial import Pick, ScoreRules, ScoreWindow
from fhir_adapter.trial_folder.yaml_file import Document

PatientField = Literal["subject", "hospital_patient_id"]

_CUTOFF = 169
"""The cut-off of the paper (Fardet 2014): sensitivity 93 %, specificity 86 %."""
_KINDS = ("blood", "temperature", "organs", "marrow")


@dataclass(frozen=True, slots=True)
class ExpectedDose:
    """The one amount that a given dose may have, in a UCUM unit."""

    amount: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class HospitalSettings:
    """How the hospital's Patient of a subject is found, and which study days are read again at every pull.

    `patient_field` is the field of the subject that holds the identifier in `patient_system`; `unit_when_missing` is
    the UCUM unit of an analyte's results that come without one; `codes` is the hospital's own map.
    """

    patient_system: str
    patient_field: PatientField
    first_day: int
    last_day: int
    unit_when_missing: Mapping[str, str] = field(default_factory=dict)
    codes: SiteCodes = TABLES_ONLY


def expected_dose(trial: Mapping[str, Any]) -> ExpectedDose | None:
    """The amount that every given dose must have; None when the trial states none."""
    stated = trial.get("doses", {}).get("expected")
    return ExpectedDose(Decimal(stated["amount"]), stated["unit"]) if stated else None


def hospital_settings(document: Document) -> HospitalSettings | None:
    """How the hospital's results are found; None when trial.yaml has no `hospital`, which only `pull` needs.

    Raises `Misconfigured` when the days are in the wrong order, and for codes and units that cannot be meant so.
    """
    stated = document.value.get("hospital")
    if stated is None:
        return None
    if stated["first_day"] > stated["last_day"]:
        message = f"hospital: first_day {stated['first_day']} is after last_day {stated['last_day']}"
        raise Misconfigured(message, document.issue("wrong-value", message, "hospital", "first_day"))
    patients = stated["patients"]
    return HospitalSettings(
        patients["system"],
        patients["field"],
        stated["first_day"],
        stated["last_day"],
        stated.get("unit_when_missing", {}),
        _site_codes(document, stated.get("codes", {})),
    )


def _site_codes(document: Document, stated: Mapping[str, Any]) -> SiteCodes:
    issues = [*_wrong_loinc(document, stated), *_wrong_local(document, stated), *_wrong_units(document, stated)]
    if issues:
        raise Misconfigured("trial.yaml: codes of the hospital that cannot be meant so", *issues)
    return SiteCodes(
        loinc=frozenset(stated.get("loinc", ())),
        local={
            (system, code): name for system, codes in stated.get("local", {}).items() for code, name in codes.items()
        },
        units=stated.get("units", {}),
        answers={text: answer == "present" for text, answer in stated.get("answers", {}).items()},
    )


def _wrong_loinc(document: Document, stated: Mapping[str, Any]) -> Iterator[Issue]:
    """Only codes that wait for a trial's word can be let in by it."""
    waiting = sorted(code for analyte in analytes().values() for code in analyte.configured)
    for place, code in enumerate(stated.get("loinc", ())):
        if code not in waiting:
            message = f"{code!r} is no LOINC code that counts by configuration; those are {', '.join(waiting)}"
            yield document.issue("wrong-value", message, "hospital", "codes", "loinc", place)


def _wrong_local(document: Document, stated: Mapping[str, Any]) -> Iterator[Issue]:
    """A code whose meaning is known is not given another one: a goal stays a goal."""
    for system, codes in stated.get("local", {}).items():
        for code in codes:
            why = why_not((system, code))
            if why:
                message = f"{code!r} cannot be mapped: {why}"
                yield document.issue("wrong-value", message, "hospital", "codes", "local", system, code)


def _wrong_units(document: Document, stated: Mapping[str, Any]) -> Iterator[Issue]:
    for name, units in stated.get("units", {}).items():
        analyte = analytes()[name]
        for written, ucum in units.items():
            if ucum not in analyte.units:
                message = f"{ucum!r} is no UCUM unit of {name}; right would be {', '.join(analyte.units)}"
                yield document.issue("wrong-value", message, "hospital", "codes", "units", name, written)
            elif analyte.ucum(written) is not None:
                message = f"{written!r} is read as {analyte.ucum(written)} of {name} already"
                yield document.issue("wrong-value", message, "hospital", "codes", "units", name, written)


def score_rules(document: Document) -> ScoreRules | None:
    """How the trial scores; None when trial.yaml has no `scores`, which only scoring needs.

    Raises `Misconfigured` with every window, day and name that cannot be meant so.
    """
    stated = document.value.get("scores")
    if stated is None:
        return None
    windows = tuple(_window(name, window) for name, window in stated["windows"].items())
    change = stated["change"]
    issues = [*_wrong_days(document, windows), *_wrong_order(document, windows), *_wrong_change(document, windows)]
    if issues:
        raise Misconfigured("trial.yaml: scores that cannot be meant so", *issues)
    return ScoreRules(
        windows=windows,
        change_from=change["from"],
        change_to=change["to"],
        cutoff=stated.get("cutoff", _CUTOFF),
        day_one_dates_before_dose=stated.get("day_one_dates_before_dose", False),
        rescue=tuple(stated.get("rescue", ())),
        dose_note=stated.get("dose_note", ""),
    )


def _window(name: str, stated: Mapping[str, Any]) -> ScoreWindow:
    return ScoreWindow(
        name=name,
        target=stated["target"],
        blood=_pick(stated["blood"]),
        temperature=_pick(stated["temperature"]),
        organs=_pick(stated["organs"]),
        marrow=_pick(stated["marrow"]),
        before_first_dose=stated.get("before_first_dose", False),
        temperature_days=stated.get("temperature_days"),
    )


def _pick(stated: Mapping[str, Any]) -> Pick:
    first, last = stated["days"]
    return Pick(stated["choice"], first, last)


def _wrong_days(document: Document, windows: Sequence[ScoreWindow]) -> Iterator[Issue]:
    """Days that end before they begin: no result would ever count."""
    for window in windows:
        for kind in _KINDS:
            pick = window.pick(kind)
            if pick.first_day > pick.last_day:
                message = f"days: {pick.first_day} is after {pick.last_day}; write the first day first"
                yield document.issue("wrong-value", message, "scores", "windows", window.name, kind, "days")


def _wrong_order(document: Document, windows: Sequence[ScoreWindow]) -> Iterator[Issue]:
    for earlier, later in pairwise(windows):
        if later.target <= earlier.target:
            message = f"{later.name}: day {later.target} is not after day {earlier.target} of {earlier.name}"
            right = "write the windows in the order of their target days"
            yield document.issue("wrong-value", f"{message}; {right}", "scores", "windows", later.name, "target")


def _wrong_change(document: Document, windows: Sequence[ScoreWindow]) -> Iterator[Issue]:
    names = [window.name for window in windows]
    change = document.value["scores"]["change"]
    strange = [end for end in ("from", "to") if change[end] not in names]
    for end in strange:
        message = f"change.{end}: there is no window {change[end]!r}; there are {', '.join(names)}"
        yield document.issue("wrong-value", message, "scores", "change", end)
    if not strange and names.index(change["from"]) >= names.index(change["to"]):
        message = f"change: from {change['from']} to {change['to']} does not go forward"
        yield document.issue("wrong-value", message, "scores", "change")
