"""What a person must look at, because no rule may decide it: listed and counted, never acted upon here.

Values count meanwhile as ruled (decisions of the trial, "Several results").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from fractions import Fraction
from itertools import combinations, product

from fhir_adapter.issues import Issue
from fhir_adapter.mappers.r4.read_observation import NOTE_FLAG
from fhir_adapter.scores import SCORED_PARTS, result_range, same_collection
from fhir_adapter.scores.choose import lasts_on, local_day
from fhir_adapter.terminology import LOCAL_CODE_FLAG, UNIT_DOUBT_FLAG
from fhir_adapter.trial import Moment, Result

JUMP_SECONDS = 48 * 3600
PLATELETS_FACTOR = 3
HEMOGLOBIN_RISE = Fraction(5, 2)
"""g/dL: 25 g/L."""

_FLAGS = {NOTE_FLAG: "sample-note", UNIT_DOUBT_FLAG: "unit-doubt"}
"""How flags of a result begin that are questions, and the kind of each."""

_INTERNATIONAL = frozenset(
    {
        "http://loinc.org",
        "http://snomed.info/sct",
        "http://human-phenotype-ontology.org",
        "http://purl.obolibrary.org/obo/hp.owl",
        "http://www.nlm.nih.gov/research/umls/rxnorm",
    }
)
"""Code systems that mean the same everywhere; every other code is a laboratory's own."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One question for a person: whose, of which kind, about which resource, and why it is asked."""

    subject: str
    kind: str
    reference: str
    why: str

    def to_dict(self) -> dict[str, object]:
        """The JSON form of the report."""
        return {"subject": self.subject, "kind": self.kind, "reference": self.reference, "why": self.why}


def review(
    results: Sequence[Result],
    noted: Iterable[tuple[str | None, Issue]] = (),
    *,
    deaths: Mapping[str, Moment] | None = None,
    zones: Mapping[str, tzinfo] | None = None,
) -> list[ReviewItem]:
    """Everything that a person must look at, each once.

    `noted` are the issues of reading the same results, each with whose it is as far as known; `zones` say where a day
    begins for each subject.
    """
    zones = zones or {}
    items = [
        *_of_issues(noted),
        *_flagged(results),
        *_local_codes(results),
        *_after_death(results, deaths or {}, zones),
    ]
    for same in _by(results, "subject", "name").values():
        zone = zones.get(same[0].subject, UTC)
        items += [*_differences(same, zone), *_capped(same), *_contradictions(same), *_jumps(same)]
        items += _diagnoses(same, zone)
    return list(dict.fromkeys(items))


def _of_issues(noted: Iterable[tuple[str | None, Issue]]) -> Iterator[ReviewItem]:
    """Two patients that match, a value in words such as 不凝, and the first use of every local code."""
    seen: set[str] = set()
    for whose, issue in noted:
        subject, reference = whose or "", issue.where.resource or ""
        if issue.code == "patient-ambiguous":
            yield ReviewItem(subject, "two-patients", reference, issue.message)
        elif issue.code == "text-value":
            yield ReviewItem(subject, "text-value", reference, issue.message)
        elif issue.code == "unknown-code" and issue.rule and _is_local(issue.rule) and issue.rule not in seen:
            seen.add(issue.rule)
            yield ReviewItem(subject, "local-code", reference, f"first use of a local code: {issue.rule}")


def _is_local(shown: str) -> bool:
    """True when none of the codings is of a system that means the same everywhere."""
    systems = {coding.partition("|")[0] for coding in shown.split(" ") if "|" in coding}
    return bool(systems) and not systems & _INTERNATIONAL


def _flagged(results: Iterable[Result]) -> Iterator[ReviewItem]:
    for one in results:
        for flag in one.flags:
            for beginning, kind in _FLAGS.items():
                if flag.startswith(beginning):
                    yield ReviewItem(one.subject, kind, one.reference, flag)


def _local_codes(results: Iterable[Result]) -> Iterator[ReviewItem]:
    """The first use of each code that only the trial's folder explains: whether it means that, a person sees."""
    seen: set[str] = set()
    for one in results:
        for flag in one.flags:
            if flag.startswith(LOCAL_CODE_FLAG) and flag not in seen:
                seen.add(flag)
                yield ReviewItem(one.subject, "local-code", one.reference, f"first use of a local code, {flag}")


def _after_death(
    results: Iterable[Result], deaths: Mapping[str, Moment], zones: Mapping[str, tzinfo]
) -> Iterator[ReviewItem]:
    for one in results:
        death, zone = deaths.get(one.subject), zones.get(one.subject, UTC)
        # A death without a time lasts until the end of its day.
        if death and one.effective and one.effective.bounds(zone)[0] >= death.bounds(zone)[1]:
            yield ReviewItem(one.subject, "after-death", one.reference, "collected after the recorded death")


