"""Observation (R4) of a computed score: its bounds, its items, the evidence it rests on, and what is not known.

How each part reads is ruled for every site alike:

- A score that is one number is a Quantity, an open one a Range: never one number in the place of two. The components
  `hscore-low` and `hscore-high` are always there, because servers index Quantities for search and no Ranges.
- An item is a Quantity when its points are known, a Range when part of it is known (capped and contradictory results
  too), and has a reason instead when nothing is. A capped result may leave all points possible: it stays a Range,
  because something was measured. A contradiction has words as interpretation: no code of
  v3-ObservationInterpretation means "two results disagree", and a code there could be read as present or absent.
- The window is the coding of `method`: it names the rule by which values were picked, and servers search it
  (`Observation?method=...|baseline`). `category` classifies kinds of observations, `focus` and `partOf` refer to
  resources, and a score is part of no procedure or administration; so none of them holds it.
- `effective[x]` spans the collection of the values that count. Immunosuppression is left out of it: it is the status
  before the episode, stated once and true of every visit.

https://hl7.org/fhir/R4/observation.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from xml.sax.saxutils import escape

from fhir_adapter.mappers.canonical import BASE, HSCORE_ITEM, PROFILE, SECURITY_LABELS
from fhir_adapter.mappers.context import Resource
from fhir_adapter.mappers.r4.datatypes import concept, date_time, period, terminology, ucum
from fhir_adapter.scores import MAXIMUM, HScore, ItemScore, WindowScore
from fhir_adapter.scores.explain import CAUTION, NO_ADVICE, STATES, TITLES, against_cutoff, points
from fhir_adapter.scores.hscore_table import BANDS, COUNTED, PRESENT
from fhir_adapter.trial import Interval, Moment, MomentError, Result, read_moment
from fhir_adapter.trial_folder import Code

SCORE_WINDOW = f"{BASE}/CodeSystem/score-window"
"""The names that trials give to the visits at which they score; `all` is every result, without visits."""

DATA_MARK = "Data as of "
"""How the note begins that says up to when the data are known."""

_HSCORE = Code(HSCORE_ITEM, "hscore", "HScore")
_RULE = "HScore (Fardet L et al., Arthritis Rheumatol 2014;66(9):2613-20)"
_INTERPRETATIONS = {
    "met": ("POS", "Positive"),
    "not met": ("NEG", "Negative"),
    "undetermined": ("IND", "Indeterminate"),
}
_REASONS = {"unknown": ("unknown", "Unknown"), "not_done": ("not-performed", "Not Performed")}
_OPEN = {**STATES, "measured": "not decided", "not_done": "not examined"}
_CALLED = {**TITLES, "known_immunosuppression": "immunosuppression", "marrow_hemophagocytosis": "marrow"}
_BEFORE_THE_EPISODE, _MARROW = "known_immunosuppression", "marrow_hemophagocytosis"

_WHOLE = {
    **{item: (0, most) for item, most in PRESENT.items()},
    **{item: (0, max(band.points for band in bands)) for item, bands in BANDS.items()},
    **{item: (0, parts.points[-1]) for item, parts in COUNTED.items()},
}
"""The points of an item of which nothing is known."""

_OBSERVATION = re.compile(r"Observation/[A-Za-z0-9\-.]{1,64}")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>]")


def score_observation(
    one: WindowScore,
    *,
    subject: Mapping[str, object],
    labels: Sequence[str | Mapping[str, object]] = (),
    identifier: Mapping[str, object] | None = None,
    complete: bool = True,
    zone: tzinfo = UTC,
    refer: Callable[[Result], Mapping[str, object]] = lambda result: {"reference": result.reference},
) -> Resource:
    """A score as a resource without id: whoever stores it gives one.

    `subject` is the Reference to the patient, `labels` the security labels of what the score was made from (a trial's
    by code, those of received resources as their Coding), `complete` whether everything that was asked for had
    arrived by `one.as_of`; dates without a time are days in `zone`. `refer` answers how the hospital's result is
    referred to.
    """
    score = one.score
    resource: Resource = {"resourceType": "Observation", "meta": _meta(labels), "text": _narrative(one, complete)}
    if identifier is not None:
        resource["identifier"] = [dict(identifier)]
    resource["status"] = "final"
    resource["category"] = [terminology("observation-category", "survey", "Survey")]
    resource["code"] = concept([_HSCORE], "HScore")
    resource["subject"] = dict(subject)
    _effective(resource, score, zone)
    if one.as_of and _is_instant(one.as_of):
        resource["issued"] = one.as_of
    resource.update(_points(score.low, score.high))
    resource["interpretation"] = [_interpretation(score)]
    resource["note"] = [{"text": text} for text in _notes(one, complete)]
    resource["method"] = concept([Code(SCORE_WINDOW, one.window)], _method(one))
    # Words only: a number in a reference range reads as the limit of normal, which HScore does not have. The number
    # is the component hscore-cutoff, which servers can search.
    resource["referenceRange"] = [{"text": f"compared with a cut-off of {score.cutoff} points"}]
    derived = _unique(refer(result) for result in used_results(score) if _is_observation(result))
    if derived:
        resource["derivedFrom"] = derived
    resource["component"] = [*_bounds(score), *(_component(item) for item in score.items)]
    return resource


def used_results(score: HScore) -> Iterator[Result]:
    """The results that count, those included that say that an item was not examined."""
    return (one.result for item in score.items for one in item.evidence if one.used)


def _unique(references: Iterator[Mapping[str, object]]) -> list[Resource]:
    found: list[Resource] = []
    for one in references:
        if one not in found:
            found.append(dict(one))
    return found


def _meta(labels: Sequence[str | Mapping[str, object]]) -> Resource:
    security: list[Resource] = []
    for label in map(_label, labels):
        if label not in security:
            security.append(label)
    return {"profile": [f"{PROFILE}hscore-score"], **({"security": security} if security else {})}


def _label(label: str | Mapping[str, object]) -> Resource:
    return {"system": SECURITY_LABELS[label], "code": label} if isinstance(label, str) else dict(label)


def _points(low: int, high: int) -> Resource:
    """The value[x] of points: one number, or from the least to the most."""
    if low == high:
        return {"valueQuantity": _score(low)}
    return {"valueRange": {"low": _score(low), "high": _score(high)}}


def _score(number: int) -> Resource:
    return ucum(number, "{score}", "points")


def _interpretation(score: HScore) -> Resource:
    code, display = _INTERPRETATIONS[score.status]
    return {**terminology("v3-ObservationInterpretation", code, display), "text": against_cutoff(score)}


def _bounds(score: HScore) -> Iterator[Resource]:
    """What the score is searched by, open or not."""
    yield {"code": concept([Code(HSCORE_ITEM, "hscore-low", "HScore, the least it can be")]), **_known(score.low)}
    yield {"code": concept([Code(HSCORE_ITEM, "hscore-high", "HScore, the most it can be")]), **_known(score.high)}
    yield {"code": concept([Code(HSCORE_ITEM, "hscore-cutoff", "HScore, cut-off")]), **_known(score.cutoff)}


def _known(number: int) -> Resource:
    return _points(number, number)


def _component(item: ItemScore) -> Resource:
    """One item: its points, or why there are none."""
    found: Resource = {"code": concept([Code(HSCORE_ITEM, item.item.replace("_", "-"), TITLES[item.item])])}
    if item.state in _REASONS and (item.low, item.high) == _WHOLE[item.item]:
        found["dataAbsentReason"] = terminology("data-absent-reason", *_REASONS[item.state])
        return found
    found.update(_points(item.low, item.high))
    if item.state == "conflicting":
        found["interpretation"] = [concept([], "contradictory: results that count lead to different points")]
    return found


def _is_observation(result: Result) -> bool:
    """True for an Observation of the hospital; what a site typed has a file and a row instead of a reference."""
    can_be_read = result.interval != Interval()
    return result.source == "hospital" and can_be_read and _OBSERVATION.fullmatch(result.reference) is not None


def _effective(resource: Resource, score: HScore, zone: tzinfo) -> None:
    """From the first to the last collection, as recorded; nothing where no value that counts has a date."""
    moments = [moment for item in score.items for moment in _collected(item)]
    if not moments:
        return
    spans = [(*moment.bounds(zone), moment) for moment in moments]
    first = min(spans, key=lambda span: (span[0], -span[1]))[2]
    last = max(spans, key=lambda span: (span[1], -span[0]))[2]
    shorter, longer = sorted((first, last), key=lambda moment: len(moment.iso))
    # A day and a time of that day are no Period: per-1 cannot be decided between them, and validators refuse it.
    if longer.iso.startswith(shorter.iso) or first.bounds(zone) == last.bounds(zone):
        date_time(resource, "effectiveDateTime", shorter)
    else:
        resource["effectivePeriod"] = period(first, last)


def _collected(item: ItemScore) -> Iterator[Moment]:
    if item.item != _BEFORE_THE_EPISODE:
        for one in item.evidence:
            lasts = one.result.until is not None  # since when somebody is ill is no collection of this score
            if one.used and not one.result.not_done and one.result.effective is not None and not lasts:
                yield one.result.effective


def _is_instant(text: str) -> bool:
    """True for a time with seconds and offset; less is never filled up to an instant."""
    try:
        moment = read_moment(text)
    except MomentError:
        return False
    return moment.precision == "time" and moment.iso == text


def _method(one: WindowScore) -> str:
    """Which results count, item by item, in the words of the trial's rule."""
    rules: dict[str, list[str]] = {}
    for item in one.score.items:
        for why in dict.fromkeys(said.why for said in item.evidence if said.used and not said.result.not_done):
            rules.setdefault(why, []).append(TITLES[item.item])
    said = [f"{_capital(', '.join(items))}: {why}" for why, items in rules.items()]
    return ". ".join([f"{_RULE}, {one.window}", *(said or ["No result counts"])]) + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _notes(one: WindowScore, complete: bool) -> Iterator[str]:
    """What must be known beside the number, each for itself; what others wrote is kept from acting as markup."""
    yield CAUTION
    for item in one.score.items:
        for note in item.notes:
            yield f"{TITLES[item.item]}: {_plain(note)}"
    undecided = [_open(item) for item in one.score.items if not item.known]
    if undecided:
        yield f"{NO_ADVICE} {'; '.join(undecided)}."
    yield from _data_mark(one, complete)


