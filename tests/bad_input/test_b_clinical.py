"""Group B of the bad-input list: values, units and texts of a laboratory, read without a store by `score --input`."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.scores import Finding, Measurement, hscore
from fhir_adapter.scores.hscore_table import BANDS
from fhir_adapter.terminology import analytes
from fhir_adapter.trial import Interval
from tests.stories.commands import Person, Run

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
CODES = {
    "ferritin": "2276-4",
    "triglycerides": "14927-8",
    "fibrinogen": "3255-7",
    "ast": "1920-8",
    "hemoglobin": "718-7",
    "leukocytes": "6690-2",
    "platelets": "777-3",
    "temperature": "8310-5",
}
DOCUMENTED = {0, 2, 3, 4, 5}
Resource = dict[str, Any]
Points = tuple[int, int]


def result(test: str, subject: str = "Patient/p1", **more: Any) -> Resource:
    """A final result without a value."""
    return {
        "resourceType": "Observation",
        "id": f"{test}-1",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": CODES[test]}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2016-03-01T08:10:00+08:00",
        **more,
    }


def measured(test: str, value: str, unit: str, comparator: str | None = None, **more: Any) -> Resource:
    """A result in a UCUM unit."""
    quantity = {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit}
    return result(test, valueQuantity=quantity | ({"comparator": comparator} if comparator else {}), **more)


def labelled(test: str, value: str, unit: str) -> Resource:
    """A result whose unit is only a text."""
    return result(test, valueQuantity={"value": Decimal(value), "unit": unit})


AST = measured("ast", "186", "U/L")
ANEMIA = measured("hemoglobin", "80", "g/L")


def lines(*resources: Resource | str) -> str:
    """NDJSON; a text goes in as it is."""
    return "".join((one if isinstance(one, str) else fhirjson.dumps(one).decode()) + "\n" for one in resources)


def score_text(person: Person, text: str | bytes, name: str = "results.ndjson", **variables: str) -> Run:
    """Score a file with this text."""
    path = person.home / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return person.runs("score", "--input", path, "--window", "all", "--format", "json", **variables)


def score(person: Person, *resources: Resource | str) -> Run:
    """Score a file of these results."""
    return score_text(person, lines(*resources))


def item(run: Run, name: str) -> dict[str, Any]:
    """An item of the only score."""
    (scored,) = run.report["scores"]
    (found,) = (one for one in scored["items"] if one["item"] == name)
    return dict(found)


def points(run: Run, name: str) -> Points:
    """The bounds of an item of the only score."""
    found = item(run, name)
    return found["low"], found["high"]


def flags(run: Run, name: str) -> list[str]:
    """What is said about the values of an item."""
    return [flag for one in item(run, name)["evidence"] for flag in one["flags"]]


def codes(run: Run) -> list[str]:
    """The codes of all issues of the run, in the JSON."""
    return [issue["code"] for issue in run.report["issues"]]


def of_person(one: Resource, number: int) -> Resource:
    """The result, of this person; as every result of a server it has an id of its own."""
    return one | {"subject": {"reference": f"Patient/p{number:02}"}, "id": f"{one.get('id', 'r')}-{number:02}"}


def each(*results: Resource) -> list[Resource]:
    """The results of as many people, in their order."""
    return [of_person(one, number) for number, one in enumerate(results)]


def items(run: Run, name: str) -> list[dict[str, Any]]:
    """An item of every score, in the order of the people."""
    scores = sorted(run.report["scores"], key=lambda scored: str(scored["subject"]))
    return [one for scored in scores for one in scored["items"] if one["item"] == name]


def all_points(run: Run, name: str) -> list[Points]:
    """The bounds of an item of every score."""
    return [(one["low"], one["high"]) for one in items(run, name)]


def all_flags(run: Run, name: str) -> list[list[str]]:
    """What is said about the values of an item, person by person."""
    return [[flag for one in found["evidence"] for flag in one["flags"]] for found in items(run, name)]


def refused(person: Person, *results: Resource) -> list[str]:
    """Why each of these results is refused, when none of them counts and another result goes on."""
    run = score(person, *each(*results), measured("triglycerides", "3", "mmol/L", subject="Patient/good"))
    assert run.exit_code == 3
    assert "a bug" not in run.err
    known = [one["item"] for scored in run.report["scores"] for one in scored["items"] if one["state"] == "measured"]
    assert known == ["triglycerides"]
    return codes(run)


COUNT = (ANEMIA, measured("leukocytes", "7", "10*9/L"))


def counts(*platelets: Resource) -> list[Resource]:
    """Blood counts that differ in the platelets only: 24 points when they are low, else none."""
    return [of_person(part, number) for number, platelet in enumerate(platelets) for part in (*COUNT, platelet)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([("1999.83", "ng/mL"), ("1999.83", "ug/L"), ("4494", "pmol/L")], 0),
        ([("2000", "ng/mL"), ("2000", "ug/L"), ("2", "mg/L")], 35),
        ([("2000.275", "ng/mL"), ("2000.275", "ug/L"), ("4495", "pmol/L")], 35),
        ([("5999.935", "ng/mL"), ("5999.935", "ug/L"), ("13483", "pmol/L")], 35),
        ([("6000", "ng/mL"), ("6000.0", "ug/L"), ("6.000", "mg/L")], 35),
        ([("6000.38", "ng/mL"), ("6000.38", "ug/L"), ("13484", "pmol/L")], 50),
    ],
)
def test_b23_ferritin_at_the_edges_in_every_unit(person: Person, written: list[tuple[str, str]], expected: int) -> None:
    """One amount has one score, however its unit is written."""
    run = score(person, *each(*(measured("ferritin", value, unit) for value, unit in written)))
    assert run.exit_code == 0
    assert all_points(run, "ferritin") == [(expected, expected)] * len(written)


def test_b23_ferritin_between_the_two_factors_is_flagged(person: Person) -> None:
    """Where 0.445 and the usual 2.247 lead to different bands (4494, 13483), a person is told; elsewhere not."""
    run = score(
        person, *each(*(measured("ferritin", value, "pmol/L") for value in ("4490", "4494", "4495", "13483", "13490")))
    )
    assert [bool(found) for found in all_flags(run, "ferritin")] == [False, True, False, True, False]


def test_b23_no_factor_in_the_table_no_value(person: Person) -> None:
    """A unit that the analyte's table cannot convert is refused."""
    found = refused(
        person,
        measured("ferritin", "20", "[IU]/L"),
        measured("ast", "20", "pmol/L"),
        measured("platelets", "20", "pmol/L"),
        measured("fibrinogen", "2", "mol"),
    )
    assert found == ["unknown-unit"] * 4


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([("2.49", "g/L"), ("249", "mg/dL"), ("0.249", "g/dL")], 30),
        ([("2.50", "g/L"), ("250", "mg/dL"), ("2.5", "mg/mL")], 30),
        ([("2.51", "g/L"), ("251", "mg/dL"), ("0.251", "g/dL")], 0),
        ([("7.352", "umol/L"), ("2.49968", "g/L")], 30),
        ([("7.353", "umol/L"), ("2.50002", "g/L")], 0),
    ],
)
def test_b25_fibrinogen_at_the_edge_in_every_unit(
    person: Person, written: list[tuple[str, str]], expected: int
) -> None:
    """g/L, mg/dL and umol/L of one amount have one score."""
    run = score(person, *each(*(measured("fibrinogen", value, unit) for value, unit in written)))
    assert run.exit_code == 0
    assert all_points(run, "fibrinogen") == [(expected, expected)] * len(written)


