"""How a hospital's Observation (R4) becomes results that count: number, text or finding, on top or in components.

What cannot be used is an issue with its reason, never a guess; no message repeats what the result says.
https://hl7.org/fhir/R4/observation.html, https://hl7.org/fhir/R4/conformance-rules.html#isModifier
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

from fhir_adapter.issues import Issue, Rejected, Severity, Where
from fhir_adapter.mappers.canonical import HSCORE_ITEM, UCUM
from fhir_adapter.scores.attainable import impossible_total
from fhir_adapter.terminology import (
    LOCAL_CODE_FLAG,
    TABLES_ONLY,
    CodeMatch,
    SiteCodes,
    match_codes,
    normalise,
    numbers_in_text,
    present_of,
)
from fhir_adapter.trial import Moment, MomentError, Result, read_moment

COUNTED_STATUSES = ("final", "amended", "corrected")
RETRACTED_STATUSES = ("entered-in-error", "cancelled")
"""What a laboratory says when an earlier result is not to be used any more, or will never come."""

SKEW = timedelta(minutes=5)
"""How far a result may lie in the future: clocks differ, results do not travel in time."""

EARLIEST_ZONE = timezone(timedelta(hours=14))
"""Where a day begins first: a date without a time may be one of there."""

NOTE_FLAG = "the laboratory noted"
"""How a flag begins that a note about the sample made; a person looks at those."""

_NOTES: Mapping[str, re.Pattern[str]] = {
    "haemolysed": re.compile(r"溶血|ha?emoly[sz]", re.IGNORECASE),
    # 凝血 is coagulation, the name of the test itself; 不凝, 凝块, 凝固 speak of the sample.
    "clotted or not clotting": re.compile(r"凝(?!血)|clot", re.IGNORECASE),
    "lipaemic": re.compile(r"脂血|脂浊|lipa?emi[ac]", re.IGNORECASE),
}
_MARROW = re.compile(r"marrow|骨髓", re.IGNORECASE)
_MARROW_CODES = frozenset({"14016003", "119359002", "BM", "BMA"})
"""SNOMED CT bone marrow (structure, specimen) and HL7 table 0487."""

_COMPARATORS = ("<", "<=", ">", ">=")
_NOT_PERFORMED = "not-performed"
_UNREAD_VALUES = ("valueRange", "valueRatio", "valueSampledData", "valueTime", "valueDateTime", "valuePeriod")

_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReadObservation:
    """The results of one Observation, and why others of it cannot be used."""

    results: tuple[Result, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass
class _Reading:
    """One Observation being read: what all its results share, and what was found."""

    resource: _Json
    name: str
    shared: Result
    units: Mapping[str, str]
    site: SiteCodes
    results: list[Result] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def issue(
        self,
        code: str,
        message: str,
        expression: str = "",
        severity: Severity = "error",
        rule: str | None = None,
    ) -> None:
        """Note why something cannot be used."""
        where = Where(resource=self.name, expression=expression or None)
        self.issues.append(Issue(severity, code, message, where, rule))


def read_observation(
    resource: _Json,
    subject: str,
    *,
    sha256: str | None = None,
    unit_when_missing: Mapping[str, str] | None = None,
    site: SiteCodes = TABLES_ONLY,
    now: datetime | None = None,
) -> ReadObservation:
    """Read every result that an Observation holds, in canonical units.

    `unit_when_missing` gives the UCUM unit of an analyte whose results come without one; `site` is the hospital's own
    map; `now` is the latest moment at which anything can have been measured (left out, the clock of this machine).
    """
    name = f"Observation/{_text(resource.get('id'))}"
    shared = Result(subject=subject, name="", source="hospital", reference=name, sha256=sha256)
    reading = _Reading(resource, name, shared, unit_when_missing or {}, site)
    if _may_be_read(reading) and _read_shared(reading, now or datetime.now(UTC)):
        _read_parts(reading)
    return ReadObservation(tuple(reading.results), tuple(reading.issues))


def parts_of(resource: _Json) -> list[_Json]:
    """The Observation itself and its components: each has a code and may have a value."""
    return [resource, *_objects(resource.get("component"))]


def codings_of(concept: object) -> list[tuple[str, str]]:
    """The (system, code) pairs of a CodeableConcept."""
    codings = _objects(_object(concept).get("coding"))
    return [(_text(one.get("system")), _text(one.get("code"))) for one in codings if one.get("code")]


def effective_of(resource: _Json) -> Moment | None:
    """When it was collected: the time, or the start of the period (its end where no start is given).

    Raises `MomentError` for a time without offset and for what is no date.
    """
    period = _object(resource.get("effectivePeriod"))
    stated = (
        resource.get("effectiveDateTime")
        or resource.get("effectiveInstant")
        or period.get("start")
        or period.get("end")
    )
    if stated is None:
        return None
    if not isinstance(stated, str):
        raise MomentError("not an ISO 8601 date or time such as 2016-03-01 or 2016-03-01T08:10:00+08:00")
    return read_moment(stated)


def sample_notes(resource: _Json) -> list[str]:
    """What the laboratory wrote about the sample: haemolysed, clotted, lipaemic."""
    text = "\n".join(_written(resource))
    return [word for word, pattern in _NOTES.items() if pattern.search(text)]


def says_marrow(concepts: Iterable[object], texts: Iterable[str] = ()) -> bool:
    """True when a CodeableConcept, or a text, names bone marrow."""
    known = list(concepts)
    codes = {code for concept in known for _, code in codings_of(concept)}
    return bool(codes & _MARROW_CODES) or any(_MARROW.search(text) for text in (*texts, *map(words_of, known)))


def folder_flags(match: CodeMatch) -> tuple[str, ...]:
    """What a person must know of a code that only the trial's folder explains."""
    if "|" in match.by_folder:
        return (f"{LOCAL_CODE_FLAG}{match.by_folder} as {match.name}",)
    return (f"{match.by_folder} counts because the trial's folder names it",) if match.by_folder else ()


