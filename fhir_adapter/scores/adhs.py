"""Scores as statisticians read them: a long table like ADaM's basic data structure, a row a subject, visit, parameter.

ADaM Implementation Guide 1.1, section 3.3; CDISC controlled terminology for DTYPE (C81224). It is like ADaM and no
submission dataset: what each column says, and where ADaM has no place for it, is in `COLUMNS`. A score that is a range
has no AVAL: its bounds are parameters of their own, because reference ranges (ANRLO, ANRHI) would be something else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo

from fhir_adapter.scores.choose import local_day
from fhir_adapter.scores.hscore_table import ITEMS, LINEAGES
from fhir_adapter.scores.model import Bounds, Change, HScore, ItemScore, SubjectScores, WindowScore
from fhir_adapter.trial import Moment, Result, ScoreRules, calendar_day, study_day

Row = dict[str, str]
"""A row by column; everything is text as it stands in the file, empty where nothing is to be said."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its label, its type in the analysis, how it is derived, and where it comes from."""

    name: str
    label: str
    type: str
    derivation: str
    source: str


_TEXT, _NUMBER, _DATE, _FLAG = "text", "number", "date", "Y or empty"

COLUMNS = (
    Column("STUDYID", "Study Identifier", _TEXT, "as stated", "`study.identifier` in trial.yaml"),
    Column("USUBJID", "Unique Subject Identifier", _TEXT, "as recorded", "the subject's row"),
    Column("PARAM", "Parameter", _TEXT, "the words of the code, see below", "ours"),
    Column("PARAMCD", "Parameter Code", _TEXT, "at most 8 characters, see below", "ours"),
    Column("PARCAT1", "Parameter Category 1", _TEXT, "TOTAL, ITEM, CHANGE or SENSITIVITY", "ours"),
    Column("AVISIT", "Analysis Visit", _TEXT, "`all` without visits", "the window's name under `scores` in trial.yaml"),
    Column("AVISITN", "Analysis Visit (N)", _NUMBER, "1, 2, ... in the trial's order", "`scores` in trial.yaml"),
    Column(
        "ADT",
        "Analysis Date",
        _DATE,
        "local day of the blood count; without one, of the last value that counts at the visit; for an item, of the "
        "last value that counts for it; `YYYY-MM-DD`, never a partial date",
        "collection time of the results",
    ),
    Column("ADY", "Analysis Relative Day", _NUMBER, "ADT - RFSTDTC, plus 1 from that day on; no day 0", "RFSTDTC"),
    Column(
        "AVAL",
        "Analysis Value",
        _NUMBER,
        "points; empty where the least and the most differ; nothing is imputed",
        "the results that count",
    ),
    Column("AVALC", "Analysis Value (C)", _TEXT, "AVAL, or `54 to 240`; words for HSDIR", "the results that count"),
    Column(
        "BASE",
        "Baseline Value",
        _NUMBER,
        "AVAL of the row with ABLFL = Y of the same parameter",
        "the visit `scores.change.from`: results before the first dose (the doses as collected, else RFXSTDTC)",
    ),
    Column(
        "CHG",
        "Change from Baseline",
        _NUMBER,
        "AVAL - BASE at the visits after the baseline; empty for bounds, whose difference is no bound of the change "
        "(see HSCHGLO, HSCHGHI)",
        "AVAL and BASE",
    ),
    Column(
        "ABLFL",
        "Baseline Record Flag",
        _FLAG,
        "Y at the visit that the change starts from, also where AVAL is empty",
        "`scores.change.from`",
    ),
    Column(
        "ANL01FL",
        "Analysis Flag 01",
        _FLAG,
        "Y at the two visits that the change compares; never for SENSITIVITY",
        "`scores.change`",
    ),
    Column(
        "DTYPE",
        "Derivation Type",
        _TEXT,
        "BC (best case) or WC (worst case) of a bound that counts an item that is not known with its least or most "
        "points; empty where the bound is the score itself",
        "CDISC codelist C81224",
    ),
    Column(
        "CRIT1",
        "Analysis Criterion 1",
        _TEXT,
        "`HScore >= 169`, on HSCORE",
        "`scores.cutoff`, or --cutoff (points, or the name of a published cut-off)",
    ),
    Column(
        "CRIT1FL",
        "Criterion 1 Evaluation Result Flag",
        "Y, N or empty",
        "Y when the least is at or above it, N when the most is below it, else empty: undetermined",
        "the bounds",
    ),
    Column(
        "SRCDOM",
        "Source Data",
        _TEXT,
        "SDTM domain of the one record that the item's points come from; empty when there are several, or none in the "
        "site's records",
        "the file that holds it",
    ),
    Column(
        "SRCSEQ",
        "Source Sequence Number",
        _NUMBER,
        "--SEQ of that record in this export; empty where the export has none",
        "the file that holds it",
    ),
    Column(
        "ICEFL",
        "Intercurrent Event Flag",
        _FLAG,
        "Y at every visit on or after the day of rescue treatment or death (by ADT, else the planned day); where its "
        "day is not known, and where planned doses were not given, from the visit on that the change goes to",
        "medication, doses, death",
    ),
    Column("ICETERM", "Intercurrent Event Term", _TEXT, "what happened, separated by `; `", "as ICEFL"),
    Column(
        "ITEMSTAT",
        "State of the Item",
        _TEXT,
        "measured, partial, not_done, unknown or conflicting; on items",
        "the results",
    ),
    Column(
        "SRCREF",
        "References of the Source Records",
        _TEXT,
        "where a person finds what counts for the item: `Observation/...`, or a file with its row; separated by `; `",
        "the results that count",
    ),
    Column("DCUTDTC", "Data Cut", _TEXT, "when the last complete pull began", "the hospital's server"),
    Column("SECLABEL", "Security Labels", _TEXT, "HTEST: made up", "`labels` in trial.yaml"),
)
"""Every column, in its order; docs/reference/adhs.md shows this table."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its code, its words, and its category."""

    code: str
    words: str
    category: str