def test_b25_a_magnitude_of_another_unit_is_refused_never_converted(person: Person) -> None:
    """250 g/L is probably mg/dL: nobody guesses."""
    written = [("250", "g/L"), ("20.1", "g/L"), ("3000", "mg/dL"), ("-1", "g/L")]
    found = refused(person, *(measured("fibrinogen", value, unit) for value, unit in written))
    assert found == ["implausible-value"] * 4


def test_b26_k_per_microlitre_is_thousand_and_flagged(person: Person) -> None:
    """K/uL counts thousands, even when it claims to be UCUM, where it would be kelvin; and that is said."""
    platelets = [written("platelets", value, "K/uL") for written in (labelled, measured) for value in ("110", "110.1")]
    run = score(person, *counts(*platelets))
    assert run.exit_code == 0
    assert all_points(run, "cytopenias") == [(24, 24), (0, 0), (24, 24), (0, 0)]
    assert [any("K/uL" in flag for flag in found) for found in all_flags(run, "cytopenias")] == [True] * 4


def test_b26_k_per_microlitre_is_an_alias_of_blood_counts_only(person: Person) -> None:
    """Elsewhere it is refused."""
    others = ("ferritin", "temperature", "ast", "fibrinogen", "hemoglobin")
    assert refused(person, *(measured(test, "38", "K/uL") for test in others)) == ["unknown-unit"] * 5


FORMS = ("10*9/L", "/nL", "10^9/L", "x10^9/L", "G/L", "10E9/L", "\u00d710\u2079/L", "10^9/l")


