"""How a study's record comes from ClinicalTrials.gov, and what is read in it; every answer here is a stub."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter import __version__
from fhir_adapter.issues import AdapterError, Misconfigured, Retriable
from fhir_adapter.sources import registry
from fhir_adapter.sources.registry import STUDIES, FoundRecord, RegistryRefusedError, find_record, read_saved_record
from fhir_adapter.sources.registry_record import (
    RecordError,
    RegistryRecord,
    _words,
    read_record,
    record_of,
    registry_number,
)

_PROJECT = Path(__file__).resolve().parents[2]
TRIMMED = _PROJECT / "tests" / "data" / "registry" / "NCT02513394.json"
NUMBER = "NCT02513394"
URL = f"{STUDIES}/{NUMBER}"
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def body() -> bytes:
    """The real record, trimmed."""
    return TRIMMED.read_bytes()


@pytest.fixture
def clinical_trials() -> Iterator[responses.RequestsMock]:
    """A registry that answers what the test says, and nothing else."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were waited, without waiting."""
    return []


@pytest.fixture
def ask(waits: list[float]) -> Callable[[], FoundRecord]:
    """Ask for the record of the real study."""
    return lambda: find_record(NUMBER, waits.append)


def copy_file() -> Path:
    """Where the copy of the record is kept."""
    return Path(os.environ["XDG_CACHE_HOME"]) / "fhir-adapter" / "registry" / f"{NUMBER}.json"


def keep(value: object) -> None:
    """Put something where the copy is kept."""
    copy_file().parent.mkdir(parents=True)
    copy_file().write_text(json.dumps(value), encoding="utf-8")


def code_of(error: pytest.ExceptionInfo[AdapterError]) -> str:
    """The code of an error's only issue."""
    (issue,) = error.value.issues
    return issue.code


def study(**modules: Any) -> RegistryRecord:
    """A made-up record with these modules, and nothing else."""
    modules = {"identificationModule": {"nctId": "NCT00000000"}} | modules
    return record_of({"protocolSection": modules})


# Asking