def why_refused(match: CodeMatch) -> str:
    """The code that is not read and the reason, which may name it already."""
    return match.reason if match.reason.startswith(match.code) else f"{match.code}: {match.reason}"


def may_be_used(resource: _Json) -> bool:
    """True when neither its status nor a modifier forbids what it says."""
    modified = any(part.get("modifierExtension") for part in parts_of(resource)) or resource.get("implicitRules")
    return resource.get("status") in COUNTED_STATUSES and not modified


def _check_total(reading: _Reading) -> None:
    """Name an HScore from elsewhere that the table cannot give."""
    quantity = reading.resource.get("valueQuantity")
    total = quantity.get("value") if isinstance(quantity, dict) else reading.resource.get("valueInteger")
    if isinstance(total, (int, Decimal)) and not isinstance(total, bool):
        wrong = impossible_total(Decimal(str(total)))
        if wrong is not None:
            reading.issue(wrong.code, wrong.message, "value", wrong.severity)


def _may_be_read(reading: _Reading) -> bool:
    """False for what must not be used whatever it says."""
    resource = reading.resource
    if (HSCORE_ITEM, "hscore") in codings_of(resource.get("code")):
        message = "an HScore is computed from results and is none itself"
        reading.issue("rejected-code", message, "code", "information")
        _check_total(reading)
        return False
    if any(part.get("modifierExtension") for part in parts_of(resource)) or resource.get("implicitRules"):
        message = "it carries a modifier that this program does not know, which may turn its meaning round; not used"
        reading.issue("modifier-extension", message, "modifierExtension")
        return False
    status = resource.get("status")
    if status in COUNTED_STATUSES or status == "cancelled":
        return True
    known = status in ("entered-in-error", "registered", "preliminary", "unknown")
    shown = status if known else "no status of an Observation"
    severity: Severity = "information" if known else "error"
    counted = ", ".join(COUNTED_STATUSES)
    reading.issue("result-status", f"its status is {shown}; counted are {counted}", "status", severity)
    return False


def _read_shared(reading: _Reading, now: datetime) -> bool:
    """Read what all results of the Observation share; False when it cannot be placed in time."""
    resource = reading.resource
    try:
        effective = effective_of(resource)
    except MomentError as error:
        reading.issue("result-time", f"when it was collected cannot be read: {error}", "effective")
        return False
    if effective is None:
        reading.issue("result-time", "it does not say when it was collected", "effective")
        return False
    if effective.bounds(EARLIEST_ZONE)[0] > Fraction(int((now + SKEW).timestamp())):
        reading.issue("future-dated", "it was collected in the future, by more than 5 minutes", "effective")
        return False
    meta = _object(resource.get("meta"))
    flags = [f"{NOTE_FLAG}: {word}" for word in sample_notes(resource)]
    if "effectivePeriod" in resource:
        flags.append("collected over a period; its start counts")
    reading.shared = replace(
        reading.shared,
        effective=effective,
        issued=_issued(resource, flags),
        version=_text(meta.get("versionId")) or None,
        status=_text(resource.get("status")),
        specimen=_reference(resource.get("specimen")),
        method=words_of(resource.get("method")),
        body_site=words_of(resource.get("bodySite")),
        flags=tuple(flags),
    )
    return True


