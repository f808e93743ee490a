"""Which HScores do the seed trial's files give? Worked out a second time, without the program.

Points: Fardet 2014, table 3. Which value counts: what the trial states beforehand, repeated below. Standard library
only, and nothing of fhir_adapter, so that a mistake of the program is not repeated here.

    python -m tests.seed_trial.recompute [--json]
"""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

TRIAL = Path(__file__).parents[2] / "mappings" / "trials" / "nct02569463"
SITE = ZoneInfo("Asia/Shanghai")

Range = tuple[int, int]
Choice = Literal["first", "last", "nearest"]
Items = dict[str, Range]

# --- the paper's table -----------------------------------------------------------------------------------------------

BANDS: dict[str, Callable[[Fraction], int]] = {
    "temperature": lambda cel: 0 if cel < Fraction("38.4") else 33 if cel <= Fraction("39.4") else 49,
    "ferritin": lambda ng_ml: 0 if ng_ml < 2000 else 35 if ng_ml <= 6000 else 50,
    "triglycerides": lambda mmol_l: 0 if mmol_l < Fraction("1.5") else 44 if mmol_l <= 4 else 64,
    "fibrinogen": lambda g_l: 30 if g_l <= Fraction("2.5") else 0,
    "ast": lambda u_l: 19 if u_l >= 30 else 0,
    # A lineage is low (1) or not (0); the number of low lineages has the points.
    "hemoglobin": lambda g_dl: int(g_dl <= Fraction("9.2")),
    "leukocytes": lambda giga_l: int(giga_l <= 5),
    "platelets": lambda giga_l: int(giga_l <= 110),
}
LOW_LINEAGES = (0, 0, 24, 34)
LARGE_ORGANS = (0, 23, 38)
IMMUNOSUPPRESSION = 18
MARROW = 35

BLOOD_COUNT = ("hemoglobin", "leukocytes", "platelets")
CHEMISTRY = ("ferritin", "triglycerides", "fibrinogen", "ast")
UNKNOWN = {"temperature": (0, 49), "ferritin": (0, 50), "triglycerides": (0, 64), "fibrinogen": (0, 30), "ast": (0, 19)}

# --- what the files call a test, and how far its unit is from the table's ---------------------------------------------

LOINC = {
    "ferritin": "2276-4 20567-4 14723-1",
    "triglycerides": "2571-8 14927-8 30524-3",
    "fibrinogen": "3255-7 48664-7",
    "ast": "1920-8 30239-8 88112-8",
    "hemoglobin": "718-7",
    "leukocytes": "6690-2 26464-8 804-5",
    "platelets": "777-3 26515-7",
}
TEST_OF_LOINC = {code: test for test, codes in LOINC.items() for code in codes.split()}
TEST_OF_TYPED = {
    "FERR": "ferritin",
    "TRIG": "triglycerides",
    "FIBRINO": "fibrinogen",
    "AST": "ast",
    "HGB": "hemoglobin",
    "WBC": "leukocytes",
    "PLAT": "platelets",
}
FACTORS = {
    ("temperature", "C"): Fraction(1),
    ("ferritin", "ng/mL"): Fraction(1),
    ("ferritin", "ug/L"): Fraction(1),
    ("ferritin", "pmol/L"): Fraction("0.445"),  # 445 kDa
    ("ferritin", ""): Fraction(1),  # this laboratory writes capped ferritins as text, in ng/mL
    ("triglycerides", "mmol/L"): Fraction(1),
    ("triglycerides", "mg/dL"): 1 / Fraction("88.57"),
    ("fibrinogen", "g/L"): Fraction(1),
    ("fibrinogen", "mg/dL"): Fraction(1, 100),
    ("ast", "U/L"): Fraction(1),
    ("ast", "IU/L"): Fraction(1),
    ("hemoglobin", "g/dL"): Fraction(1),
    ("hemoglobin", "g/L"): Fraction(1, 10),
    ("leukocytes", "10^9/L"): Fraction(1),
    ("platelets", "10^9/L"): Fraction(1),
    ("platelets", "10^3/uL"): Fraction(1),
}
ORGAN_ANSWERS = {"肿大": True, "未及": False, "未见肿大": False}
MARROW_ANSWERS = {"见噬血现象": True, "未见噬血现象": False}
YES_NO = {"是": True, "否": False}