def test_one_plain_request_names_the_program_and_carries_no_password(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes, tmp_path: Path
) -> None:
    """A password in ~/.netrc for that host stays at home; no parameter is sent."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".netrc").write_text("machine clinicaltrials.gov login made password up\n", encoding="utf-8")
    clinical_trials.get(URL, body=body)
    ask()
    (call,) = clinical_trials.calls
    assert (call.request.url, call.request.headers["User-Agent"]) == (URL, f"fhir-adapter/{__version__}")
    assert "Authorization" not in call.request.headers


def test_the_record_is_kept_for_a_day(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes
) -> None:
    """The second question within 24 hours is answered without a request, and says when the copy was fetched."""
    clinical_trials.get(URL, body=body)
    with time_machine.travel(NOON, tick=False):
        first = ask()
    with time_machine.travel(NOON + timedelta(hours=23), tick=False):
        second = ask()
    assert (first.cached, second.cached, len(clinical_trials.calls)) == (False, True, 1)
    assert (second.record, second.fetched_on) == (first.record, date(2026, 11, 25))


def test_after_a_day_the_registry_is_asked_again(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes
) -> None:
    """The copy is then replaced."""
    clinical_trials.get(URL, body=body)
    with time_machine.travel(NOON, tick=False):
        ask()
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        again = ask()
    assert (again.cached, again.fetched_on, len(clinical_trials.calls)) == (False, date(2026, 11, 26), 2)


def test_no_part_of_a_copy_is_left_beside_it(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes
) -> None:
    """The copy is written beside its place and renamed."""
    clinical_trials.get(URL, body=body)
    ask()
    assert list(copy_file().parent.iterdir()) == [copy_file()]


@pytest.mark.parametrize(
    "broken",
    [
        "not an object",
        {},
        {"fetched_at": "yesterday", "record": {}},
        {"fetched_at": "2026-11-25T11:00:00+00:00", "record": {}},
        {"fetched_at": "2026-11-25T11:00:00", "record": json.loads(TRIMMED.read_bytes())},
        {"fetched_at": "9999-12-31T00:00:00+00:00", "record": json.loads(TRIMMED.read_bytes())},
    ],
)
def test_a_broken_copy_is_ignored(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes, broken: object
) -> None:
    """It is fetched again, and the copy is whole afterwards."""
    keep(broken)
    clinical_trials.get(URL, body=body)
    with time_machine.travel(NOON, tick=False):
        assert not ask().cached
        assert ask().cached


def test_a_copy_of_another_study_is_ignored(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes
) -> None:
    """Its number is not the one that was asked for."""
    other = {"protocolSection": {"identificationModule": {"nctId": "NCT00000000"}}}
    keep({"fetched_at": "2026-11-25T11:00:00+00:00", "record": other})
    clinical_trials.get(URL, body=body)
    with time_machine.travel(NOON, tick=False):
        assert ask().record.number == NUMBER


def test_a_copy_that_cannot_be_kept_is_a_warning(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes
) -> None:
    """Here a file stands where the folder should be."""
    copy_file().parents[1].mkdir(parents=True)
    copy_file().parent.write_text("in the way", encoding="utf-8")
    clinical_trials.get(URL, body=body)
    assert [issue.code for issue in ask().warnings] == ["unwritable"]


# Answers that are no record


def test_an_unknown_number_is_said_at_once(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord]
) -> None:
    """404: the number is wrong, and asking again does not help."""
    clinical_trials.get(URL, status=404, body="NCT number not found")
    with pytest.raises(Misconfigured, match="knows no NCT02513394") as error:
        ask()
    assert (code_of(error), len(clinical_trials.calls)) == ("registry-unknown", 1)


def test_a_registry_that_refuses_programs_still_serves_browsers(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord]
) -> None:
    """403: the message has the address to open and the option for the saved file."""
    clinical_trials.get(URL, status=403)
    with pytest.raises(RegistryRefusedError, match=f"open {URL} in a browser.*--from") as error:
        ask()
    assert (code_of(error), len(clinical_trials.calls)) == ("registry-refused", 1)


def test_retry_after_is_honoured(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], waits: list[float], body: bytes
) -> None:
    """A number of seconds, or a date."""
    clinical_trials.get(URL, status=429, headers={"Retry-After": "7"})
    clinical_trials.get(URL, status=503, headers={"Retry-After": "Wed, 25 Nov 2026 12:00:09 GMT"})
    clinical_trials.get(URL, body=body)
    with time_machine.travel(NOON, tick=False):
        ask()
    assert waits == [7.0, 9.0]


@pytest.mark.parametrize("said", ["soon", "Wed, 99 Nov 2026 12:00:09 GMT", "Fri, 31 Dec 9999 23:59:59 -1200"])
def test_a_retry_after_that_says_nothing_is_a_second(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], waits: list[float], body: bytes, said: str
) -> None:
    """The first wait when the registry does not say for how long."""
    clinical_trials.get(URL, status=429, headers={"Retry-After": said})
    clinical_trials.get(URL, body=body)
    ask()
    assert waits == [1.0]


def test_a_long_wait_is_left_to_the_person(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], waits: list[float]
) -> None:
    """An hour is not waited for, and not cut short either."""
    clinical_trials.get(URL, status=429, headers={"Retry-After": "3600"})
    with pytest.raises(Retriable, match="wait 3600 seconds"):
        ask()
    assert (waits, len(clinical_trials.calls)) == ([], 1)


def test_a_failing_registry_is_asked_three_times(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], waits: list[float]
) -> None:
    """Then the surroundings are to blame."""
    clinical_trials.get(URL, status=502)
    with pytest.raises(Retriable, match="answered 502") as error:
        ask()
    assert (code_of(error), waits, len(clinical_trials.calls)) == ("registry-unreachable", [1.0, 2.0], 3)


def test_lost_connections_are_retried_and_their_words_kept_out(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord]
) -> None:
    """The text of such an error may hold the password of a proxy."""
    clinical_trials.get(URL, body=requests.exceptions.ProxyError("http://made:up@proxy.example"))
    with pytest.raises(Retriable, match=r"cannot be reached \(ProxyError\)") as error:
        ask()
    assert "made:up" not in str(error.value)
    assert len(clinical_trials.calls) == 3


def test_redirects_are_not_followed(clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord]) -> None:
    """A login page of the network would answer like that."""
    clinical_trials.get(URL, status=302, headers={"Location": "https://elsewhere.example/login"})
    with pytest.raises(Retriable, match="redirects are not followed"):
        ask()
    assert len(clinical_trials.calls) == 1


@pytest.mark.parametrize(
    "answer", [b"<html>Please log in</html>", b"{}", b"[" * 300 + b"]" * 300, b'{"a":1,"a":2}', b"\xff\xfe", b""]
)
def test_an_answer_that_is_no_record_is_not_used(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], answer: bytes
) -> None:
    """Whatever came with the status 200."""
    clinical_trials.get(URL, body=answer)
    with pytest.raises(Retriable, match="login page or a proxy") as error:
        ask()
    assert code_of(error) == "registry-record"
    assert not copy_file().exists()


def test_the_record_of_another_study_is_not_used(clinical_trials: responses.RequestsMock, body: bytes) -> None:
    """The answer's number must be the one that was asked for."""
    clinical_trials.get(f"{STUDIES}/NCT00000000", body=body)
    with pytest.raises(Retriable, match="another study"):
        find_record("NCT00000000")