def _issued(resource: _Json, flags: list[str]) -> Moment | None:
    stated = resource.get("issued")
    if stated is None:
        return None
    try:
        return read_moment(str(stated))
    except MomentError:
        flags.append("when it was issued cannot be read")
        return None


def _read_parts(reading: _Reading) -> None:
    """Read the value on top and that of every component; a panel has none on top."""
    strangers: list[CodeMatch] = []
    understood = False
    for part, place in zip(parts_of(reading.resource), _places(), strict=False):
        match = match_codes(codings_of(part.get("code")), reading.site)
        if match.kind == "unknown":
            strangers.append(match)
        elif match.kind == "rejected":
            understood = True
            reading.issue("rejected-code", why_refused(match), f"{place}code", "information")
        else:
            understood = True
            _read_part(reading, part, match, place)
    if not understood:
        _say_unknown(reading)


def _places() -> Iterator[str]:
    yield ""
    number = 0
    while True:
        yield f"component[{number}]."
        number += 1


def _say_unknown(reading: _Reading) -> None:
    """Name the code that nobody knows: a local one may be a result under a name of the laboratory's own."""
    codings = codings_of(reading.resource.get("code"))
    shown = " ".join(f"{system}|{code}"[:120] for system, code in codings[:3]) or "no code"
    message = f"its code means no result that this program knows: {shown}"
    reading.issue("unknown-code", message, "code", "information", shown)


def _read_part(reading: _Reading, part: _Json, match: CodeMatch, place: str) -> None:
    panel = part is reading.resource and bool(part.get("component")) and not _has_value(part)
    if panel:
        return
    if len(_values(part)) > 1:
        message = f"it has several values ({', '.join(_values(part))}); a result has one, and nobody knows which"
        reading.issue("value-type", message[:200], f"{place}value")
        return
    result = replace(
        reading.shared,
        name=match.name,
        code=match.code,
        method=match.method or reading.shared.method,
        flags=(*reading.shared.flags, *folder_flags(match)),
    )
    absent = [code for _, code in codings_of(part.get("dataAbsentReason"))]
    if reading.resource.get("status") == "cancelled" or _NOT_PERFORMED in absent:
        reading.results.append(replace(result, not_done=True))
    elif part.get("dataAbsentReason"):
        message = "the laboratory says why there is no value: missing, not 0"
        reading.issue("no-value", message, place, "information")
    elif match.kind == "analyte":
        _read_number(reading, part, result, place)
    else:
        _read_finding(reading, part, result, match, place)


def _has_value(part: _Json) -> bool:
    return bool(_values(part)) or bool(part.get("dataAbsentReason"))


def _values(part: _Json) -> list[str]:
    """The names of the value[x] that are there: FHIR allows one."""
    return sorted(key for key in part if key.startswith("value"))


def _read_number(reading: _Reading, part: _Json, result: Result, place: str) -> None:
    """A number with its unit, as a Quantity, an integer, or a text that is nothing but a number."""
    try:
        value, code, text, comparator = _number(part)
        flags = list(result.flags)
        if not code and not text and result.name in reading.units:
            code = reading.units[result.name]
            flags.append(f"came without a unit; {code} by the trial's folder")
        known = reading.site.unit(result.name, code or text)
        if known is not None:
            flags.append(f"unit {code or text!r} read as {known} by the trial's folder")
        found = normalise(result.name, value, known or code, "" if known else text, comparator=comparator)
    except Rejected as error:
        for issue in error.issues:
            where = Where(resource=reading.name, expression=f"{place}value")
            reading.issues.append(replace(issue, where=where))
        return
    reading.results.append(
        replace(
            result,
            interval=found.interval,
            value=value,
            unit=text or code,
            comparator=comparator,
            flags=(*flags, *found.flags),
        )
    )