# --- which value counts ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """Study days, both ends included, and which of the values in them counts."""

    first: int
    last: int
    choice: Choice


@dataclass(frozen=True)
class Window:
    """The rule of one scored time."""

    target: int
    blood: Period
    organs: Period
    marrow: Period
    before_dose: bool = False


BEFORE_DOSE = True
WINDOWS = {
    "screening": Window(-7, Period(-7, -1, "first"), Period(-7, -1, "first"), Period(-7, -1, "first"), BEFORE_DOSE),
    "baseline": Window(1, Period(-3, 1, "last"), Period(-7, 1, "last"), Period(-14, 1, "last"), BEFORE_DOSE),
    "week-1": Window(8, Period(2, 11, "nearest"), Period(2, 11, "last"), Period(2, 11, "last")),
    "week-2": Window(15, Period(12, 18, "nearest"), Period(12, 18, "last"), Period(12, 18, "last")),
    "week-3": Window(22, Period(19, 25, "nearest"), Period(19, 25, "last"), Period(19, 25, "last")),
    "month-1": Window(29, Period(26, 33, "nearest"), Period(22, 33, "last"), Period(26, 33, "last")),
}
TEMPERATURE_DAYS = 3


@dataclass(frozen=True)
class Subject:
    """Somebody who had at least one injection."""

    name: str
    hospital_number: str
    first_dose: datetime
    died: datetime | None
    immunosuppressed: bool | None

    def day(self, time: datetime) -> int:
        """Study day on the site's calendar: day 1 is the first dose, the day before it is day -1."""
        days = (time.astimezone(SITE).date() - self.first_dose.date()).days
        return days + 1 if days >= 0 else days


@dataclass(frozen=True)
class Value:
    """A number in the unit of the paper's table, perhaps only a bound of it."""

    subject: str
    test: str
    taken: datetime
    number: Fraction
    comparator: str
    specimen: str
    issued: datetime

    def range(self) -> Range:
        """Points of the least and of the most that the number can be."""
        tiny, huge = Fraction(1, 10**9), Fraction(10**9)
        least, most = {
            "": (self.number, self.number),
            ">": (self.number + tiny, huge),
            ">=": (self.number, huge),
            "<": (Fraction(0), self.number - tiny),
            "<=": (Fraction(0), self.number),
        }[self.comparator]
        points = BANDS[self.test]
        low, high = sorted((points(least), points(most)))
        return low, high


@dataclass(frozen=True)
class Finding:
    """Something seen or not seen at an examination."""

    subject: str
    what: str
    taken: datetime
    present: bool


@dataclass(frozen=True)
class Score:
    """The HScore of one subject at one time, item by item."""

    subject: str
    window: str
    items: Items

    @property
    def total(self) -> Range:
        """Lowest and highest total."""
        return add(self.items.values())


@dataclass(frozen=True)
class Change:
    """Month 1 against baseline; no values where the subject died before."""

    subject: str
    direction: str
    full: Range | None = None
    without_marrow: Range | None = None
    common: Range | None = None
    common_items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recomputation:
    """All that the files give."""

    scores: list[Score]
    changes: list[Change]
    doses_given: int
    doses_not_done: int


def recompute(trial: Path = TRIAL) -> Recomputation:
    """Read the trial's files, score every subject at every window, and compare month 1 with baseline."""
    subjects = list(read_subjects(trial))
    values, findings = read_values(trial, subjects), list(read_findings(trial))
    scores = [
        Score(subject.name, name, score(subject, window, values, findings))
        for subject in subjects
        for name, window in WINDOWS.items()
        if alive(subject, window)
    ]
    by_time = {(each.subject, each.window): each for each in scores}
    changes = [
        change(subject.name, by_time[subject.name, "baseline"], by_time.get((subject.name, "month-1")))
        for subject in subjects
    ]
    given = [row["ECOCCUR"] for row in rows(trial, "ec")]
    return Recomputation(scores, changes, given.count("Y"), given.count("N"))


