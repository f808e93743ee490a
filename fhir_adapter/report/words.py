"""The words of the page: what it may say of a score, and how values, times and places read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction

from fhir_adapter.report.page import Page, SubjectPage
from fhir_adapter.scores import ITEMS, MAXIMUM, Bounds, Change, HScore, State, WindowScore
from fhir_adapter.scores.change import direction_of
from fhir_adapter.scores.explain import CAUTION, TESTS, TITLES, against_cutoff, points, signed
from fhir_adapter.trial import Moment, Pick, Result, ScoreWindow

__all__ = ["CAUTION", "MAXIMUM", "TITLES", "against_cutoff", "points", "signed"]

MISSING_NOTE = "The items whose value could change the result; not a recommendation to test."
MADE_UP = "HTEST"
MADE_UP_WORDS = "Made-up data. Nobody described on this page exists."

STATES: dict[State, tuple[str, str]] = {
    "measured": ("●", "measured"),
    "partial": ("◐", "partial"),
    "not_done": ("○", "not done"),
    "unknown": ("?", "unknown"),
    "conflicting": ("≠", "conflicting"),
}
"""The state of an item as a mark that needs no colour, and in words."""

LEGEND = (
    ("●", "measured"),
    ("◐", "partial: some of its parts are known"),
    ("○", "not done: recorded as not examined"),
    ("?", "unknown: nothing was recorded"),
    ("≠", "conflicting: results contradict each other"),
)

_BILLIONS, _THOUSANDS = "\N{MULTIPLICATION SIGN}10⁹/L", "\N{MULTIPLICATION SIGN}10³/µL"
UNITS = {
    **dict.fromkeys(("Cel", "C"), "°C"),  # no electric charge on this page: wards write C
    **dict.fromkeys(("[degF]", "F"), "°F"),
    **dict.fromkeys(("10*9/L", "10^9/L", "10E9/L"), _BILLIONS),
    **dict.fromkeys(("10*3/uL", "10^3/uL", "10E3/uL"), _THOUSANDS),
    "ug/L": "µg/L",
}
"""Unit codes as people write them; every other unit is shown as received."""

SOURCES = {"hospital": "hospital", "typed": "typed by the site"}

DIRECTIONS = {
    "improved": "lower",
    "unchanged": "unchanged",
    "worsened": "higher",
    "undetermined": "direction undetermined",
}
"""Which way a score went; whether that is a response is not for this page to say."""
DIED = "not improved (died)"
NO_VALUE = "no change value"


def item_name(name: str) -> str:
    """An analyte, a finding or an item as people call it."""
    return TESTS.get(name, name.replace("_", " "))


def title(name: str) -> str:
    """The item at the head of a row."""
    words = item_name(name)
    return words[:1].upper() + words[1:]


def window_name(name: str) -> str:
    """A visit as people call it: `month-1` is month 1."""
    return name.replace("-", " ")


def unit(code: str) -> str:
    """The unit as people write it."""
    return UNITS.get(code, code)


def value(result: Result) -> str:
    """What the result says: present or absent, or the value as received with its comparator and unit."""
    if result.not_done:
        return "not done"
    if result.present is not None:
        return _ANSWERS.get(result.name, ("present", "absent"))[0 if result.present else 1]
    return f"{result.comparator or ''}{result.value} {unit(result.unit)}".strip()


_ANSWERS = {
    "known_immunosuppression": ("yes", "no"),
    "hepatomegaly": ("enlarged", "not enlarged"),
    "splenomegaly": ("enlarged", "not enlarged"),
    "hepatosplenomegaly": ("enlarged", "not both enlarged"),
}


def source(result: Result) -> str:
    """Who says it, and by which method or at which site."""
    said = [SOURCES[result.source], *(word for word in (result.method, result.body_site) if word)]
    return ", ".join(said)


def when(moment: Moment | None, subject: SubjectPage) -> str:
    """Date and time at the site, with the study day; a partial date stays as it was recorded."""
    if moment is None:
        return "undated"
    local, day = subject.local(moment), subject.day_of(moment)
    text = local.strftime("%Y-%m-%d %H:%M") if local else moment.recorded
    number = subject.study_day(day)
    return f"{text} (D{number})" if number is not None else text


def statement(one: WindowScore, page: Page) -> str:
    """The sentence on one score: its range, what is open in it, and the data that it rests on."""
    marrow = one.score.item("marrow_hemophagocytosis")
    head = f"HScore {points(one.score.low, one.score.high)} of {MAXIMUM}, {window_name(one.window)}"
    said = [f"{head}: {against_cutoff(one.score)}."]
    if not marrow.known:
        said.append(f"Marrow {_MARROW.get(marrow.state, 'not decided')} ({marrow.low} or {marrow.high}).")
    said.append(f"Values: {rule_of(one.window, page)}.")
    return " ".join(said)


_MARROW = {"not_done": "not examined", "unknown": "not known", "conflicting": "contradictory"}


def rule_of(name: str, page: Page) -> str:
    """Which blood values count at a visit, by the trial's own rule."""
    window = next((one for one in page.rules.windows if one.name == name), None)
    if window is None:
        return "every result"
    days = f"D{window.blood.first_day} to D{window.blood.last_day}"
    if window.before_first_dose and window.blood.choice == "last":
        return f"last before injection 1, {days}"
    if window.blood.choice == "nearest":
        return f"nearest D{window.target} within {days}"
    return f"{window.blood.choice} of {days}"