@pytest.mark.parametrize(("written", "unflagged"), [(measured, 2), (labelled, 0)])
def test_b27_ten_to_the_ninth_per_litre_in_all_its_forms(person: Person, written: Any, unflagged: int) -> None:
    """Every form of the list means the same, and what is not a UCUM code is flagged."""
    run = score(person, *counts(*(written("platelets", "110.00", unit) for unit in FORMS)))
    flagged = [bool(found) for found in all_flags(run, "cytopenias")]
    assert run.exit_code == 0
    assert all_points(run, "cytopenias") == [(24, 24)] * len(FORMS)
    assert flagged == [False] * unflagged + [True] * (len(FORMS) - unflagged)


def test_b27_digits_stay(person: Person) -> None:
    """110.00 is shown as 110.00."""
    run = score(person, *counts(measured("platelets", "110.00", "10^9/L")))
    assert [one["value"] for one in item(run, "cytopenias")["evidence"]] == ["80", "7", "110.00"]


def test_b27_other_forms_are_refused_with_a_hint(person: Person) -> None:
    """A form that nobody reviewed is not read; the hint names the right one."""
    forms = ("10^9", "10^8/L", "10^9/uL/L", "9/L", "10^9/dL", "GL", "10**9/L")
    run = score(person, *counts(*(labelled("platelets", "110", unit) for unit in forms)))
    assert run.exit_code == 3
    assert [(one["code"], "10*9/L" in one["message"]) for one in run.report["issues"]] == [("unknown-unit", True)] * 7
    assert all_points(run, "cytopenias") == [(0, 24)] * 7


def test_b29_a_missing_unit_is_refused(person: Person) -> None:
    """A number alone says nothing; without a site's map there is no default."""
    bare = [result(test, valueQuantity={"value": Decimal(30)}) for test in sorted(CODES)]
    assert refused(person, *bare) == ["missing-unit"] * 8


def test_b29_an_empty_unit_is_a_missing_one(person: Person) -> None:
    """Neither blanks nor UCUM's unity stand for ng/mL."""
    found = refused(person, *(labelled("ferritin", "7000", unit) for unit in ("", " ", "{}", "1")))
    assert len(found) == 4


def test_b29_a_unit_that_is_only_a_text_is_flagged(person: Person) -> None:
    """The reviewed table knows it, and says that it came as text."""
    run = score(person, labelled("ferritin", "7000", "\u03bcg/L"))
    assert (run.exit_code, points(run, "ferritin")) == (0, (50, 50))
    assert flags(run, "ferritin")


def test_b29_a_unit_that_nobody_reviewed_is_refused(person: Person) -> None:
    """Another text, a text and a code that disagree, a code of another system than UCUM's."""
    found = refused(
        person,
        labelled("ferritin", "7000", "微克每升"),
        result("ferritin", valueQuantity={"value": Decimal(7000), "unit": "mg/dL", "system": UCUM, "code": "ng/mL"}),
        result("ferritin", valueQuantity={"value": Decimal(7000), "system": "https://units.example", "code": "xx-17"}),
    )
    assert found == ["unknown-unit"] * 3


HALF_LINES: list[tuple[str, str, str, str, Points]] = [
    ("ferritin", ">", "100000", "ng/mL", (50, 50)),
    ("ferritin", ">", "40000", "ng/mL", (50, 50)),
    ("ferritin", ">", "6000", "ng/mL", (50, 50)),
    ("ferritin", ">=", "6000", "ng/mL", (35, 50)),
    ("ferritin", ">", "2000", "ng/mL", (35, 50)),
    ("ferritin", ">=", "2000", "ng/mL", (35, 50)),
    ("ferritin", ">", "1500", "ng/mL", (0, 50)),
    ("ferritin", "<", "2000", "ng/mL", (0, 0)),
    ("ferritin", "<=", "2000", "ng/mL", (0, 35)),
    ("ferritin", "<", "6000.01", "ng/mL", (0, 50)),
    ("fibrinogen", "<", "0.7", "g/L", (30, 30)),
    ("fibrinogen", ">", "2.5", "g/L", (0, 0)),
    ("fibrinogen", ">=", "2.5", "g/L", (0, 30)),
    ("fibrinogen", "<=", "2.5", "g/L", (30, 30)),
    ("triglycerides", ">", "2.89", "mmol/L", (44, 64)),
    ("triglycerides", ">", "4", "mmol/L", (64, 64)),
    ("triglycerides", "<", "1.5", "mmol/L", (0, 0)),
    ("ast", "<", "30", "U/L", (0, 0)),
    ("ast", "<=", "30", "U/L", (0, 19)),
    ("ast", ">", "30", "U/L", (19, 19)),
    ("temperature", ">", "39.4", "Cel", (49, 49)),
    ("temperature", "<", "38.4", "Cel", (0, 0)),
    ("temperature", ">", "38.4", "Cel", (33, 49)),
]