def alive(subject: Subject, window: Window) -> bool:
    """Whether the subject lived to the day that the window is about."""
    return subject.died is None or subject.day(subject.died) >= window.target


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(subject: Subject, window: Window, values: Iterable[Value], findings: Iterable[Finding]) -> Items:
    """Points of the nine items, as least and most."""
    own = [value for value in values if value.subject == subject.name and usable(subject, window, value.taken)]
    seen = [each for each in findings if each.subject == subject.name and usable(subject, window, each.taken)]
    blood_counts = [value for value in own if value.test in BLOOD_COUNT]
    count_taken = choose(subject, window, window.blood, {value.taken for value in blood_counts})
    return {
        "known_immunosuppression": weigh(subject.immunosuppressed, IMMUNOSUPPRESSION),
        "temperature": temperature(count_taken, own),
        "organomegaly": organomegaly(subject, window, seen),
        "cytopenias": cytopenias([value for value in blood_counts if value.taken == count_taken]),
        **{test: chemistry(subject, window, test, own) for test in CHEMISTRY},
        "marrow_hemophagocytosis": weigh(answer(subject, window, window.marrow, seen, "HEMOPHAG"), MARROW),
    }


def usable(subject: Subject, window: Window, taken: datetime) -> bool:
    """Nothing taken after injection 1 counts before it."""
    return not window.before_dose or taken < subject.first_dose


def choose(subject: Subject, window: Window, period: Period, times: Iterable[datetime]) -> datetime | None:
    """The one time that counts; of two equally near, the earlier."""
    inside = sorted(time for time in times if period.first <= subject.day(time) <= period.last)
    if not inside:
        return None
    if period.choice == "nearest":
        return min(inside, key=lambda time: abs(subject.day(time) - window.target))
    return inside[0 if period.choice == "first" else -1]


def temperature(count_taken: datetime | None, own: Iterable[Value]) -> Range:
    """Highest reading of the three calendar days that end on the day of the blood count."""
    if count_taken is None:
        return UNKNOWN["temperature"]
    last = count_taken.astimezone(SITE).date()
    readings = [
        value
        for value in own
        if value.test == "temperature" and 0 <= (last - value.taken.astimezone(SITE).date()).days < TEMPERATURE_DAYS
    ]
    return max(readings, key=lambda value: value.number).range() if readings else UNKNOWN["temperature"]


def organomegaly(subject: Subject, window: Window, seen: list[Finding]) -> Range:
    """Liver and spleen, each from its own latest (at screening: first) examination."""
    organs = [weigh(answer(subject, window, window.organs, seen, organ), 1) for organ in ("LIVER", "SPLEEN")]
    low, high = add(organs)
    return LARGE_ORGANS[low], LARGE_ORGANS[high]


def cytopenias(count: list[Value]) -> Range:
    """Low lineages of one blood count; a lineage that was not counted may be low or not."""
    low, high = add(agreed([value for value in count if value.test == lineage], (0, 1)) for lineage in BLOOD_COUNT)
    return LOW_LINEAGES[low], LOW_LINEAGES[high]


def chemistry(subject: Subject, window: Window, test: str, own: list[Value]) -> Range:
    """Points of one test at the time that counts for it."""
    of_test = [value for value in own if value.test == test]
    taken = choose(subject, window, window.blood, {value.taken for value in of_test})
    return agreed([value for value in of_test if value.taken == taken], UNKNOWN[test])


def agreed(values: list[Value], unknown: Range) -> Range:
    """Same specimen: the latest issued. Several specimens of one time: from the least to the most."""
    latest = {value.specimen: value for value in sorted(values, key=lambda value: value.issued)}
    ranges = [value.range() for value in latest.values()]
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else unknown


def answer(subject: Subject, window: Window, period: Period, seen: list[Finding], what: str) -> bool | None:
    """What the examination that counts said; none is not the same as absent."""
    of_kind = {finding.taken: finding.present for finding in seen if finding.what == what}
    taken = choose(subject, window, period, of_kind)
    return None if taken is None else of_kind[taken]


def weigh(present: bool | None, points: int) -> Range:
    """Points of a yes or no, or the range where nobody knows."""
    return (0, points) if present is None else (points * present, points * present)


def add(ranges: Iterable[Range]) -> Range:
    """The sum of ranges."""
    together = list(ranges)
    return sum(low for low, _ in together), sum(high for _, high in together)