def temperature_rule(window: ScoreWindow) -> str:
    """Which temperature counts at a visit."""
    if window.temperature_days is None:
        return pick(window.temperature)
    return f"highest of the {window.temperature_days} days that end on the day of the blood count"


def pick(one: Pick) -> str:
    """Which result counts, in words."""
    return f"{_PICKS[one.choice]} of D{one.first_day} to D{one.last_day}"


_PICKS = {"first": "first", "last": "latest", "nearest": "nearest to the planned day", "worst": "worst"}


def celsius(number: Fraction | None) -> str:
    """A temperature to the tenth of a degree, as charts have them; blank where there is none."""
    return "" if number is None else f"{float(number):.1f}"


def milligrams(amount: Decimal | None) -> str:
    """A daily dose without exponent and idle zeros; blank where there is none."""
    return "" if amount is None else f"{amount.normalize():f}"


def data_mark(page: Page) -> str:
    """The data cut, and whether everything that was asked for arrived."""
    complete = "complete" if page.complete else "incomplete"
    return f"Data as of {page.data_as_of}, {complete}." if page.data_as_of else "No pull yet: typed values only."


Open = tuple[str, str]
"""An item that is not known, and the points that it may add (blank when that cannot be said)."""


def open_items(score: HScore) -> list[Open]:
    """The items whose points are not one number, with what they may add."""
    return [open_item(score, name) for name in score.undecided]


def open_item(score: HScore | None, name: str) -> Open:
    """One item, or part of one, with what it may add."""
    if score is None or name not in ITEMS:
        return item_name(name), ""
    return item_name(name), points(score.item(name).low, score.item(name).high)


def direction(change: Change, bounds: Bounds | None) -> str:
    """The direction of one reading of the change, in words."""
    if change.direction == DIED:
        return DIED
    return NO_VALUE if bounds is None else DIRECTIONS[direction_of(bounds)]


def difference(bounds: Bounds | None) -> str:
    """A change with its sign, or the range of it; blank where there is none."""
    return "" if bounds is None else signed(bounds.low, bounds.high)


Reading = Callable[[Change], Bounds | None]


def primary(change: Change) -> Bounds | None:
    """The primary change: the marrow left out at both visits."""
    return change.without_marrow


def full(change: Change) -> Bounds | None:
    """The change of all nine items."""
    return change.full


def tally(subjects: Iterable[SubjectPage], reading: Reading) -> str:
    """How many subjects of those treated went which way: `lower in 4 of 6, ...`."""
    found = [_outcome(one, reading) for one in subjects if one.treated]
    order = (*DIRECTIONS, DIED, NO_VALUE)
    counted = [(name, found.count(name)) for name in order]
    said = [f"{DIRECTIONS.get(name, name)} in {k} of {len(found)}" for name, k in counted if k or name == "improved"]
    sentence = ", ".join(said) if found else "nobody was treated"
    return sentence[:1].upper() + sentence[1:]


def _outcome(subject: SubjectPage, reading: Reading) -> str:
    change = subject.scores.change
    if change is None:
        return NO_VALUE
    bounds = reading(change)
    if change.direction == DIED:
        return DIED
    return NO_VALUE if bounds is None else direction_of(bounds)