def _plain(note: str) -> str:
    """A text of the hospital or the trial in Markdown, where none of its characters marks anything up."""
    return _MARKDOWN.sub(r"\\\g<0>", _CONTROL.sub(" ", note))


def _open(item: ItemScore) -> str:
    """What is not known of an item, as `marrow not examined (0 or 35)`."""
    return f"{_CALLED[item.item]} {_OPEN[item.state]} ({_range(item)})"


def _range(item: ItemScore) -> str:
    """The points of an item that is present or absent are one or the other, with nothing between."""
    return f"{item.low} or {item.high}" if item.item in PRESENT and not item.known else points(item.low, item.high)


def _data_mark(one: WindowScore, complete: bool) -> Iterator[str]:
    if one.as_of:
        yield f"{DATA_MARK}{one.as_of}, {'complete' if complete else 'incomplete'}."
    elif not complete:
        yield "The hospital's results of this subject were never read whole: incomplete."


def _narrative(one: WindowScore, complete: bool) -> Resource:
    """The sentence that people read, and a line for each item."""
    score = one.score
    marrow = score.item(_MARROW)
    sentence = f"HScore {points(score.low, score.high)} of {MAXIMUM}, {one.window}; {against_cutoff(score)}."
    sentence += "" if marrow.known else f" {_capital(_open(marrow))}."
    lines = "".join(f"<li>{_text(_line(item))}</li>" for item in score.items)
    after = " ".join([_method(one), *_data_mark(one, complete), CAUTION])
    div = f"<p>{_text(sentence)}</p><ul>{lines}</ul><p>{_text(after)}</p>"
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'}


def _line(item: ItemScore) -> str:
    said = "; ".join([STATES[item.state], *item.notes])
    return f"{TITLES[item.item]}: {_range(item)} points, {said}"


def _text(text: str) -> str:
    """A text as XHTML can hold it: control characters have no form there, not even escaped."""
    return escape(_CONTROL.sub(" ", text))