def test_an_endless_answer_is_cut_off(
    clinical_trials: responses.RequestsMock,
    ask: Callable[[], FoundRecord],
    body: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than any record has is not read to its end."""
    monkeypatch.setattr(registry, "MAX_BYTES", 1000)
    clinical_trials.get(URL, body=body)
    with pytest.raises(Retriable, match="larger than 1000 bytes"):
        ask()


def test_a_copy_beyond_any_record_is_ignored(
    clinical_trials: responses.RequestsMock,
    ask: Callable[[], FoundRecord],
    body: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its size is looked at first: the registry is asked, and nothing stands in."""
    keep({"fetched_at": "2026-11-25T11:00:00+00:00", "record": json.loads(body)})
    monkeypatch.setattr(registry, "MAX_BYTES", 1000)
    clinical_trials.get(URL, status=403)
    with pytest.raises(RegistryRefusedError):
        ask()


def test_a_slow_answer_is_given_up(
    clinical_trials: responses.RequestsMock,
    ask: Callable[[], FoundRecord],
    body: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each part came in time, all of it did not."""
    monkeypatch.setattr(registry, "_ANSWER_SECONDS", -1.0)
    clinical_trials.get(URL, body=body)
    with pytest.raises(Retriable, match="seconds to answer"):
        ask()


@pytest.mark.parametrize("status", [302, 403, 429, 500])
def test_an_old_copy_stands_in_with_its_date(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes, status: int
) -> None:
    """When the registry cannot be had, a copy of any age is better than nothing, and the warning says its day."""
    keep({"fetched_at": "2026-03-01T12:00:00+00:00", "record": json.loads(body)})
    clinical_trials.get(URL, status=status)
    found = ask()
    assert (found.cached, found.fetched_on) == (True, date(2026, 3, 1))
    (warning,) = found.warnings
    assert (warning.code, "fetched on 2026-03-01" in warning.message) == ("registry-copy", True)


def test_an_old_copy_does_not_hide_that_the_number_is_unknown(
    clinical_trials: responses.RequestsMock, ask: Callable[[], FoundRecord], body: bytes
) -> None:
    """The registry did answer: it withdrew the record."""
    keep({"fetched_at": "2026-03-01T12:00:00+00:00", "record": json.loads(body)})
    clinical_trials.get(URL, status=404)
    with pytest.raises(Misconfigured):
        ask()


# Files


def test_a_saved_record_is_read() -> None:
    """The day of fetching is not known then."""
    found = read_saved_record(TRIMMED)
    assert (found.record.number, found.fetched_on, found.cached) == (NUMBER, None, False)


@pytest.mark.parametrize("content", [b"USUBJID,SEX\n", b"<ODM/>", b'{"datasetJSONVersion": "1.1.0"}', b"[]"])
def test_other_files_are_refused_with_what_is_read(tmp_path: Path, content: bytes) -> None:
    """CSV, ODM, Dataset-JSON: another version may start from those."""
    path = tmp_path / "export.json"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match="NCT numbers and saved records") as error:
        read_saved_record(path)
    assert code_of(error) == "registry-record"


@pytest.mark.parametrize("name", ["", "nothing.json", "\0"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    """A folder, a name without a file, a name that no file can have."""
    with pytest.raises(Misconfigured, match="neither an NCT number"):
        read_saved_record(tmp_path / name)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A name longer than a file system allows, here."""
    with pytest.raises(Misconfigured, match="cannot be read"):
        read_saved_record(tmp_path / ("long" * 80))


def test_a_saved_file_beyond_any_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is looked at first."""
    monkeypatch.setattr(registry, "MAX_BYTES", 1000)
    with pytest.raises(Misconfigured, match="larger than"):
        read_saved_record(TRIMMED)


# What is read in a record


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("NCT02513394", "NCT02513394"),
        ("nct02513394", "NCT02513394"),
        ("NCT0251339", None),
        ("NCT025133941", None),
        ("NCT0251339\u0664", None),
        (" NCT02513394", None),
        ("NCT02513394\n", None),
    ],
)
def test_a_number_is_nct_and_eight_digits(text: str, number: str | None) -> None:
    """As the registry's own description of its API has it."""
    assert registry_number(text) == number


def test_the_real_record_says_what_the_study_is(body: bytes) -> None:
    """Each field with its text as the existing trial folders write it."""
    facts = {field: one.texts for field, one in read_record(body).facts.items()}
    assert facts["title"][0].startswith("PALbociclib CoLlaborative Adjuvant Study: A Randomized Phase III Trial")
    assert (facts["phase"], facts["purpose"]) == (("Phase 3",), ("Treatment",))
    assert facts["category"] == ("Interventional", "Randomized", "Parallel assignment", "Open label")
    assert (facts["start"], facts["end"], facts["age_minimum"]) == (("2015-08",), ("2025-09",), ("P18Y",))
    assert facts["sponsor"] == ("Alliance Foundation Trials, LLC.",)
    assert facts["focus"] == ("Palbociclib", "Standard Adjuvant Endocrine Therapy")
    assert facts["outcome_primary"] == ("Invasive Disease Free Survival (iDFS) (time frame: 4 years)",)
    assert (len(facts["outcome_secondary"]), len(facts["country"]), facts["country"][0]) == (4, 21, "USA")


def test_the_real_record_leaves_open_what_it_does_not_say(body: bytes) -> None:
    """An actual number of subjects is no planned one."""
    record = read_record(body)
    assert set(record.open) == {"objective_primary", "objective_secondary", "planned_size", "age_maximum"}
    assert "actual number of subjects (5796)" in record.open["planned_size"]
    assert (record.status, record.masking, record.updated) == ("ACTIVE_NOT_RECRUITING", "NONE", "2023-06-15")


def test_the_whole_record_says_the_same_as_the_trimmed_one(body: bytes) -> None:
    """All 437 locations and the results included."""
    shared = Path(os.environ.get("FHIR_ADAPTER_SHARED") or _PROJECT.parent / "shared") / "data" / "registry"
    if not shared.is_dir():
        pytest.skip("the whole record is not here; set FHIR_ADAPTER_SHARED to the folder that has data/registry")
    whole, trimmed = read_record((shared / "NCT02513394.json").read_bytes()), read_record(body)
    assert (whole.location_count, trimmed.location_count) == (437, 21)
    assert (whole.facts, whole.open) == (trimmed.facts, trimmed.open)


def test_a_record_without_anything_leaves_everything_open() -> None:
    """Its number is known, and nothing is invented."""
    record = study()
    assert list(record.facts) == ["registry_id"]
    assert (record.sponsors_number, record.status, record.masking, record.updated) == (None, None, None, None)
    assert set(record.open.values()) == {"the record does not say it"}


def test_the_brief_title_stands_in_for_the_official_one() -> None:
    """And the place says so."""
    title = study(identificationModule={"nctId": "NCT00000000", "briefTitle": "Brief"}).facts["title"]
    assert (title.texts, title.place) == (("Brief",), "identificationModule.briefTitle")


def test_two_phases_are_one_word() -> None:
    """In whatever order the registry lists them."""
    assert study(designModule={"phases": ["PHASE2", "PHASE1"]}).facts["phase"].texts == ("Phase 1/Phase 2",)


@pytest.mark.parametrize(
    ("field", "modules"),
    [
        ("phase", {"designModule": {"phases": ["PHASE5"]}}),
        ("purpose", {"designModule": {"designInfo": {"primaryPurpose": "FUN"}}}),
        ("start", {"statusModule": {"startDateStruct": {"date": "2015-02-30"}}}),
        ("age_minimum", {"eligibilityModule": {"minimumAge": "6 Months"}}),
        ("country", {"contactsLocationsModule": {"locations": [{"country": "China"}, {"country": "Atlantis"}]}}),
        ("planned_size", {"designModule": {"enrollmentInfo": {"count": 6, "type": "ACTUAL"}}}),
    ],
)
def test_what_cannot_be_taken_stays_open_with_a_reason(field: str, modules: dict[str, Any]) -> None:
    """Nothing is guessed, and nothing is lost without a word."""
    record = study(**modules)
    assert field not in record.facts
    assert record.open[field] != "the record does not say it"


def test_a_category_that_is_not_known_is_kept_as_the_registry_writes_it() -> None:
    """No code depends on it."""
    record = study(designModule={"studyType": "INTERVENTIONAL", "designInfo": {"allocation": "BY_LOT"}})
    assert record.facts["category"].texts == ("Interventional", "BY_LOT")


def test_a_planned_number_of_subjects_is_taken() -> None:
    """The registry's word for planned is estimated."""
    record = study(designModule={"enrollmentInfo": {"count": 6, "type": "ESTIMATED"}})
    assert record.facts["planned_size"].texts == ("6",)


def test_no_country_has_two_codes() -> None:
    """Each of the registry's names leads to one country."""
    names = Counter(name.casefold() for names in _words()["country"].values() for name in names)
    assert [name for name, count in names.items() if count > 1] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_any_other_json_is_no_record(value: object) -> None:
    """Whatever its shape."""
    with pytest.raises(RecordError):
        record_of(value)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "statusModule": st.dictionaries(st.sampled_from(["overallStatus", "startDateStruct"]), json_values),
            "designModule": st.dictionaries(st.sampled_from(["phases", "designInfo", "enrollmentInfo"]), json_values),
            "contactsLocationsModule": st.dictionaries(st.just("locations"), json_values),
            "outcomesModule": st.dictionaries(st.just("primaryOutcomes"), json_values),
            "conditionsModule": json_values,
        },
    )
)
def test_values_of_an_unexpected_kind_count_as_not_said(modules: dict[str, Any]) -> None:
    """A record of another shape is read as far as it goes."""
    assert study(**modules).number == "NCT00000000"
