"""What a registry record says of a study, in the words of a trial folder, and what it leaves open.

A study record of ClinicalTrials.gov, API version 2 (https://clinicaltrials.gov/data-api/api). Nothing is guessed: a
word or a country that is not in `registry_words.toml`, a limit of age that is not in years, a number of subjects that
is no longer planned stay open, with the reason.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from fhir_adapter import fhirjson
from fhir_adapter.trial import STUDY_FIELDS

_NUMBER = re.compile(r"NCT\d{8}", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_YEARS = re.compile(r"(\d{1,3}) Years?", re.ASCII)
_SILENT = "the record does not say it"

_TITLE = "identificationModule.officialTitle"
_DESIGN = ("designModule", "designInfo")


class RecordError(ValueError):
    """The text is no study record of this registry; the message says why, and never what the text holds."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the record says of one field: its texts, and where in the record they stand."""

    texts: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class RegistryRecord:
    """A registry's record of a study.

    `facts` by field of the study; `open` has every other field, with the reason. `status` and `masking` are the
    registry's words, verbatim (none: not said).
    """

    number: str
    sponsors_number: str | None
    status: str | None
    masking: str | None
    updated: str | None
    facts: Mapping[str, Taken]
    open: Mapping[str, str]
    location_count: int
    arms: tuple[str, ...]
    has_criteria: bool


def registry_number(text: str) -> str | None:
    """The number as the registry writes it, such as NCT02569463; none where the text is no such number."""
    return text.upper() if _NUMBER.fullmatch(text) else None


def read_record(data: bytes) -> RegistryRecord:
    """Read one study record; raises `RecordError` where it is none."""
    try:
        value = fhirjson.loads(data)
    except fhirjson.JsonError as error:
        raise RecordError(f"not JSON that can be read: {error}") from error
    return record_of(value)


def record_of(value: object) -> RegistryRecord:
    """The record that a JSON value holds; raises `RecordError` where it holds none."""
    section = _below(value, "protocolSection")
    number = registry_number(_text(section, "identificationModule", "nctId"))
    if number is None:
        raise RecordError(
            "no study record of ClinicalTrials.gov: protocolSection.identificationModule.nctId is not there"
        )
    read = dict(_read(section, number))
    facts = {field: one for field, one in read.items() if isinstance(one, Taken)}
    reasons = {field: one for field, one in read.items() if isinstance(one, str)}
    arms = (_text(arm, "label") for arm in _list(section, "armsInterventionsModule", "armGroups"))
    return RegistryRecord(
        number=number,
        sponsors_number=_text(section, "identificationModule", "orgStudyIdInfo", "id") or None,
        status=_text(section, "statusModule", "overallStatus") or None,
        masking=_text(section, *_DESIGN, "maskingInfo", "masking") or None,
        updated=_date(section, "statusModule", "lastUpdatePostDateStruct") or None,
        facts=facts,
        open={field: reasons.get(field, _SILENT) for field in STUDY_FIELDS if field not in facts},
        location_count=len(_list(section, "contactsLocationsModule", "locations")),
        arms=tuple(arm for arm in arms if arm),
        has_criteria=bool(_text(section, "eligibilityModule", "eligibilityCriteria")),
    )


def _read(section: object, number: str) -> Iterator[tuple[str, Taken | str]]:
    """Every field that the record says something of: what it says, or why that cannot be taken."""
    yield "registry_id", Taken((number,), "identificationModule.nctId")
    yield from _plain(section)
    yield from _design(section)
    yield from _dates(section)
    yield from _eligible(section)
    yield from _countries(section)
    for field, place in (("outcome_primary", "primaryOutcomes"), ("outcome_secondary", "secondaryOutcomes")):
        outcomes = (_outcome(one) for one in _list(section, "outcomesModule", place))
        yield from _taken(field, outcomes, f"outcomesModule.{place}")


def _plain(section: object) -> Iterator[tuple[str, Taken]]:
    """Texts that are taken as they stand."""
    official = _text(section, *_TITLE.split("."))
    brief = _text(section, "identificationModule", "briefTitle")
    yield from _taken("title", [official or brief], _TITLE if official else "identificationModule.briefTitle")
    for field, place in (
        ("description", "descriptionModule.briefSummary"),
        ("sponsor", "sponsorCollaboratorsModule.leadSponsor.name"),
    ):
        yield from _taken(field, [_text(section, *place.split("."))], place)
    for field, name in (("condition", "conditions"), ("keyword", "keywords")):
        yield from _taken(field, map(_text, _list(section, "conditionsModule", name)), f"conditionsModule.{name}")
    names = (_text(one, "name") for one in _list(section, "armsInterventionsModule", "interventions"))
    yield from _taken("focus", names, "armsInterventionsModule.interventions")