ITEM_CODES: Mapping[str, str] = {
    "known_immunosuppression": "HSIMM",
    "temperature": "HSTEMP",
    "organomegaly": "HSORG",
    "cytopenias": "HSCYT",
    "ferritin": "HSFER",
    "triglycerides": "HSTRIG",
    "fibrinogen": "HSFIB",
    "ast": "HSAST",
    "marrow_hemophagocytosis": "HSMAR",
}
"""The nine items; with L and H at the end their bounds."""

_WORDS: Mapping[str, str] = {
    "known_immunosuppression": "Known Underlying Immunosuppression",
    "temperature": "Temperature",
    "organomegaly": "Organomegaly",
    "cytopenias": "Cytopenias",
    "ferritin": "Ferritin",
    "triglycerides": "Triglycerides",
    "fibrinogen": "Fibrinogen",
    "ast": "AST",
    "marrow_hemophagocytosis": "Haemophagocytosis on Marrow Aspirate",
}


def _with_bounds(code: str, words: str, category: str, low: str, high: str) -> tuple[Parameter, ...]:
    return (
        Parameter(code, f"{words} (points)", category),
        Parameter(low, f"{words}, Least (points)", category),
        Parameter(high, f"{words}, Most (points)", category),
    )


PARAMETERS: tuple[Parameter, ...] = (
    *_with_bounds("HSCORE", "HScore", "TOTAL", "HSLOW", "HSHIGH"),
    *_with_bounds("HSNM", "HScore without Marrow", "TOTAL", "HSNMLOW", "HSNMHIGH"),
    *(
        parameter
        for item, code in ITEM_CODES.items()
        for parameter in _with_bounds(code, f"HScore: {_WORDS[item]}", "ITEM", f"{code}L", f"{code}H")
    ),
    Parameter("HSCHGLO", "Change of HScore, Least (points)", "CHANGE"),
    Parameter("HSCHGHI", "Change of HScore, Most (points)", "CHANGE"),
    Parameter("HSNMCLO", "Change of HScore without Marrow (primary), Least (points)", "CHANGE"),
    Parameter("HSNMCHI", "Change of HScore without Marrow (primary), Most (points)", "CHANGE"),
    Parameter("HSCOMLO", "Change on Items Known at Both Visits, Least (points)", "CHANGE"),
    Parameter("HSCOMHI", "Change on Items Known at Both Visits, Most (points)", "CHANGE"),
    Parameter("HSDIR", "Direction of the Change of HScore", "CHANGE"),
    *_with_bounds("HSWOV", "HScore by the Worst of the Window", "SENSITIVITY", "HSWOVLO", "HSWOVHI"),
)
"""Every parameter, in the order of the rows of a visit."""