def typed_otherwise(results: Iterable[Result], zone: tzinfo) -> Iterator[tuple[Result, Result]]:
    """Typed copies of hospital results that say something else, each with the hospital's; days are those of `zone`."""
    for same in _by(results, "subject", "name").values():
        hospital = [one for one in same if one.source == "hospital" and not one.not_done]
        typed = [one for one in same if one.source == "typed" and not one.not_done]
        for ours in typed:
            told = [theirs for theirs in hospital if same_collection(ours, theirs, zone)]
            if told and all((ours.interval, ours.present) != (one.interval, one.present) for one in told):
                yield ours, told[0]


def _differences(same: Sequence[Result], zone: tzinfo) -> Iterator[ReviewItem]:
    for ours, theirs in typed_otherwise(same, zone):
        why = f"differs from what was typed ({ours.reference}); the hospital's counts"
        yield ReviewItem(ours.subject, "typed-otherwise", theirs.reference, why)


def _capped(same: Sequence[Result]) -> Iterator[ReviewItem]:
    """A capped result beside a number of another sample, or beside one that lies outside its half-line."""
    for one in _by(same, "effective_bounds").values():
        hospital = [each for each in one if each.source == "hospital" and each.interval]
        for capped, number in product(hospital, hospital):
            if capped.interval is None or number.interval is None or number.interval.point is None:
                continue
            if capped.interval.point is not None:
                continue
            if not capped.interval.contains(number.interval):
                why = f"{number.reference} lies outside this capped result"
                yield ReviewItem(capped.subject, "capped-contradicted", capped.reference, why)
            elif not capped.specimen or capped.specimen != number.specimen:
                why = f"capped, and {number.reference} of another sample gives a number"
                yield ReviewItem(capped.subject, "capped-other-sample", capped.reference, why)


def _contradictions(same: Sequence[Result]) -> Iterator[ReviewItem]:
    """Results of one time from different samples, or by different methods, that lead to different points."""
    if same[0].name not in SCORED_PARTS:
        return
    for at_once in _by(same, "effective_bounds").values():
        known = [one for one in at_once if one.source == "hospital" and one.effective and not one.not_done]
        for one, other in combinations(known, 2):
            if one.specimen and one.specimen == other.specimen:
                continue
            if result_range(one.name, one) != result_range(other.name, other):
                why = f"contradicts {other.reference}, collected at the same time"
                yield ReviewItem(one.subject, "conflicting", one.reference, why)


def _diagnoses(same: Sequence[Result], zone: tzinfo) -> Iterator[ReviewItem]:
    """A diagnosis that was active on the day of an examination that says otherwise."""
    for one, other in product(same, same):
        day = local_day(other.effective, zone) if other.effective and other.until is None else None
        if day is None or other.not_done or one.present == other.present or not lasts_on(one, day, zone):
            continue
        why = f"a diagnosis that was active when {other.reference} says otherwise"
        yield ReviewItem(one.subject, "conflicting", one.reference, why)


def _jumps(same: Sequence[Result]) -> Iterator[ReviewItem]:
    """Platelets three times as high, or haemoglobin 25 g/L higher, within 48 hours: a transfusion or a mix-up."""
    if same[0].name not in _JUMPS:
        return
    timed = [one for one in same if one.source == "hospital" and one.effective and one.interval]
    seen: set[str] = set()
    for earlier, later in combinations(sorted(timed, key=_start), 2):
        if not 0 < _start(later) - _start(earlier) <= JUMP_SECONDS or later.reference in seen:
            continue
        before, after = _point(earlier), _point(later)
        if before is not None and after is not None and _JUMPS[later.name](before, after):
            seen.add(later.reference)
            why = f"much higher than {earlier.reference} within 48 hours: transfused, or of somebody else?"
            yield ReviewItem(later.subject, f"{later.name}-jump", later.reference, why)


_JUMPS = {
    "platelets": lambda before, after: before > 0 and after >= PLATELETS_FACTOR * before,
    "hemoglobin": lambda before, after: after - before >= HEMOGLOBIN_RISE,
}


def _point(one: Result) -> Fraction | None:
    return one.interval.point if one.interval else None


def _start(one: Result) -> Fraction:
    return one.effective.bounds()[0] if one.effective else Fraction(0)


def _by(results: Iterable[Result], *keys: str) -> dict[tuple[object, ...], list[Result]]:
    groups: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    for one in results:
        groups[tuple(_key(one, key) for key in keys)].append(one)
    return groups


def _key(one: Result, key: str) -> object:
    if key == "effective_bounds":
        return one.effective.bounds() if one.effective else None
    return getattr(one, key)