@pytest.mark.parametrize("test", ["ferritin", "fibrinogen", "triglycerides", "ast", "temperature"])
def test_b30_a_comparator_is_a_half_line(person: Person, test: str) -> None:
    """The bound is used where it decides the band; elsewhere the item stays a range. The sign is shown."""
    cases = [case for case in HALF_LINES if case[0] == test]
    run = score(person, *each(*(measured(test, value, unit, sign) for _, sign, value, unit, _ in cases)))
    shown = [(one["comparator"], one["value"]) for found in items(run, test) for one in found["evidence"]]
    assert run.exit_code == 0
    assert all_points(run, test) == [case[4] for case in cases]
    assert shown == [(case[1], case[2]) for case in cases]


def test_b30_a_comparator_of_a_lineage(person: Person) -> None:
    """Platelets "<=110" are low; ">=110" may be."""
    run = score(person, *counts(*(measured("platelets", "110", "10*9/L", sign) for sign in ("<=", "<", ">", ">="))))
    assert all_points(run, "cytopenias") == [(24, 24), (24, 24), (0, 0), (0, 24)]


def test_b30_a_comparator_that_r4_does_not_have(person: Person) -> None:
    """It is never stripped: the value is not used."""
    signs = ("ad", "~", "=", ">>", "<>")
    assert len(refused(person, *(measured("ferritin", "7000", "ng/mL", sign) for sign in signs))) == 5


def test_b30_a_half_line_decides_the_status_only_when_it_can() -> None:
    """In Python as on the command line."""
    open_end = hscore([Measurement("ferritin", "1500", "ng/mL", comparator=">")], [])
    closed = hscore([Measurement("ferritin", "100000", "ng/mL", comparator=">")], [], cutoff=50)
    assert (open_end.low, open_end.high, open_end.status) == (0, 337, "undetermined")
    assert (closed.low, closed.high, closed.status) == (50, 337, "met")


TEXTS = (
    "12,5", "阳性", "see note", "12,5 ng/mL",
    "7 000 ng/mL", "7_000 ng/mL", "1.5-2.0 ng/mL", "7000 ng/mL (H)", "", "+++",
    "NaN ng/mL", "Infinity ng/mL", "-7000 ng/mL", "1e400 ng/mL", "1e999999999 ng/mL", "> ng/mL", "0x1F40 ng/mL",
)  # fmt: skip


def test_b31_a_text_is_not_parsed_as_a_number(person: Person) -> None:
    """Nor is what only a computer takes for one; without a site's map the item is missing, and it is said why."""
    assert len(refused(person, *(result("ferritin", valueString=text) for text in TEXTS))) == len(TEXTS)


def test_b31_a_text_is_missing_not_zero(person: Person) -> None:
    """The whole range stays open."""
    run = score(person, result("ferritin", valueString="阳性"), AST)
    assert (points(run, "ferritin"), item(run, "ferritin")["state"]) == ((0, 50), "unknown")
    assert points(run, "ast") == (19, 19)


@pytest.mark.parametrize("value", ["1e999999999", "1e-999999999", "1e400"])
def test_b31_a_number_with_a_giant_exponent(person: Person, value: str) -> None:
    """It is dealt with at once, without computing a billion digits."""
    quantity = f'{{"value":{value},"unit":"ng/mL","system":"{UCUM}","code":"ng/mL"}}'
    text = json.dumps(result("ferritin", valueQuantity={})).replace("{}", quantity)
    run = score(person, text, AST)
    assert "a bug" not in run.err
    assert run.exit_code in {0, 3}
    assert points(run, "ast") == (19, 19)


def test_b33_fahrenheit_and_celsius(person: Person) -> None:
    """101.3 degrees Fahrenheit are 38.5 Cel; both are exact at the edges."""
    celsius = [("38.5", 33), ("38.39", 0), ("38.4", 33), ("39.4", 33), ("39.41", 49), ("41.2", 49)]
    fahrenheit = [("101.3", 33), ("101.1", 0), ("101.12", 33), ("102.92", 33), ("102.93", 49)]
    written = [measured("temperature", value, unit) for unit in ("Cel", "C") for value, _ in celsius]
    written += [measured("temperature", value, unit) for unit in ("[degF]", "F") for value, _ in fahrenheit]
    expected = [points for _, points in celsius * 2 + fahrenheit * 2]
    run = score(person, *each(*written))
    assert run.exit_code == 0
    assert all_points(run, "temperature") == [(one, one) for one in expected]