_PARAMETERS = {parameter.code: parameter for parameter in PARAMETERS}
_WORST = "worst of the window"
_MARROW, _ENROLMENT = "marrow_hemophagocytosis", "known_immunosuppression"

_OURS = frozenset(("AVISITN", "ADT", "ADY", "AVAL", "AVALC", "BASE", "CHG"))
"""Columns that no source writes into: a negative number there is one."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Where a site recorded a result: the SDTM domain, and --SEQ where the export has it."""

    domain: str
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class IntercurrentEvent:
    """Rescue, death, doses not given; without a day it marks the visit that the change goes to."""

    term: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """What the scores of a subject do not say: reference start, first dose, the site's zone, events, records.

    `records` are by the reference of the result.
    """

    reference_start: date | None = None
    first_dose: date | None = None
    zone: tzinfo = UTC
    events: tuple[IntercurrentEvent, ...] = ()
    records: Mapping[str, SourceRecord] = field(default_factory=dict)


def adhs_rows(
    subjects: Iterable[SubjectScores],
    *,
    rules: ScoreRules | None = None,
    backgrounds: Mapping[str, Background] | None = None,
    study: str = "",
    labels: Sequence[str] = (),
) -> Iterator[Row]:
    """The rows of all subjects, in their order; without `rules` there is no baseline and no analysis flag."""
    known = backgrounds or {}
    nothing = dict.fromkeys((column.name for column in COLUMNS), "")
    constant = {**nothing, "STUDYID": study, "SECLABEL": ", ".join(labels)}
    for one in subjects:
        maker = _Rows(one, known.get(one.subject, Background()), rules)
        for row in maker.rows():
            yield {**constant, **row}


