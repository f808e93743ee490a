"""What searches find, and how they page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

Resource = dict[str, Any]
Make = Callable[..., Resource]


def ids(answer: Resource) -> list[str]:
    """The ids of the matches, in order."""
    return [entry["resource"]["id"] for entry in answer.get("entry", []) if entry["search"]["mode"] == "match"]


def link(answer: Resource, relation: str) -> str:
    """The URL of a link."""
    links: dict[str, str] = {item["relation"]: item["url"] for item in answer["link"]}
    return links[relation]


@pytest.fixture
def trial(client: TestClient, bundle: Make, put: Make, patient: Resource, observation: Make) -> TestClient:
    """A study, a subject, a patient, and four Observations."""
    loinc = "http://loinc.org"
    results = [
        observation(id="o1", identifier=[{"system": "urn:lab", "value": "1"}]),
        observation(id="o2", identifier=[{"system": "urn:other", "value": "1"}], status="amended"),
        observation(id="o3", identifier=[{"value": "1"}], code={"coding": [{"system": loinc, "code": "718-7"}]}),
        observation(id="o4", subject={"reference": "Group/p1"}, focus=[{"reference": "Patient/p1"}]),
    ]
    study = {"resourceType": "ResearchStudy", "id": "study", "status": "completed", "title": "Trial of élan"}
    subject = {
        "resourceType": "ResearchSubject",
        "id": "s1",
        "status": "on-study",
        "study": {"reference": "ResearchStudy/study"},
        "individual": {"reference": "Patient/p1"},
    }
    client.post("", json=bundle(*map(put, [patient, study, subject, *results]))).raise_for_status()
    return client


@pytest.fixture
def dated(client: TestClient, bundle: Make, put: Make) -> TestClient:
    """Five Observations that differ in when they were made."""
    effective: dict[str, Resource] = {
        "day": {"effectiveDateTime": "2016-03-01"},
        "month": {"effectiveDateTime": "2016-03"},
        "open": {"effectivePeriod": {"end": "2017"}},
        "period": {"effectivePeriod": {"start": "2016-02-10", "end": "2016-04-10"}},
        "time": {"effectiveDateTime": "2016-03-01T10:00:00+08:00"},
    }
    plain: Resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    client.post("", json=bundle(*(put(plain | {"id": name} | when) for name, when in effective.items())))
    return client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("identifier=urn:lab|1", ["o1"]),
        ("identifier=1", ["o1", "o2", "o3"]),
        ("identifier=|1", ["o3"]),
        ("identifier=urn:lab|", ["o1"]),
        ("identifier=urn:lab|1,urn:other|1", ["o1", "o2"]),
        ("identifier=urn:wrong|1", []),
        ("code=http://loinc.org|718-7", ["o3"]),
        ("code=718-7,2276-4&status=final", ["o1", "o3", "o4"]),
        ("status=amended", ["o2"]),
        ("category=urn:category|laboratory&code=718-7", ["o3"]),
        ("category=laboratory&category=vital-signs", []),
        ("patient=p1", ["o1", "o2", "o3"]),
        ("patient=Patient/p1", ["o1", "o2", "o3"]),
        ("subject=Patient/p1", ["o1", "o2", "o3"]),
        ("subject=p1", ["o1", "o2", "o3", "o4"]),
        ("subject:Group=p1", ["o4"]),
        ("subject=http://testserver/fhir/Patient/p1", ["o1", "o2", "o3"]),
        ("subject=Patient/p1/_history/1", ["o1", "o2", "o3"]),
        ("subject=http://elsewhere/fhir/Patient/p1", []),
        ("focus=Patient/p1", ["o4"]),
        ("_id=o4,o2,nobody", ["o2", "o4"]),
        ("_id=o4&status=final", ["o4"]),
        ("_lastUpdated=ge2016-01-01", ["o1", "o2", "o3", "o4"]),
        ("_lastUpdated=lt2016-01-01", []),
    ],
)
def test_observations_are_found(trial: TestClient, query: str, found: list[str]) -> None:
    """Tokens, references, ids and moments; commas are OR, repeated parameters AND."""
    answer = trial.get(f"Observation?{query}").json()
    assert ids(answer) == found
    assert answer["total"] == len(found)


@pytest.mark.parametrize(
    "query",
    [
        "Patient?family=munoz",
        "Patient?name=ana",
        "Patient?family:exact=Muñoz",
        "Patient?family:contains=NOZ",
        "Patient?birthdate=1990",
        "Patient?gender=female&identifier=urn:trial|S01",
        "ResearchStudy?title=trial",
        "ResearchStudy?status=completed",
        "ResearchSubject?study=study",
        "ResearchSubject?study=ResearchStudy/study&individual=Patient/p1",
        "ResearchSubject?patient=p1",
    ],
)
def test_other_types_are_found(trial: TestClient, query: str) -> None:
    """Each type has its own parameters."""
    assert trial.get(query).json()["total"] == 1


def test_post_search_is_the_same_search(trial: TestClient) -> None:
    """Parameters may come as a form, so identifiers stay out of the address."""
    answer = trial.post("Observation/_search", data={"identifier": "urn:lab|1", "_count": "5"}).json()
    assert ids(answer) == ["o1"]
    assert "identifier=urn%3Alab%7C1" in link(answer, "self")


def test_versioned_and_absolute_references_are_found(client: TestClient, observation: Make) -> None:
    """How a resource writes its reference does not change what it points at."""
    client.put("Observation/a", json=observation(id="a", subject={"reference": "Patient/p1/_history/3"}))
    client.put("Observation/b", json=observation(id="b", subject={"reference": "http://testserver/fhir/Patient/p1"}))
    assert ids(client.get("Observation?subject=Patient/p1").json()) == ["a", "b"]
    assert ids(client.get("Observation?patient=p1").json()) == ["a", "b"]


def test_tags_security_and_profiles_are_found(client: TestClient, patient: Resource) -> None:
    """Every type can be found by its meta."""
    meta = {"tag": [{"system": "urn:t", "code": "x"}], "security": [{"code": "HTEST"}], "profile": ["urn:p"]}
    client.put("Patient/p1", json=patient | {"meta": meta})
    assert client.get("Patient?_tag=urn:t|x&_security=HTEST&_profile=urn:p").json()["total"] == 1


def test_escaped_separators_are_part_of_the_value(client: TestClient, patient: Resource) -> None:
    r"""`\,` and `\|` stand for the characters themselves."""
    client.put("Patient/p1", json=patient | {"identifier": [{"system": "urn:a", "value": "x,y|z"}]})
    assert client.get("Patient", params={"identifier": r"urn:a|x\,y\|z"}).json()["total"] == 1
    assert client.get("Patient", params={"identifier": r"x\,y\|z,other"}).json()["total"] == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("date=2016-03-01", ["day", "time"]),
        ("date=2016-03", ["day", "month", "time"]),
        ("date=eq2016", ["day", "month", "period", "time"]),
        ("date=ne2016-03", ["open", "period"]),
        ("date=gt2016-03-01", ["month", "open", "period"]),
        ("date=ge2016-03-01", ["day", "month", "open", "period", "time"]),
        ("date=lt2016-03-01", ["open", "period"]),
        ("date=le2016-03-01", ["day", "open", "period", "time"]),
        ("date=sa2016-02-29", ["day", "month", "time"]),
        ("date=eb2016-03-02", ["day", "time"]),
        ("date=2016-03-01T02:00:00Z", ["time"]),
        ("date=2016-03-01T10:00:00%2B08:00", ["time"]),
        ("date=2016-03-01T10:00:00+08:00", ["time"]),
        ("date=ge2016-03-01&date=lt2016-03-02", ["day", "month", "open", "period", "time"]),
        ("date=sa2016-02-29&date=eb2016-03-02", ["day", "time"]),
        ("date=2015,2016-03-01", ["day", "time"]),
    ],
)
def test_dates_are_stretches_of_time(dated: TestClient, query: str, found: list[str]) -> None:
    """A day is 24 hours, a month its days, a period has ends or none; prefixes compare the stretches."""
    assert ids(dated.get(f"Observation?{query}").json()) == found


def test_pages_hold_everything_once(client: TestClient, bundle: Make, put: Make, observation: Make) -> None:
    """`next` leads through all pages in a stable order, even while something is written."""
    client.post("", json=bundle(*(put(observation(id=f"o{number}")) for number in range(5))))
    first = client.get("Observation?code=2276-4&_count=2").json()
    client.put("Observation/o0", json=observation(id="o0", status="amended"))
    client.put("Observation/o5", json=observation(id="o5"))
    second = client.get(link(first, "next")).json()
    third = client.get(link(second, "next")).json()
    assert [ids(page) for page in (first, second, third)] == [["o0", "o1"], ["o2", "o3"], ["o4", "o5"]]
    assert [page["total"] for page in (first, second, third)] == [5, 6, 6]
    assert [item["relation"] for item in third["link"]] == ["self"]


def test_links_are_absolute_on_the_host_that_was_asked(
    client: TestClient, bundle: Make, put: Make, patient: Resource
) -> None:
    """A client behind another name is led to that name."""
    client.post("", json=bundle(put(patient), put(patient | {"id": "p2"})))
    answer = client.get("Patient?_count=1", headers={"Host": "fhir.example:8080"}).json()
    assert link(answer, "next").startswith("http://fhir.example:8080/fhir/Patient?")
    assert answer["entry"][0]["fullUrl"] == "http://fhir.example:8080/fhir/Patient/p1"


def test_a_long_search_pages_too(client: TestClient, bundle: Make, put: Make, observation: Make) -> None:
    """A search for a thousand ids has a `next` link of ordinary length."""
    client.post("", json=bundle(*(put(observation(id=f"o{number}")) for number in range(60))))
    wanted = ",".join(f"o{number}" for number in range(1000))
    first = client.post("Observation/_search", data={"_id": wanted}).json()
    second = client.get(link(first, "next")).json()
    assert len(link(first, "next")) < 2000
    assert (len(ids(first)), len(ids(second))) == (50, 10)


@pytest.mark.parametrize(("count", "shown"), [("0", 0), ("3", 3), ("99999999999999999999", 60), ("1000", 60)])
def test_count_is_kept_within_bounds(
    client: TestClient, bundle: Make, put: Make, observation: Make, count: str, shown: int
) -> None:
    """0 shows only the total, and no number is too large to be read."""
    client.post("", json=bundle(*(put(observation(id=f"o{number}")) for number in range(60))))
    answer = client.get(f"Observation?_count={count}").json()
    assert (len(ids(answer)), answer["total"]) == (shown, 60)


def test_summary_count_shows_only_the_total(trial: TestClient) -> None:
    """No entries and no next link."""
    answer = trial.get("Observation?patient=p1&_summary=count").json()
    assert (answer["total"], "entry" in answer) == (3, False)


def test_total_may_be_left_out(trial: TestClient) -> None:
    """`_total=none` spares the counting."""
    assert "total" not in trial.get("Observation?_total=none").json()


def test_an_unknown_parameter_is_refused(trial: TestClient) -> None:
    """A parameter that is not understood never widens a search in silence."""
    answer = trial.get("Observation?subjekt=p1")
    assert answer.status_code == 400
    assert "'subjekt'" in answer.json()["issue"][0]["diagnostics"]


def test_lenient_handling_says_what_it_ignored(trial: TestClient) -> None:
    """On request the parameter is left out of the self link and named in an outcome entry, which is no match."""
    answer = trial.get("Observation?subjekt=p1&status=amended", headers={"Prefer": "handling=lenient"}).json()
    said = answer["entry"][1]
    assert ids(answer) == ["o2"]
    assert answer["total"] == 1
    assert parse_qsl(urlsplit(link(answer, "self")).query) == [("status", "amended")]
    assert (said["search"]["mode"], said["resource"]["issue"][0]["severity"]) == ("outcome", "warning")


@pytest.mark.parametrize(
    "query",
    [
        "date=2016-13",
        "date=2016-02-30",
        "date=soon",
        "date=ap2016",
        "code=",
        "code=a,,b",
        "code=a|b|c",
        "code=|",
        "code:not=x",
        "code:=x",
        "subject:Nobody=1",
        "subject.name=x",
        "_count=-1",
        "_count=x",
        "_count=1&_count=2",
        "_summary=true",
        "_sort=date",
        "_include=Observation:subject",
        "_has:X:y:z=1",
        "_page=nonsense",
        "_page=nonsense&code=x",
        "status=%ff",
        "_id=" + ",".join(["x"] * 30_001),
        "date=" + ",".join(["2016"] * 500),
    ],
)
def test_what_means_nothing_is_refused(trial: TestClient, query: str) -> None:
    """No value and no modifier that is not understood is passed over."""
    answer = trial.get(f"Observation?{query}")
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


def test_a_search_of_an_unknown_type_is_404(client: TestClient) -> None:
    """A type that R4 does not have is nowhere."""
    assert client.get("Observations?code=x").status_code == 404


def test_a_changed_resource_is_found_by_its_new_values_only(client: TestClient, observation: Make) -> None:
    """The index follows the current version; a deleted resource is not found."""
    client.put("Observation/o", json=observation(id="o"))
    client.put("Observation/o", json=observation(id="o", status="amended"))
    assert client.get("Observation?status=final").json()["total"] == 0
    assert client.get("Observation?status=amended").json()["total"] == 1
    client.delete("Observation/o")
    assert client.get("Observation?status=amended").json()["total"] == 0
    assert client.get("Observation").json()["total"] == 0
