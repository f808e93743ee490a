"""The score: bounds of many rows beside hand-written loops over the same bands, and a file of Observations.

Everything is made up, the same in every run.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from benchmarks.timing import Figure, compare
from fhir_adapter import fhirjson
from fhir_adapter.intake import resources_in
from fhir_adapter.jobs.score_observations import score_observations, scoring_of
from fhir_adapter.scores.batch import Value, hscore_bounds
from fhir_adapter.trial import Interval

ROWS = 10_000
OBSERVATIONS = 10_000
PATIENTS = 200
SEED = 6

Number = Fraction | Decimal
_Row = Mapping[str, Number | bool]
_RANGES = {  # lowest and highest value, digits behind the point, UCUM unit, LOINC code
    "temperature": (36, 41, 1, "Cel", "8310-5"),
    "ferritin": (10, 90_000, 0, "ng/mL", "2276-4"),
    "triglycerides": (1, 8, 2, "mmol/L", "14927-8"),
    "fibrinogen": (1, 6, 2, "g/L", "3255-7"),
    "ast": (5, 900, 0, "U/L", "1920-8"),
    "hemoglobin": (6, 15, 1, "g/dL", "718-7"),
    "leukocytes": (1, 12, 2, "10*9/L", "6690-2"),
    "platelets": (10, 400, 0, "10*9/L", "777-3"),
}
_FINDINGS = ("known_immunosuppression", "hepatomegaly", "splenomegaly", "marrow_hemophagocytosis")


def measure_scores() -> Iterator[Figure]:
    """Rows of normalised values; a file of several patients, mixed."""
    chance = random.Random(SEED)
    decimals = [_row(chance) for _ in range(ROWS)]
    yield from _bounds(decimals)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "made-up.ndjson"
        path.write_bytes(b"".join(_observation(chance, number) for number in range(OBSERVATIONS)))
        yield from _file(path)


def _bounds(decimals: Sequence[_Row]) -> Iterator[Figure]:
    fractions = [{name: _fraction(value) for name, value in row.items()} for row in decimals]
    intervals = [{name: _interval(value) for name, value in row.items()} for row in fractions]
    by_hand = {kind: ByHand(kind) for kind in (Fraction, Decimal)}
    expected = [(points, points) for points in by_hand[Fraction].score(fractions)]
    assert hscore_bounds(intervals) == expected, "the anchor gives other points"
    yield compare(
        "bounds of rows of intervals, exact",
        "rows",
        ROWS,
        lambda: hscore_bounds(intervals),
        lambda: by_hand[Fraction].score(fractions),
        "a hand-written loop over the same bands and Fractions, complete values, no bounds",
    )
    yield compare(
        "bounds of rows of intervals, exact",
        "rows",
        ROWS,
        lambda: hscore_bounds(intervals),
        lambda: by_hand[Decimal].score(decimals),
        "the same loop over Decimals, no bounds",
    )
    half = [_half_known(row, number) for number, row in enumerate(intervals)]
    yield compare(
        "bounds of rows, a third missing, a third half-lines",
        "rows",
        ROWS,
        lambda: hscore_bounds(half),
        lambda: by_hand[Fraction].score(fractions),
        "the hand-written loop over Fractions, complete values, no bounds",
    )


def _file(path: Path) -> Iterator[Figure]:
    def in_pieces() -> int:
        with scoring_of(path) as scoring:
            return sum(map(len, scoring.chunks()))

    def at_once() -> int:
        read = resources_in(path)
        return len(fhirjson.dumps(score_observations(read.resources, None, read.issues).to_dict()))

    def bare() -> None:
        with path.open("rb") as lines:
            for line in lines:
                fhirjson.loads(line)

    assert in_pieces() == at_once(), "in pieces it says something else"
    what = f"score --input, {PATIENTS} patients mixed, laid aside and scored one by one"
    yield compare(what, "Observations", OBSERVATIONS, in_pieces, at_once, "everything in memory at once")
    yield compare(what, "Observations", OBSERVATIONS, in_pieces, bare, "a bare loop that reads the lines")


class ByHand:
    """The score of complete values as a script would compute it, edges made once in the type of the values."""

    def __init__(self, kind: type[Fraction | Decimal]) -> None:
        self.edges = tuple(kind(text) for text in ("38.4", "39.4", "9.2", "1.5", "2.5"))

    def score(self, rows: Iterable[Mapping[str, Number | bool]]) -> list[int]:  # noqa: C901, PLR0912 - as scripts are
        """The points of each row."""
        fever, high_fever, anaemia, raised, low_fibrinogen = self.edges
        found = []
        for row in rows:
            points = 18 if row["known_immunosuppression"] else 0
            temperature, ferritin, triglycerides = row["temperature"], row["ferritin"], row["triglycerides"]
            if temperature > high_fever:
                points += 49
            elif temperature >= fever:
                points += 33
            organs = bool(row["hepatomegaly"]) + bool(row["splenomegaly"])
            if organs == 2:
                points += 38
            elif organs == 1:
                points += 23
            lineages = (row["hemoglobin"] <= anaemia) + (row["leukocytes"] <= 5) + (row["platelets"] <= 110)
            if lineages == 3:
                points += 34
            elif lineages == 2:
                points += 24
            if ferritin > 6000:
                points += 50
            elif ferritin >= 2000:
                points += 35
            if triglycerides > 4:
                points += 64
            elif triglycerides >= raised:
                points += 44
            if row["fibrinogen"] <= low_fibrinogen:
                points += 30
            if row["ast"] >= 30:
                points += 19
            if row["marrow_hemophagocytosis"]:
                points += 35
            found.append(points)
        return found


def _row(chance: random.Random) -> _Row:
    findings = {name: chance.random() < 0.4 for name in _FINDINGS}
    return {**{name: _value(chance, name) for name in _RANGES}, **findings}


def _value(chance: random.Random, name: str) -> Decimal:
    low, high, digits, *_ = _RANGES[name]
    return Decimal(chance.randint(low * 10**digits, high * 10**digits)).scaleb(-digits)


def _fraction(value: Number | bool) -> Fraction | bool:
    return value if isinstance(value, bool) else Fraction(value)


def _interval(value: Fraction | bool) -> Value:
    return value if isinstance(value, bool) else Interval.of(value)


def _half_known(row: Mapping[str, Value], number: int) -> Mapping[str, Value]:
    """The row with a third of its values missing and a third of them known to one side only."""
    known = {name: value for place, (name, value) in enumerate(row.items(), number) if place % 3}
    return {
        name: Interval(value.low, None) if isinstance(value, Interval) and place % 2 else value
        for place, (name, value) in enumerate(known.items())
    }


def _observation(chance: random.Random, number: int) -> bytes:
    name = chance.choice(list(_RANGES))
    *_, unit, code = _RANGES[name]
    resource = {
        "resourceType": "Observation",
        "id": f"made-up-{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/made-up-{chance.randrange(PATIENTS)}"},
        "effectiveDateTime": f"2024-01-{chance.randint(1, 28):02}T06:{chance.randrange(60):02}:00+08:00",
        "valueQuantity": {
            "value": _value(chance, name),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }
    return fhirjson.dumps(resource) + b"\n"