def adhs_csv(rows: Iterable[Mapping[str, str]]) -> str:
    """The rows as CSV after RFC 4180: CRLF, quotes doubled, to be written as UTF-8 without a byte order mark.

    A text of a source that a spreadsheet would run as a formula gets an apostrophe in front (`guarded`).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = [column.name for column in COLUMNS]
    writer.writerow(names)
    for row in rows:
        writer.writerow([row[name] if name in _OURS else guarded(row[name]) for name in names])
    return out.getvalue()


_FORMULA = tuple(
    "=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def guarded(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def count_guarded(rows: Iterable[Mapping[str, str]]) -> int:
    """How many cells `adhs_csv` changes, so that nothing is changed in silence."""
    return sum(guarded(text) != text for row in rows for name, text in row.items() if name not in _OURS)


@dataclass(frozen=True, slots=True)
class _Value:
    """What a parameter says at a visit."""

    low: int | None
    high: int | None
    cells: Mapping[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> int | None:
        """The number, when it is one."""
        return self.low if self.low == self.high else None


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one subject."""

    scores: SubjectScores
    background: Background
    rules: ScoreRules | None

    def rows(self) -> Iterator[Row]:
        """Visit by visit in the trial's order, the parameters in theirs."""
        change = self.scores.change
        base = self.scores.at(self.rules.change_from) if self.rules else None
        before = self._values(base) if base else {}
        for one in self.scores.windows:
            mine = change if change is not None and change.second == one.window else None
            yield from self._visit(one.window, one, {**self._values(one), **_change_values(mine)}, before)
        if change is not None and self.scores.at(change.second) is None and change.full is None:
            yield from self._visit(change.second, None, _change_values(change), before)

    def _visit(
        self, name: str, one: WindowScore | None, values: Mapping[str, _Value], before: Mapping[str, _Value]
    ) -> Iterator[Row]:
        day = self._day_of_score(one.score) if one else None
        visit = {
            "USUBJID": self.scores.subject,
            "AVISIT": name,
            "AVISITN": self._number(name),
            "DCUTDTC": (one.as_of if one else None) or "",
            **self._events(name, day),
        }
        for code, value in values.items():
            parameter = _PARAMETERS[code]
            yield {
                **visit,
                "PARAM": parameter.words,
                "PARAMCD": code,
                "PARCAT1": parameter.category,
                **self._dated(day),
                **_aval(value),
                **self._against(name, value, before.get(code)),
                **self._flags(name, parameter.category),
                **value.cells,
            }

    def _values(self, one: WindowScore) -> dict[str, _Value]:
        """Everything that a score says, by parameter."""
        score, marrow = one.score, one.score.item(_MARROW)
        found: dict[str, _Value] = {}
        _add(found, ("HSCORE", "HSLOW", "HSHIGH"), score.low, score.high, _criterion(score))
        without = (score.low - marrow.low, score.high - marrow.high)
        _add(found, ("HSNM", "HSNMLOW", "HSNMHIGH"), *without)
        for item in ITEMS:
            scored, code = score.item(item), ITEM_CODES[item]
            _add(found, (code, f"{code}L", f"{code}H"), scored.low, scored.high, self._evidence(scored))
        for name, low, high in one.sensitivity:
            if name == _WORST:
                _add(found, ("HSWOV", "HSWOVLO", "HSWOVHI"), low, high)
        return found

    def _evidence(self, item: ItemScore) -> Row:
        """Date, state and sources of an item; they stand on its bounds too."""
        used = [one.result for one in item.evidence if one.used]
        records = {self.background.records.get(one.reference) for one in used}
        record = records.pop() if len(used) == 1 else None
        references = dict.fromkeys(one.reference for one in used if one.reference)
        return {
            **self._dated(self._last_day(used)),
            "ITEMSTAT": item.state,
            "SRCDOM": record.domain if record else "",
            "SRCSEQ": record.sequence if record else "",
            "SRCREF": "; ".join(references),
        }

    def _day_of_score(self, score: HScore) -> date | None:
        items = [item for item in score.items if item.item != _ENROLMENT]
        used = [one.result for item in items for one in item.evidence if one.used and not one.result.not_done]
        return self._last_day([one for one in used if one.name in LINEAGES]) or self._last_day(used)

    def _last_day(self, results: Iterable[Result]) -> date | None:
        days = [self._day(one.effective) for one in results if one.effective]
        return max((day for day in days if day is not None), default=None)

    def _day(self, moment: Moment) -> date | None:
        return local_day(moment, self.background.zone)

    def _dated(self, day: date | None) -> Row:
        start = self.background.reference_start
        known = day is not None and start is not None
        return {
            "ADT": day.isoformat() if day else "",
            "ADY": str(study_day(day, start)) if known and day and start else "",
        }

    def _number(self, name: str) -> str:
        names = [window.name for window in self.rules.windows] if self.rules else []
        return str(names.index(name) + 1) if name in names else ""

    def _after_baseline(self, name: str) -> bool:
        own, base = self._number(name), self._number(self.rules.change_from) if self.rules else ""
        return bool(own and base) and int(own) > int(base)

    def _against(self, name: str, value: _Value, before: _Value | None) -> Row:
        """BASE and CHG: a difference only of exact values, and only after the baseline."""
        base = before.exact if before else None
        if base is None:
            return {}
        is_bound = "DTYPE" in value.cells
        change = value.exact - base if value.exact is not None and not is_bound and self._after_baseline(name) else None
        return {"BASE": str(base), "CHG": "" if change is None else str(change)}

    def _flags(self, name: str, category: str) -> Row:
        if self.rules is None:
            return {}
        compared = name in (self.rules.change_from, self.rules.change_to) and category != "SENSITIVITY"
        return {"ABLFL": "Y" if name == self.rules.change_from else "", "ANL01FL": "Y" if compared else ""}

    def _events(self, name: str, day: date | None) -> Row:
        at = day or self._planned(name)
        happened = [event.term for event in self.background.events if self._had_happened(event, name, at)]
        return {"ICEFL": "Y", "ICETERM": "; ".join(dict.fromkeys(happened))} if happened else {}

    def _planned(self, name: str) -> date | None:
        """The planned day of a visit at which nothing was measured."""
        window = next((one for one in self.rules.windows if one.name == name), None) if self.rules else None
        first = self.background.first_dose
        return calendar_day(window.target, first) if window and first else None

    def _had_happened(self, event: IntercurrentEvent, name: str, day: date | None) -> bool:
        if event.day is not None and day is not None:
            return event.day <= day
        change_to = self._number(self.rules.change_to) if self.rules else ""
        own = self._number(name)
        return bool(own and change_to) and int(own) >= int(change_to)