def test_b33_fahrenheit_near_an_edge_is_flagged(person: Person) -> None:
    """Within 0.05 Cel of 38.4 or 39.4 a person is told; 101.3 F is further away."""
    written = ("101.1", "101.2", "102.9", "102.95", "101.3")
    run = score(person, *each(*(measured("temperature", value, "[degF]") for value in written)))
    assert [bool(found) for found in all_flags(run, "temperature")] == [True, True, True, True, False]


def test_b33_a_temperature_in_the_wrong_unit_is_refused(person: Person) -> None:
    """101.3 Cel is nobody's temperature, and is not converted into one."""
    written = [("101.3", "Cel"), ("38.5", "[degF]"), ("24.9", "Cel"), ("45.1", "Cel"), ("311.6", "Cel")]
    found = refused(person, *(measured("temperature", value, unit) for value, unit in written))
    assert found == ["implausible-value"] * 5


ABSENT = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]}


@pytest.mark.parametrize(
    ("test", "most"), [("ferritin", 50), ("triglycerides", 64), ("fibrinogen", 30), ("ast", 19), ("temperature", 49)]
)
def test_b34_a_reason_instead_of_a_value_is_missing(person: Person, test: str, most: int) -> None:
    """An absent value has the item's whole range, not zero."""
    run = score(person, measured("platelets", "30", "10*9/L"), result(test, dataAbsentReason=ABSENT))
    assert item(run, test)["state"] in {"unknown", "not_done"}
    assert points(run, test) == (0, most)


def test_b34_a_quantity_without_a_number_is_missing(person: Person) -> None:
    """Not zero either; nor is a value beside a reason for its absence (FHIR obs-6) a value."""
    found = refused(
        person,
        result("ferritin", valueQuantity={"unit": "ng/mL"}),
        result("ferritin", valueQuantity={"system": UCUM, "code": "ng/mL"}),
        result("ferritin", valueQuantity={"value": None, "unit": "ng/mL"}),
        measured("ferritin", "7000", "ng/mL", dataAbsentReason={"coding": [{"code": "error"}]}),
    )
    assert len(found) == 4


def test_b34_a_measured_zero_stays_zero(person: Person) -> None:
    """Only a number is a number, but 0 is one: 0 U/L of AST are within the limits."""
    run = score(person, measured("ast", "0", "U/L"))
    assert (points(run, "ast"), item(run, "ast")["state"]) == ((0, 0), "measured")


# What is no file of results: each ends with a documented exit code, and never with a traceback.


def sound(run: Run) -> bool:
    """Whether a run ended as documented, with nothing of Python's on the screen."""
    return run.exit_code in DOCUMENTED and not [
        word for word in ("Traceback", "a bug", "RecursionError", "maximum recursion") if word in run.err + run.out
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "null",
        "[]",
        '"text"',
        "42",
        "{}",
        '{"resourceType":"Bundle","type":"collection"}',
        '{"resourceType":"Bundle","type":"collection","entry":[]}',
        '{"resourceType":"Bundle","type":"collection","entry":[{}]}',
        '{"resourceType":"Bundle","type":"collection","entry":{"resource":1}}',
        '{"resourceType":"Patient","id":"p1"}',
        '{"resourceType":"Observation"}',
        '{"resourceType":"Observation","id":7,"status":[],"code":"x","subject":3}',
        '{"resourceType":"Banana"}',
        '{"resourceType":["Observation"]}',
        '{"resourceType":"Observation"',
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 5_000,
        '{"resourceType":"Observation","id":"\\ud800"}',
        "<html><body>Please log in</body></html>",
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_b_what_is_no_file_of_results(person: Person, text: str) -> None:
    """Nothing to score: said in words."""
    run = score_text(person, text)
    assert sound(run)
    assert run.exit_code == 2 or run.report["scores"] == []


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe{\x00}\x00", b"\xff\xff\xff", "{}".encode("utf-16"), b"\x00" * 100, b"\x1f\x8b\x08\x00"],
    ids=["utf-16 le", "no utf-8", "utf-16", "nulls", "gzip"],
)
def test_b_bytes_that_are_no_utf8(person: Person, data: bytes) -> None:
    """Another encoding is refused, not guessed."""
    run = score_text(person, data)
    assert sound(run)
    assert run.exit_code != 0


def test_b_a_byte_order_mark_is_accepted(person: Person) -> None:
    """Windows writes it."""
    run = score_text(person, b"\xef\xbb\xbf" + lines(AST).encode())
    assert (run.exit_code, points(run, "ast")) == (0, (19, 19))


@pytest.mark.parametrize("name", ["results.json", "results.txt", "results", "results.NDJSON"])
def test_b_the_name_of_the_file_decides_nothing(person: Person, name: str) -> None:
    """Content tells what it is."""
    run = score_text(person, lines(AST, ANEMIA), name)
    assert (run.exit_code, points(run, "ast")) == (0, (19, 19))