# --- change ----------------------------------------------------------------------------------------------------------


def change(subject: str, before: Score, after: Score | None) -> Change:
    """Month 1 minus baseline; what was known before the episode cancels."""
    if after is None:
        return Change(subject, "not improved (died)")
    # The status before the episode is the same one at both times, even where nobody knows it.
    differences = {item: minus(after.items[item], before.items[item]) for item in after.items}
    differences["known_immunosuppression"] = (0, 0)
    known = tuple(item for item in after.items if certain(before.items[item]) and certain(after.items[item]))
    full = add(differences.values())
    return Change(
        subject,
        direction(full),
        full,
        add(difference for item, difference in differences.items() if item != "marrow_hemophagocytosis"),
        add(differences[item] for item in known),
        known,
    )


def minus(after: Range, before: Range) -> Range:
    """The difference of two ranges."""
    return after[0] - before[1], after[1] - before[0]


def certain(points: Range) -> bool:
    """Whether a range is one number."""
    return points[0] == points[1]


def direction(difference: Range) -> str:
    """A fall is an improvement; a range that spans 0 says nothing."""
    low, high = difference
    if high < 0:
        return "improved"
    if low > 0:
        return "worsened"
    return "unchanged" if low == high else "undetermined"


# --- reading ---------------------------------------------------------------------------------------------------------


