"""Group C of the bad-input list: what becomes of dates, times and texts as people and systems write them."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import Person

ESC = "\x1b"
OVERRIDE = "\u202e"
NAMES = [
    "发热伴皮疹",
    unicodedata.normalize("NFD", "Fièvre élevée"),
    "חום גבוה",
    "Fever \U0001f469\u200d\u2695\ufe0f",
    "Déjà vu" * 28 + "1234",
    "O'Brien's \u2018rash\u2019",
]


def observation(effective: str) -> str:
    """A result at a moment."""
    return json.dumps(
        {"resourceType": "Observation", "status": "final", "code": {"text": "ferritin"}, "effectiveDateTime": effective}
    )


def moments(sandbox: httpx2.Client, query: str) -> list[str]:
    """The moments of the results that a search finds."""
    return sorted(entry["resource"]["effectiveDateTime"] for entry in sandbox.get(query).json().get("entry", []))


@pytest.fixture
def told_names(river: SmallTrial) -> SmallTrial:
    """The made-up trial with six adverse events in the words of many people."""
    for number, name in enumerate(NAMES, start=11):
        river.add("events.csv", f"001,{number},{name},N,RESOLVED,2024-01-12,")
    return river


def test_c50_partial_dates_stay_partial(river: SmallTrial) -> None:
    """A month stays a month and a year a year; no day is invented."""
    told = river.push()
    births = {subject: patient["birthDate"] for subject, patient in told.of("Patient").items()}
    starts = {number: event["date"] for number, event in told.of("AdverseEvent").items()}
    assert told.run.exit_code == 0
    assert births == {"001": "1990-02", "002": "1985", "003": "1979-11-30"}
    assert starts == {"001/1": "2024-01-12", "002/1": "2024-01", "003/1": "2024"}


def test_c51_days_and_hours_that_do_not_exist(river: SmallTrial) -> None:
    """29 February 2023 and 24:00:00 set their rows aside; the others go on."""
    river.replace("results.csv", "92,g/L,1,2024-01-10T08:10", "92,g/L,1,2023-02-29T08:10")
    river.replace("results.csv", "310,ug/L,1,2024-01-11T09:00", "310,ug/L,1,2024-01-11T24:00:00")
    told = river.push()
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("results.csv", 4), ("results.csv", 5)]
    assert len(told.of("Observation")) == 3


@pytest.mark.parametrize("effective", ["2023-02-29", "2024-01-10T24:00:00Z", "2024-01-10T08:10:00", "2024-13-01"])
def test_c51_fhir_input_that_is_no_moment(sandbox: httpx2.Client, effective: str) -> None:
    """In FHIR a day that does not exist, 24:00:00, and a time without an offset are refused."""
    answer = sandbox.post("Observation", content=observation(effective))
    assert answer.status_code in {400, 422}
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_c51_a_leap_second_is_a_moment(sandbox: httpx2.Client) -> None:
    """Second 60 is accepted, kept, and found between second 59 and the next minute."""
    for effective in ("2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:01Z"):
        assert sandbox.post("Observation", content=observation(effective)).status_code == 201
    after = moments(sandbox, "Observation?date=gt2016-12-31T23:59:59Z")
    before = moments(sandbox, "Observation?date=lt2017-01-01T00:00:01Z")
    assert after == ["2016-12-31T23:59:60Z", "2017-01-01T00:00:01Z"]
    assert before == ["2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z"]


def test_c51_a_leap_second_in_an_export(river: SmallTrial) -> None:
    """Second 60 of an export is kept."""
    river.replace("results.csv", "92,g/L,1,2024-01-10T08:10", "92,g/L,1,2016-12-31T18:59:60")
    told = river.push()
    result = told.of("Observation")["001/HGB/1/2016-12-31T18:59:60"]
    assert told.run.exit_code == 0
    assert result["effectiveDateTime"] == "2016-12-31T18:59:60+08:00"


def test_c53_digits_of_an_instant_are_kept(river: SmallTrial) -> None:
    """Nanoseconds of an export survive to the last digit."""
    river.replace("results.csv", "92,g/L,1,2024-01-10T08:10", "92,g/L,1,2024-01-10T08:10:00.123456789")
    told = river.push()
    result = told.of("Observation")["001/HGB/1/2024-01-10T08:10:00.123456789"]
    assert told.run.exit_code == 0
    assert result["effectiveDateTime"] == "2024-01-10T08:10:00.123456789+08:00"


def test_c53_instants_below_a_microsecond_are_ordered(sandbox: httpx2.Client) -> None:
    """Two moments that differ by a nanosecond are told apart by a search, and keep their text."""
    earlier, later = "2024-01-10T08:10:00.123456788Z", "2024-01-10T08:10:00.123456789Z"
    for effective in (later, earlier):
        assert sandbox.post("Observation", content=observation(effective)).status_code == 201
    assert moments(sandbox, f"Observation?date=gt{earlier}") == [later]
    assert moments(sandbox, f"Observation?date=lt{later}") == [earlier]


def test_c54_a_local_time_gets_the_zone_of_its_site(river: SmallTrial) -> None:
    """08:10 at the site in Shanghai is +08:00, 10:30 in New York in winter -05:00; the recorded text stays."""
    results = river.push().of("Observation")
    shanghai, new_york = results["001/HGB/1/2024-01-10T08:10"], results["003/FERR/1/2024-02-05T10:30"]
    assert shanghai["effectiveDateTime"] == "2024-01-10T08:10:00+08:00"
    assert new_york["effectiveDateTime"] == "2024-02-05T10:30:00-05:00"
    assert shanghai["_effectiveDateTime"]["extension"][0]["valueString"] == "2024-01-10T08:10"


def test_c54_a_local_time_at_a_site_without_zone(river: SmallTrial) -> None:
    """Without a zone nobody knows when it was: the row is set aside, and the site is named."""
    river.replace("subjects.csv", "003,0201,02", "003,0201,03")
    told = river.push()
    (issue,) = told.run.set_aside
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("results.csv", 6)]
    assert "zone" in issue["message"]


def test_c54_a_date_at_a_site_without_zone(river: SmallTrial) -> None:
    """A date needs no zone."""
    river.replace("subjects.csv", "003,0201,02", "003,0201,03")
    river.replace("results.csv", "2024-02-05T10:30", "2024-02-05")
    assert river.push().run.exit_code == 0


@pytest.mark.parametrize(
    "taken", ["2024-11-03T01:30", "2024-03-10T02:30"], ids=["the hour that comes twice", "the hour that never comes"]
)
def test_c54_the_hours_when_clocks_are_changed(river: SmallTrial, taken: str) -> None:
    """An hour that comes twice or never at the site is an Issue with its row; nothing is guessed."""
    river.replace("results.csv", "2024-02-05T10:30", taken)
    told = river.push()
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("results.csv", 6)]
    assert len(told.of("Observation")) == 4


def test_c57_words_of_many_people_are_stored_intact(told_names: SmallTrial) -> None:
    """Chinese, combining accents, right to left, emoji, 200 characters, apostrophes: to the last code point."""
    told = told_names.push()
    events = told.of("AdverseEvent")
    assert told.run.exit_code == 0
    assert [events[f"001/{number}"]["event"]["text"] for number in range(11, 17)] == NAMES


def test_c57_words_of_people_are_in_no_log(told_names: SmallTrial) -> None:
    """However much is logged, what was recorded about a subject is not in it."""
    with told_names.pushing() as pushing:
        run = pushing.push("-v", "-v")
    assert run.exit_code == 0
    assert [name for name in NAMES if name in run.err or name in run.out] == []


def test_c57_accents_are_compared_in_one_form(river: SmallTrial) -> None:
    """A subject whose number is written with a combined and with a composed accent is one subject."""
    river.add("subjects.csv", unicodedata.normalize("NFD", "É04,0401,01,F,1991-05,2024-01-08"))
    river.add("visits.csv", unicodedata.normalize("NFC", "É04,1,Screening,2024-01-10,2024-01-10"))
    told = river.push()
    assert (told.run.exit_code, told.run.set_aside) == (0, [])
    assert len(told.of("Encounter")) == 5


def test_c57_another_form_of_the_same_key_is_the_same_record(river: SmallTrial) -> None:
    """The next export writes the same number in the other form: nothing is created twice, nothing is withdrawn."""
    composed, combined = (unicodedata.normalize(form, "É04,0401,01,F,1991-05,2024-01-08") for form in ("NFC", "NFD"))
    river.add("subjects.csv", composed)
    with river.pushing() as pushing:
        first = pushing.push()
        river.replace("subjects.csv", composed, combined)
        second = pushing.push()
    assert second.report["plan"]["create"] == 0
    assert second.report["plan"]["withdrawn"] == 0
    assert sum(second.report["plan"].values()) == first.report["plan"]["create"]


def test_c58_control_characters_cannot_paint_or_forge_a_line(river: SmallTrial) -> None:
    """An escape sequence and a line break in an unknown unit are shown written out, on the line of their row."""
    river.replace("results.csv", "310,ug/L", f'310,"ug{ESC}[31m\nforged line"')
    run = river.push("-v", "-v").run
    shown = [line for line in run.err.splitlines() if "forged" in line]
    assert run.exit_code == 3
    assert ESC not in run.out + run.err
    assert [line.strip().partition(": ")[0] for line in shown] == ["results.csv:5"]


@pytest.mark.parametrize("cell", [f"Fever{ESC}[2J", "Fever\x07", "Fever\x00"], ids=["escape", "bell", "null"])
def test_c58_control_characters_in_any_field(river: SmallTrial, cell: str) -> None:
    """A control character in a text that is mapped reaches neither the terminal nor, unnoticed, the server."""
    river.replace("events.csv", "Fever", cell)
    told = river.push("-v", "-v")
    texts = [event["event"]["text"] for event in told.of("AdverseEvent").values()]
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("events.csv", 2)]
    assert sorted(texts) == ["Headache", "Rash"]
    assert cell[5] not in told.run.out + told.run.err


def test_c58_the_report_stays_one_json_line(river: SmallTrial) -> None:
    """Whatever a field holds, the report is one line, and so is each line of the log that starts as an object."""
    river.replace("results.csv", "310,ug/L", f'310,"ug{ESC}[31m\n{{""forged"": 1}}"')
    run = river.push("-v", "-v").run
    (line,) = run.out.splitlines()
    logged = [json.loads(each) for each in run.err.splitlines() if each.startswith("{")]
    assert json.loads(line)["set_aside"][0]["where"]["line"] == 5
    assert {"forged": 1} not in logged


def test_c59_a_direction_override_in_an_identifier(river: SmallTrial) -> None:
    """A subject number with a right-to-left override is refused: it does not read as what it is."""
    river.replace("subjects.csv", "003,0201", f"0{OVERRIDE}03,0201")
    told = river.push()
    assert told.run.exit_code == 3
    assert ("subjects.csv", 4) in told.rows_set_aside
    assert {*told.of("Patient")} == {"001", "002"}


def test_c59_a_direction_override_is_shown_escaped(river: SmallTrial) -> None:
    """An unknown unit with an override is shown with the override written out."""
    river.replace("results.csv", "310,ug/L", f"310,ug{OVERRIDE}/L")
    run = river.push().run
    assert run.exit_code == 3
    assert OVERRIDE not in run.out + run.err
    assert r"ug\u202e/L" in run.err


def ferritin_at(name: str, minutes: int) -> str:
    """A ferritin collected so many minutes from now, as a line."""
    moment = datetime.now(tz=UTC) + timedelta(minutes=minutes)
    quantity = {"value": 7000, "unit": "ng/mL", "system": "http://unitsofmeasure.org", "code": "ng/mL"}
    return json.dumps(
        {
            "resourceType": "Observation",
            "id": name,
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
            "subject": {"reference": f"Patient/{name}"},
            "effectiveDateTime": moment.isoformat(timespec="seconds"),
            "valueQuantity": quantity,
        }
    )


@pytest.mark.parametrize(("minutes", "exit_code", "known"), [(2, 0, True), (60, 3, False), (60 * 24 * 365, 3, False)])
def test_c55_a_result_of_the_future(person: Person, minutes: int, exit_code: int, known: bool) -> None:
    """Clocks differ by minutes; what was collected later than that is set aside, and no score rests on it."""
    path = person.home / "results.ndjson"
    path.write_text(ferritin_at("soon", minutes) + "\n" + ferritin_at("past", -60) + "\n", encoding="utf-8")
    run = person.runs("score", "--input", path, "--format", "json")
    lows = {one["subject"]: one["low"] for one in run.report["scores"]}
    assert (run.exit_code, lows["Patient/past"]) == (exit_code, 50)
    assert (lows.get("Patient/soon", 0) == 50) is known
    assert ("future-dated" in [issue["code"] for issue in run.report["issues"]]) is not known