def _add(
    found: dict[str, _Value], codes: tuple[str, str, str], low: int, high: int, cells: Mapping[str, str] | None = None
) -> None:
    """A value and its two bounds; what is said of the total as a criterion stands on the total alone."""
    said = dict(cells or {})
    exact, least, most = codes
    found[exact] = _Value(low, high, said)
    of_bounds = {name: text for name, text in said.items() if not name.startswith("CRIT1")}
    open_ = low != high
    found[least] = _Value(low, low, {**of_bounds, "DTYPE": "BC" if open_ else ""})
    found[most] = _Value(high, high, {**of_bounds, "DTYPE": "WC" if open_ else ""})


def _aval(value: _Value) -> Row:
    if value.low is None or value.high is None:
        return {}
    if value.exact is not None:
        return {"AVAL": str(value.exact), "AVALC": str(value.exact)}
    # Not `1-12`, which a spreadsheet reads as a date.
    return {"AVALC": f"{value.low} to {value.high}"}


def _criterion(score: HScore) -> Row:
    flag = {"met": "Y", "not met": "N", "undetermined": ""}[score.status]
    return {"CRIT1": f"HScore >= {score.cutoff}", "CRIT1FL": flag}


def _change_values(change: Change | None) -> dict[str, _Value]:
    """The change as ruled: in full, without marrow, on common items; its direction also when there is no value."""
    if change is None:
        return {}
    readings = (
        ("HSCHGLO", "HSCHGHI", change.full),
        ("HSNMCLO", "HSNMCHI", change.without_marrow),
        ("HSCOMLO", "HSCOMHI", change.common),
    )
    found: dict[str, _Value] = {}
    for least, most, bounds in readings:
        _add_bounds(found, least, most, bounds)
    found["HSDIR"] = _Value(None, None, {"AVALC": change.direction})
    return found


def _add_bounds(found: dict[str, _Value], least: str, most: str, bounds: Bounds | None) -> None:
    low, high = (bounds.low, bounds.high) if bounds else (None, None)
    open_ = low != high
    found[least] = _Value(low, low, {"DTYPE": "BC" if open_ else ""})
    found[most] = _Value(high, high, {"DTYPE": "WC" if open_ else ""})