def _number(part: _Json) -> tuple[str, str, str, str | None]:
    """Value, UCUM code, unit as text, comparator; raises `Rejected` for what is no number."""
    if "valueQuantity" in part:
        return _quantity(_object(part["valueQuantity"]))
    if "valueInteger" in part:
        return _digits(part["valueInteger"]), "", "", None
    if "valueString" in part:
        found = numbers_in_text(_text(part["valueString"]))
        if found is None:
            raise _rejected("text-value", "its value is a text that is not a number; it needs a person or a map")
        comparator, value, unit = found
        return value, "", unit, comparator
    if not _has_value(part):
        raise _rejected("no-value", "it has neither a value nor a reason why there is none")
    raise _rejected("value-type", f"{_value_type(part)} is no number; read are Quantity, integer and text")


def _quantity(quantity: _Json) -> tuple[str, str, str, str | None]:
    comparator = quantity.get("comparator")
    if comparator is not None and comparator not in _COMPARATORS:
        raise _rejected("comparator", f"its comparator is not one of {' '.join(_COMPARATORS)}")
    code, unit = _text(quantity.get("code")), _text(quantity.get("unit"))
    if quantity.get("system") != UCUM:  # a code of another system is a text like the unit
        code, unit = "", unit or code
    return _digits(quantity.get("value")), code, unit, str(comparator) if comparator else None


def _digits(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise _rejected("no-value", "its value is no number")
    return str(value)


def _value_type(part: _Json) -> str:
    return next(iter(_values(part)), "no value")[:40]


def _read_finding(reading: _Reading, part: _Json, result: Result, match: CodeMatch, place: str) -> None:
    """Present or absent, said by the value or by the interpretation; both must agree."""
    if match.needs_marrow and not _from_marrow(reading.resource):
        message = "haemophagocytosis counts only with a bone marrow specimen or body site"
        reading.issue("not-marrow", message, place, "information")
        return
    told = [answer for answer in _answers(part, reading.site) if answer is not None]
    if not told:
        reading.issue("finding-not-read", "its value says neither present nor absent", f"{place}value")
    elif len(set(told)) > 1:
        reading.issue("finding-contradicts-itself", "value and interpretation disagree", f"{place}value")
    else:
        value = "present" if told[0] else "absent"
        reading.results.append(replace(result, present=told[0], value=value))


def _answers(part: _Json, site: SiteCodes) -> Iterator[bool | None]:
    if isinstance(part.get("valueBoolean"), bool):
        yield part["valueBoolean"] is True
    if "valueCodeableConcept" in part:
        concept = _object(part["valueCodeableConcept"])
        coded = codings_of(concept)
        yield present_of(coded, site) if coded else present_of(_text(concept.get("text")), site)
    if "valueString" in part:
        yield present_of(_text(part["valueString"]), site)
    for concept in _objects(part.get("interpretation")):
        yield present_of(codings_of(concept), site)


def _from_marrow(resource: _Json) -> bool:
    specimen = _object(resource.get("specimen"))
    inside = [one for one in _objects(resource.get("contained")) if one.get("resourceType") == "Specimen"]
    concepts = [resource.get("bodySite"), *[one.get("type") for one in inside]]
    return says_marrow(concepts, [_text(specimen.get("display"))])


def _written(resource: _Json) -> Iterator[str]:
    """Every free text of a person at the laboratory."""
    for note in _objects(resource.get("note")):
        yield _text(note.get("text"))
    for part in parts_of(resource):
        yield _text(part.get("valueString"))
        yield words_of(part.get("dataAbsentReason"))
        for concept in _objects(part.get("interpretation")):
            yield words_of(concept)


def words_of(concept: object) -> str:
    """What a CodeableConcept says to a person."""
    stated = _object(concept)
    displays = [_text(one.get("display")) or _text(one.get("code")) for one in _objects(stated.get("coding"))]
    return _text(stated.get("text")) or next((text for text in displays if text), "")


def _reference(stated: object) -> str:
    reference = _object(stated)
    identifier = _object(reference.get("identifier"))
    if identifier.get("value"):
        return f"{_text(identifier.get('system'))}|{_text(identifier.get('value'))}"
    return _text(reference.get("reference"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> _Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Sequence[_Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _rejected(code: str, message: str) -> Rejected:
    return Rejected(message, Issue("error", code, message))