BAD_LINES = (
    '{"resourceType": "Observation", "valueQuantity": {"value": NaN}}',
    '{"resourceType": "Observation", "valueQuantity": {"value": Infinity}}',
    '{"resourceType": "Observation", "valueQuantity": {"value": 1e400',
    "{",
    "not json",
    '{"a":' * 50_000,
    '{"resourceType":"Observation","id":"' + "x" * 100_000 + '"}',
    '{"resourceType":"Observasion","status":"final"}',
    '{"resourceType":"Observation","resourceType":"Patient"}',
    "\x00",
    '{"resourceType":"Observation","status":"final","id":"ok","valueQuantity":{"value":"7000"}}',
    "[]",
    "7",
)


def test_b_bad_lines_are_set_aside_and_the_others_count(person: Person) -> None:
    """One issue for each line, the other lines are scored."""
    run = score(person, ANEMIA, *BAD_LINES, AST)
    assert sound(run)
    assert run.exit_code == 3
    assert len(run.report["issues"]) == len(BAD_LINES)
    assert points(run, "ast") == (19, 19)


def test_b_a_bad_line_is_named_by_its_number(person: Person) -> None:
    """So that a person finds it."""
    run = score(person, ANEMIA, '{"value": NaN}', AST)
    assert (run.report["issues"][0]["where"]["file"], run.report["issues"][0]["where"]["line"]) == ("results.ndjson", 2)


CHANGES: tuple[Resource, ...] = (
    {"status": "entered-in-error"},
    {"status": "preliminary"},
    {"status": "banana"},
    {"status": None},
    {"status": ["final"]},
    {"code": None},
    {"code": {}},
    {"code": {"text": "Ferritin"}},
    {"code": {"coding": [{"code": "2276-4"}]}},
    {"code": {"coding": [{"system": "https://lab.example", "code": "2276-4"}]}},
    {"code": {"coding": [{"system": LOINC, "code": "86914-9"}]}},
    {"code": {"coding": [{"system": LOINC, "code": "2276-4"}, {"system": LOINC, "code": "1920-8"}]}},
    {"code": {"coding": "2276-4"}},
    {"code": [1, 2]},
    {"valueQuantity": None},
    {"valueQuantity": 7000},
    {"valueQuantity": {"value": "7000", "unit": "ng/mL"}},
    {"valueQuantity": {"value": True, "unit": "ng/mL"}},
    {"valueQuantity": {"value": [7000], "unit": "ng/mL"}},
    {"valueQuantity": {"value": Decimal(7000), "unit": {"ng": "mL"}}},
    {"valueString": "7001 ng/mL"},
    {"modifierExtension": [{"url": "https://lab.example/negated", "valueBoolean": True}]},
)


def test_b_a_result_that_may_not_count_does_not(person: Person) -> None:
    """Withdrawn, unknown, contradictory or of another type: said each time, no traceback, and no points."""
    changed = [measured("ferritin", "7000", "ng/mL") | change for change in CHANGES]
    present = [{key: value for key, value in one.items() if value is not None} for one in changed]
    run = score(person, *each(*present), measured("ast", "186", "U/L", subject="Patient/good"))
    counted = {one["subject"] for one in run.report["scores"] if one["low"]}
    assert sound(run)
    assert counted == {"Patient/good"}
    assert len(codes(run)) == len(CHANGES)


def test_b_a_cancelled_result_is_not_done(person: Person) -> None:
    """It gives no value, and says that there is none."""
    run = score(person, measured("ferritin", "7000", "ng/mL", status="cancelled"), AST)
    assert (points(run, "ferritin"), item(run, "ferritin")["state"]) == ((0, 50), "not_done")


def test_b_two_subjects_are_scored_apart(person: Person) -> None:
    """Each by its own results, in the order of the file or of their names; nothing is mixed."""
    run = score(person, AST, measured("ferritin", "7000", "ng/mL", subject="Patient/p2"))
    bounds = {one["subject"]: (one["low"], one["high"]) for one in run.report["scores"]}
    assert run.exit_code == 0
    assert bounds == {"Patient/p1": (19, 337), "Patient/p2": (50, 337)}


def test_b_an_id_that_is_too_long(person: Person) -> None:
    """65 characters are no id in FHIR: set aside, and an endless one does not flood the screen."""
    named = [measured("ferritin", "7000", "ng/mL", id="x" * length) for length in (65, 100_000)]
    run = score(person, *named, AST)
    assert len(run.err + run.out) < 20_000
    assert (run.exit_code, points(run, "ferritin")) == (3, (0, 50))