def _design(section: object) -> Iterator[tuple[str, Taken | str]]:
    phases = " ".join(sorted(filter(None, map(_text, _list(section, "designModule", "phases")))))
    purpose = _text(section, *_DESIGN, "primaryPurpose")
    for field, word, place in (
        ("phase", phases, "designModule.phases"),
        ("purpose", purpose, "designModule.designInfo.primaryPurpose"),
    ):
        known = _words()[field].get(word)
        if known is not None:
            yield field, Taken((known,), place)
        elif word:
            yield field, "the registry's word is not one that this version knows"
    yield from _taken("category", _categories(section), "designModule")


def _categories(section: object) -> Iterator[str]:
    for table, path in (
        ("study_type", ("designModule", "studyType")),
        ("allocation", (*_DESIGN, "allocation")),
        ("model", (*_DESIGN, "interventionModel")),
        ("model", (*_DESIGN, "observationalModel")),
        ("time_perspective", (*_DESIGN, "timePerspective")),
        ("masking", (*_DESIGN, "maskingInfo", "masking")),
    ):
        word = _text(section, *path)
        yield _words()[table].get(word, word)


def _dates(section: object) -> Iterator[tuple[str, Taken | str]]:
    for field, name in (("start", "startDateStruct"), ("end", "completionDateStruct")):
        day = _date(section, "statusModule", name)
        if day:
            yield field, Taken((day,), f"statusModule.{name}")
        elif _text(section, "statusModule", name, "date"):
            yield field, "the registry's date is not one that exists"


def _eligible(section: object) -> Iterator[tuple[str, Taken | str]]:
    for field, name in (("age_minimum", "minimumAge"), ("age_maximum", "maximumAge")):
        age = _text(section, "eligibilityModule", name)
        years = _YEARS.fullmatch(age)
        if years is not None:
            yield field, Taken((f"P{int(years[1])}Y",), f"eligibilityModule.{name}")
        elif age:
            yield field, "the registry's limit is not a number of years, and only years are read"
    count = _below(section, "designModule", "enrollmentInfo", "count")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 9_999_999:  # noqa: PLR2004 - seven digits, as mapping reads it
        return
    if _text(section, "designModule", "enrollmentInfo", "type") == "ACTUAL":
        yield "planned_size", f"the registry gives the actual number of subjects ({count}), not the planned one"
    else:
        yield "planned_size", Taken((str(count),), "designModule.enrollmentInfo")


def _countries(section: object) -> Iterator[tuple[str, Taken | str]]:
    """The countries of the locations, in the order in which the record first names them, if all are known."""
    names = [_text(one, "country") for one in _list(section, "contactsLocationsModule", "locations")]
    codes = [_country_codes().get(_folded(name), "") for name in dict.fromkeys(filter(None, names))]
    if all(codes):
        yield from _taken("country", codes, "contactsLocationsModule.locations")
    else:
        yield (
            "country",
            f"{codes.count('')} of the {len(codes)} names of countries are not ones that this version knows",
        )


def _outcome(one: object) -> str:
    """As the existing folders write an outcome: what is measured, and when."""
    measure, when = _text(one, "measure"), _text(one, "timeFrame")
    return f"{measure} (time frame: {when})" if measure and when else measure


def _taken(field: str, texts: Iterable[str], place: str) -> Iterator[tuple[str, Taken]]:
    known = tuple(dict.fromkeys(text for text in texts if text))
    if known:
        yield field, Taken(known, place)


# The record's JSON: whatever is not of the expected kind counts as not said


def _below(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object, *path: str) -> str:
    found = _below(value, *path)
    return found.strip() if isinstance(found, str) else ""


def _list(value: object, *path: str) -> list[object]:
    found = _below(value, *path)
    return found if isinstance(found, list) else []


def _date(value: object, *path: str) -> str:
    """A year, a month or a day that exists; empty for anything else."""
    text = _text(value, *path, "date")
    parts = _DATE.fullmatch(text)
    if parts is None:
        return ""
    try:
        date(int(parts[1]), int(parts[2] or 1), int(parts[3] or 1))
    except ValueError:
        return ""
    return text


@cache
def _words() -> Mapping[str, Any]:
    table = resources.files("fhir_adapter.sources").joinpath("registry_words.toml")
    return tomllib.loads(table.read_text(encoding="utf-8"))


@cache
def _country_codes() -> Mapping[str, str]:
    return {_folded(name): code for code, names in _words()["country"].items() for name in names}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