def rows(trial: Path, domain: str) -> Iterator[dict[str, str]]:
    """Rows of one CSV, below its comment."""
    with (trial / "data" / f"{domain}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def local(text: str) -> datetime:
    """A time of the site; a date alone is its first minute, so that on day 1 it lies before the dose."""
    return datetime.fromisoformat(text).replace(tzinfo=SITE)


def read_subjects(trial: Path) -> Iterator[Subject]:
    """Everybody with an injection; the screen failure has none."""
    immunosuppressed = {row["USUBJID"]: YES_NO[row["IMORRES"]] for row in rows(trial, "im")}
    for row in rows(trial, "dm"):
        if row["RFXSTDTC"]:
            died = local(row["DTHDTC"]) if row["DTHDTC"] else None
            name = row["USUBJID"]
            yield Subject(name, row["HOSPID"], local(row["RFXSTDTC"]), died, immunosuppressed.get(name))


def read_findings(trial: Path) -> Iterator[Finding]:
    """Examinations that were done: liver, spleen, marrow."""
    for domain, prefix, answers in (("pe", "PE", ORGAN_ANSWERS), ("mi", "MI", MARROW_ANSWERS)):
        for row in rows(trial, domain):
            if row[f"{prefix}STAT"] != "NOT DONE":
                present = answers[row[f"{prefix}ORRES"]]
                yield Finding(row["USUBJID"], row[f"{prefix}TESTCD"], local(row[f"{prefix}DTC"]), present)


def read_values(trial: Path, subjects: Iterable[Subject]) -> list[Value]:
    """Ward temperatures, the hospital's results, and those typed results that are not a copy of one of them."""
    hospital = list(read_hospital(trial, subjects))
    published = {(value.subject, value.test, value.taken) for value in hospital}
    typed = [v for v in read_typed(trial) if (v.subject, v.test, v.taken) not in published]
    return hospital + typed + list(read_temperatures(trial))


def read_typed(trial: Path) -> Iterator[Value]:
    """Results that the site typed."""
    for row in rows(trial, "lb"):
        test = TEST_OF_TYPED.get(row["LBTESTCD"])
        if test and row["LBSTAT"] != "NOT DONE":
            yield read_value(row["USUBJID"], test, local(row["LBDTC"]), row["LBORRES"], row["LBORRESU"])


def read_temperatures(trial: Path) -> Iterator[Value]:
    """Ward charts."""
    for row in rows(trial, "vs"):
        if row["VSTESTCD"] == "TEMP":
            yield read_value(row["USUBJID"], "temperature", local(row["VSDTC"]), row["VSORRES"], row["VSORRESU"])


def read_hospital(trial: Path, subjects: Iterable[Subject]) -> Iterator[Value]:
    """Results of the trial's own patients as they stand after the later publication."""
    of_number = {subject.hospital_number: subject.name for subject in subjects}
    of_patient = {
        f"Patient/{patient['id']}": of_number.get(patient["identifier"][0]["value"])
        for patient in resources(trial, "patients")
    }
    observations = [*resources(trial, "results"), *resources(trial, "later")]
    for each in {observation["id"]: observation for observation in observations}.values():
        subject, test = of_patient[each["subject"]["reference"]], TEST_OF_LOINC.get(each["code"]["coding"][0]["code"])
        text, unit = written(each)
        if subject and test and each["status"] in {"final", "amended", "corrected"} and re.search(r"\d", text):
            taken, issued = (datetime.fromisoformat(each[key]) for key in ("effectiveDateTime", "issued"))
            yield read_value(subject, test, taken, text, unit, each["specimen"]["identifier"]["value"], issued)


def resources(trial: Path, name: str) -> Iterator[dict[str, Any]]:
    """FHIR resources of one NDJSON file."""
    with (trial / "hospital" / f"{name}.ndjson").open(encoding="utf-8") as file:
        yield from (json.loads(line, parse_float=Decimal) for line in file)


def written(observation: dict[str, Any]) -> tuple[str, str]:
    """Number with its comparator, and unit, as the laboratory wrote them."""
    quantity = observation.get("valueQuantity")
    if quantity is None:
        return observation.get("valueString", ""), ""
    return f"{quantity.get('comparator', '')}{quantity['value']}", quantity["unit"]


def read_value(
    subject: str, test: str, taken: datetime, text: str, unit: str, specimen: str = "", issued: datetime | None = None
) -> Value:
    """A number such as `>40000` in the unit of the paper's table."""
    parts = re.fullmatch(r"([<>]=?)?\s*([0-9.]+)", text.replace("＞", ">").replace("＜", "<"))  # noqa: RUF001
    if parts is None:
        raise ValueError(f"{subject}: {test} {text!r} is not a number")
    number = Fraction(parts[2]) * FACTORS[test, unit]
    return Value(subject, test, taken, number, parts[1] or "", specimen, issued or taken)


# --- telling ---------------------------------------------------------------------------------------------------------


def as_json(found: Recomputation) -> dict[str, Any]:
    """The keys of `fhir-adapter score`, as far as they are computed here."""
    return {
        "scores": [score_as_json(each) for each in found.scores],
        "changes": [change_as_json(each) for each in found.changes],
        "doses": {"given": found.doses_given, "not_done": found.doses_not_done},
    }


def score_as_json(found: Score) -> dict[str, Any]:
    """One entry of `scores`."""
    items = [{"item": item, **bounds(points)} for item, points in found.items.items()]
    return {"subject": found.subject, "window": found.window, **bounds(found.total), "items": items}


def change_as_json(found: Change) -> dict[str, Any]:
    """One entry of `changes`; null where there is no value."""
    return {
        "subject": found.subject,
        **(bounds(found.full) if found.full else {"low": None, "high": None}),
        "direction": found.direction,
        "without_marrow": found.without_marrow and bounds(found.without_marrow),
        "common_items": found.common and {**bounds(found.common), "items": list(found.common_items)},
    }


def bounds(points: Range) -> dict[str, int]:
    """A range under the names of the interface."""
    return {"low": points[0], "high": points[1]}


def as_table(found: Recomputation) -> str:
    """One line for each score and each change."""
    scores = (f"{each.subject}  {each.window:<10} {shown(each.total)}" for each in found.scores)
    changes = (
        f"{each.subject}  change {shown(each.full)}, without marrow {shown(each.without_marrow)}, "
        f"on {len(each.common_items)} common items {shown(each.common)}: {each.direction}"
        for each in found.changes
    )
    return "\n".join([*scores, *changes, f"doses: {found.doses_given} given, {found.doses_not_done} not done"])


def shown(points: Range | None) -> str:
    """A range as people write it."""
    if points is None:
        return "none"
    return str(points[0]) if certain(points) else f"{points[0]}..{points[1]}"


if __name__ == "__main__":
    result = recompute()
    told = json.dumps(as_json(result), indent=2) if "--json" in sys.argv[1:] else as_table(result)
    sys.stdout.write(f"{told}\n")