def test_b_two_results_with_one_id_do_not_vanish(person: Person) -> None:
    """A file put together from two servers: either both count, or it is said that one does not."""
    both = [
        measured("ferritin", value, "ng/mL", subject=f"https://{value}.example/fhir/Patient/1")
        for value in ("410", "7000")
    ]
    run = score(person, *both)
    assert len(run.report["scores"]) == 2 or codes(run) != []


def test_b_a_result_of_nobody_is_nobodys(person: Person) -> None:
    """Without a subject it is set aside, and joined to no one."""
    nobody = {key: value for key, value in measured("ferritin", "7000", "ng/mL").items() if key != "subject"}
    run = score(person, nobody, AST)
    assert (run.exit_code, codes(run)) == (3, ["no-subject"])
    assert points(run, "ferritin") == (0, 50)


def test_b_a_window_is_not_guessed(person: Person) -> None:
    """Without a trial nobody knows what baseline is."""
    path = person.home / "results.ndjson"
    path.write_text(lines(AST), encoding="utf-8")
    run = person.runs("score", "--input", path, "--window", "baseline", "--format", "json")
    assert (run.exit_code, run.out) == (2, "")


@pytest.mark.parametrize("path", ["nowhere.ndjson", "."])
def test_b_an_input_that_is_no_file(person: Person, path: str) -> None:
    """A missing file and a folder: exit 2, and the name."""
    run = person.runs("score", "--input", path, "--format", "json")
    assert (run.exit_code, run.out) == (2, "")
    assert "a bug" not in run.err


def test_b42_missing_items_make_a_range(person: Person) -> None:
    """Nothing but ferritin: 50 to 337, and never as if it were complete."""
    run = score(person, measured("ferritin", "7000", "ng/mL"))
    (scored,) = run.report["scores"]
    assert (scored["low"], scored["high"], scored["status"], scored["complete"]) == (50, 337, "undetermined", False)


def test_b42_a_range_is_shown_as_a_range(person: Person, tmp_path: Path) -> None:
    """On the screen too: both ends."""
    path = tmp_path / "results.ndjson"
    path.write_text(lines(measured("ferritin", "7000", "ng/mL")), encoding="utf-8")
    run = person.runs("score", "--input", path, NO_COLOR="1")
    assert run.exit_code == 0
    assert "50-337" in run.out


def test_b42_nothing_known_is_everything_possible() -> None:
    """No measurement, no finding: 0 to 337, undetermined."""
    nothing = hscore([], [])
    assert (nothing.low, nothing.high, nothing.status) == (0, 337, "undetermined")


def test_b43_unknown_immunosuppression_is_not_no() -> None:
    """No statement, and a statement of not knowing, leave 18 points open; only "no" closes them."""
    item_name = "known_immunosuppression"
    unsaid, unknown, no = (
        hscore([], findings) for findings in ([], [Finding(item_name, None)], [Finding(item_name, False)])
    )
    assert (unsaid.high, unknown.high, no.high) == (337, 337, 319)


def in_twelfths(value: Fraction) -> str:
    """A number with twelve decimals, exactly."""
    return f"{Decimal(int(value * 10**12)).scaleb(-12):f}"


def edges(test: str) -> list[Fraction]:
    """Where the published table changes, and one unit in the twelfth decimal to either side."""
    ends = {end for band in BANDS[test] for end in (band.values.low, band.values.high) if end is not None}
    return [edge + Fraction(step, 10**12) for edge in sorted(ends) for step in (-1, 0, 1)]


@pytest.mark.parametrize("test", [*BANDS])
def test_b41_exactly_at_an_edge_and_beside_it(person: Person, test: str) -> None:
    """The points are those of the band of the table in which the number lies; no binary float moves it across."""
    unit = analytes()[test].unit
    run = score(person, *each(*(measured(test, in_twelfths(value), unit) for value in edges(test))))
    bands = [[band.points for band in BANDS[test] if band.values.contains(Interval.of(one))] for one in edges(test)]
    assert all_points(run, test) == [(band[0], band[-1]) for band in bands]
    assert {len(band) for band in bands} == {1}


def test_b41_the_edge_of_a_lineage(person: Person) -> None:
    """110 and less is low, and 110.000000000001 is not."""
    values = [in_twelfths(Fraction(110) + Fraction(step, 10**12)) for step in (-1, 0, 1)]
    run = score(person, *counts(*(measured("platelets", value, "10*9/L") for value in values)))
    assert all_points(run, "cytopenias") == [(24, 24), (24, 24), (0, 0)]


def evidence(run: Run, name: str) -> dict[str, tuple[bool, str]]:
    """What became of each result of an item of the only score."""
    return {one["reference"].rpartition("/")[2]: (one["used"], one["why"]) for one in item(run, name)["evidence"]}


SPECIMEN = {"reference": "Specimen/s1"}


def of_specimen(name: str, value: str, issued: str, specimen: Resource, comparator: str | None = None) -> Resource:
    """A ferritin of a specimen."""
    one = measured("ferritin", value, "ng/mL", comparator, specimen=specimen, issued=f"2016-03-01T{issued}:00+08:00")
    return one | {"id": name}


def test_b35_of_one_specimen_the_latest_issued_counts(person: Person) -> None:
    """In whatever order they come; the other is recorded with the reason."""
    first, second = (
        of_specimen(name, value, at, SPECIMEN) for name, value, at in (("a", "7000", "09:00"), ("b", "1000", "11:00"))
    )
    runs = [score(person, *order) for order in ((first, second), (second, first))]
    assert [points(run, "ferritin") for run in runs] == [(0, 0), (0, 0)]
    assert evidence(runs[0], "ferritin")["a"] == (
        False,
        "the same specimen: the result issued later counts (Observation/b)",
    )
    assert evidence(runs[0], "ferritin")["b"][0]


def test_b35_a_diluted_number_stands_for_the_capped_one(person: Person) -> None:
    """Of one specimen, and inside its half-line: even when it was issued earlier."""
    capped, number = of_specimen("a", "1500", "11:00", SPECIMEN, ">"), of_specimen("b", "3000", "09:00", SPECIMEN)
    run = score(person, capped, number)
    assert points(run, "ferritin") == (35, 35)
    assert "diluted" in evidence(run, "ferritin")["a"][1]


def test_b35_a_capped_one_beside_a_number_of_another_specimen(person: Person) -> None:
    """>1500 beside 3000 is 35 to 50, and both are recorded."""
    other = of_specimen("b", "3000", "09:00", {"reference": "Specimen/s2"})
    run = score(person, of_specimen("a", "1500", "11:00", SPECIMEN, ">"), other)
    assert (points(run, "ferritin"), [used for used, _ in evidence(run, "ferritin").values()]) == ((35, 50), [True] * 2)


def test_b38_a_result_sent_twice_under_two_ids_counts_once(person: Person) -> None:
    """The same value of the same time: one of them is passed over, and named."""
    run = score(person, *(measured("ferritin", "7000", "ng/mL") | {"id": name} for name in ("a", "b")))
    assert points(run, "ferritin") == (50, 50)
    assert sorted(used for used, _ in evidence(run, "ferritin").values()) == [False, True]
    assert any("the same result again" in why for _, why in evidence(run, "ferritin").values())


def test_b39_top_component_and_panel_are_found(person: Person) -> None:
    """A value on top, one in a component, a member outside its panel."""
    component = {key: measured("ferritin", "7000", "ng/mL")[key] for key in ("code", "valueQuantity")}
    panel = measured("ast", "186", "U/L", component=[component], hasMember=[{"reference": "Observation/fibrinogen-1"}])
    run = score(person, panel, measured("fibrinogen", "2.0", "g/L"))
    assert [points(run, name) for name in ("ast", "ferritin", "fibrinogen")] == [(19, 19), (50, 50), (30, 30)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\uff1e40000 ng/mL", (50, 50)),
        ("≥6000 ug/L", (35, 50)),
        ("\uff1c\uff11\uff15\uff10\uff10μg/L", (0, 0)),
        ("> ٤٠٠٠٠ ng/mL", (50, 50)),
    ],
)
def test_b30_a_comparator_in_a_text_of_any_script(person: Person, text: str, expected: Points) -> None:
    """Wide signs and digits of any script mean the same, and the sign is never stripped."""
    assert points(score(person, result("ferritin", valueString=text)), "ferritin") == expected


def test_b30_a_comparator_in_a_text_with_its_unit(person: Person) -> None:
    """<0.5 g/L of fibrinogen is low for certain."""
    run = score(person, result("fibrinogen", valueString="<0.5 g/L"))
    assert (points(run, "fibrinogen"), item(run, "fibrinogen")["evidence"][0]["comparator"]) == ((30, 30), "<")


def test_b25_a_haemoglobin_that_may_be_in_another_unit_counts_and_is_flagged(person: Person) -> None:
    """10.1 g/L is possible, and more often means g/dL: neither refused nor converted."""
    values = ("9.9", "10", "10.1", "25", "25.1", "80")
    run = score(person, *each(*(measured("hemoglobin", value, "g/L") for value in values)))
    doubted = [
        [flag for flag in found if flag.startswith("is the unit right?")] for found in all_flags(run, "cytopenias")
    ]
    assert codes(run) == ["implausible-value"]
    assert doubted == [[], *[["is the unit right? between 10 and 25 g/L, possibly g/dL"]] * 3, [], []]
