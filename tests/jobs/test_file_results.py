"""What a file of results says of whom: Bundles in Bundles, pages of a search, histories, panels; for every score."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.intake import deletions
from fhir_adapter.issues import Rejected
from fhir_adapter.jobs.criteria import criteria_of_file
from fhir_adapter.jobs.score_observations import ObservationScores, score_file

Json = dict[str, Any]
SERVER = "https://one.test/fhir"
WHOEVER = {"reference": "Patient/made-up"}


def result(name: str = "f1", code: str = "2276-4", value: str = "7000", unit: str = "ng/mL", **more: Any) -> Json:
    """A made-up result; ferritin unless said otherwise."""
    quantity = {"value": Decimal(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
    stated = {"resourceType": "Observation", "id": name, "status": "final", "code": coded, "subject": WHOEVER}
    return {**stated, "effectiveDateTime": "2024-01-10T06:30:00+08:00", "valueQuantity": quantity, **more}


def panel(**more: Any) -> Json:
    """A blood count without a value of its own."""
    whole = result("p1", "58410-2", **more)
    del whole["valueQuantity"]
    return whole


def bundle(*entries: Json, kind: str = "collection", **more: Any) -> Json:
    """A Bundle of these entries."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def at(base: str, resource: Json) -> Json:
    """An entry whose address says on which server the resource is."""
    return {"fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}", "resource": resource}


def put(resource: Json) -> Json:
    """An entry of a history that tells of a resource as it was then."""
    return {"request": {"method": "PUT", "url": f"Observation/{resource['id']}"}, "resource": resource}


def delete(url: str = "Observation/f1", **response: str) -> Json:
    """An entry of a history that tells of a deletion."""
    return {"request": {"method": "DELETE", "url": url}, "response": {"status": "204", **response}}


def history(*entries: Json) -> Json:
    """A history: the newest entry comes first."""
    return bundle(*entries, kind="history")


def next_page(url: str, own: str = "https://one.test/fhir?page=1") -> Json:
    """The links of a page of a search."""
    return {"link": [{"relation": "self", "url": own}, {"relation": "next", "url": url}]}


@pytest.fixture
def scored(tmp_path: Path) -> Callable[..., ObservationScores]:
    """Score a file of these values, one a line."""

    def score(*values: Json) -> ObservationScores:
        path = tmp_path / "results.ndjson"
        path.write_bytes(b"".join(fhirjson.dumps(value) + b"\n" for value in values))
        return score_file(path)

    return score


def codes(told: ObservationScores) -> list[str]:
    """The codes of what was said."""
    return [issue.code for issue in told.issues]


def ferritin(told: ObservationScores) -> tuple[int, int]:
    """The points of ferritin, least and most, of the only subject."""
    (subject,) = told.subjects
    item = subject.windows[0].score.item("ferritin")
    return item.low, item.high


# Whose


def test_b46_a_condition_and_a_result_of_one_server_are_of_one_person(scored: Callable[..., ObservationScores]) -> None:
    """Both name their Patient relative to the address that the Bundle gives them."""
    system = "http://terminology.hl7.org/CodeSystem/condition"
    enlarged = {
        "resourceType": "Condition",
        "id": "c1",
        "subject": WHOEVER,
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "80515008"}]},
        "verificationStatus": {"coding": [{"system": f"{system}-ver-status", "code": "confirmed"}]},
        "clinicalStatus": {"coding": [{"system": f"{system}-clinical", "code": "active"}]},
        "onsetDateTime": "2024-01-02",
    }
    told = scored(bundle(at(SERVER, result()), at(SERVER, enlarged)))
    assert [(one.subject, one.windows[0].score.low) for one in told.subjects] == [("Patient/made-up", 73)]


@pytest.mark.parametrize("criteria", ["hlh-2004", "mas-2016"])
@pytest.mark.parametrize(
    ("other", "subjects"),
    [
        (SERVER, ["Patient/made-up"]),
        ("https://two.test/fhir", [f"{SERVER}/Patient/made-up", "https://two.test/fhir/Patient/made-up"]),
    ],
)
def test_b46_relative_names_of_two_servers_are_two_people(
    tmp_path: Path, criteria: str, other: str, subjects: list[str]
) -> None:
    """For the companions too, as for the HScore: of one server the name alone is shown."""
    path = tmp_path / "bundle.json"
    path.write_bytes(fhirjson.dumps(bundle(at(SERVER, result()), at(other, result()))))
    assert [one.subject for one in criteria_of_file(path, criteria).subjects] == subjects


# What is whole


def test_a_bundle_inside_a_bundle_is_read(scored: Callable[..., ObservationScores]) -> None:
    """A collection of the pages of a search is no empty file."""
    assert ferritin(scored(bundle({"resource": bundle({"resource": result()})}))) == (50, 50)


def test_a_page_of_a_search_without_the_next_one_is_not_all(scored: Callable[..., ObservationScores]) -> None:
    """A warning names the file; what is there is scored."""
    told = scored(bundle({"resource": result()}, kind="searchset", **next_page("https://one.test/fhir?page=2")))
    assert [(one.code, one.severity, one.where.file) for one in told.issues] == [
        ("bundle-page", "warning", "results.ndjson")
    ]
    assert ferritin(told) == (50, 50)


def test_pages_that_follow_each_other_are_all(scored: Callable[..., ObservationScores]) -> None:
    """The next page of the first one is in the file."""
    first = bundle({"resource": result()}, kind="searchset", **next_page("https://one.test/fhir?page=2"))
    second = bundle(kind="searchset", link=[{"relation": "self", "url": "https://one.test/fhir?page=2"}])
    assert codes(scored(first, second)) == []


@pytest.mark.parametrize("value", [bundle(), {"resourceType": "Patient", "id": "made-up"}])
def test_a_file_without_any_result_says_so(scored: Callable[..., ObservationScores], value: Json) -> None:
    """No score, and the reason."""
    told = scored(value)
    assert (told.subjects, codes(told)) == ((), ["no-results"])


# What was deleted


def test_a_result_whose_newest_entry_is_a_deletion_does_not_count(scored: Callable[..., ObservationScores]) -> None:
    """It is passed over with the reason."""
    told = scored(history(delete(), put(result())))
    assert (ferritin(told), codes(told)) == ((0, 50), ["deleted-result"])


def test_a_result_that_came_back_after_its_deletion_counts(scored: Callable[..., ObservationScores]) -> None:
    """The newest entry stands first."""
    told = scored(history(put(result()), delete(), put(result(value="100"))))
    assert (ferritin(told), codes(told)) == ((50, 50), [])


@pytest.mark.parametrize(
    ("body", "response", "points"),
    [
        ({"versionId": "1"}, {"etag": 'W/"2"'}, (0, 50)),
        ({"versionId": "3"}, {"etag": 'W/"2"'}, (50, 50)),
        ({"lastUpdated": "2024-01-11T00:00:00Z"}, {"lastModified": "2024-01-12T00:00:00Z"}, (0, 50)),
        ({"lastUpdated": "2024-01-13T00:00:00Z"}, {"lastModified": "2024-01-12T00:00:00Z"}, (50, 50)),
    ],
)
def test_versions_and_times_tell_across_the_pages_of_a_history(
    scored: Callable[..., ObservationScores], body: Json, response: dict[str, str], points: tuple[int, int]
) -> None:
    """Whichever page comes first in the file."""
    assert ferritin(scored(history(put(result(meta=body))), history(delete(**response)))) == points


def test_a_deletion_of_which_nobody_knows_when_holds_the_item_open(scored: Callable[..., ObservationScores]) -> None:
    """Neither counted nor left out: the other result alone would say 35."""
    told = scored(history(delete()), result(), result("f2", value="3000"))
    assert (ferritin(told), codes(told)) == ((35, 50), ["deletion-unclear"])


def test_a_deletion_on_another_server_takes_nothing_away(scored: Callable[..., ObservationScores]) -> None:
    """Ids are a server's own."""
    elsewhere = {**delete(), "fullUrl": "https://two.test/fhir/Observation/f1"}
    told = scored(history(elsewhere), bundle(at(SERVER, result())))
    assert (ferritin(told), codes(told)) == ((50, 50), [])


@pytest.mark.parametrize("url", ["Observation?identifier=http://made.up|1", "", "Observation"])
def test_a_deletion_that_names_no_id_is_said(scored: Callable[..., ObservationScores], url: str) -> None:
    """What it took away is not known, so it is an error."""
    told = scored(bundle(delete(url), {"resource": result()}, kind="transaction"))
    assert [(one.code, one.severity) for one in told.issues] == [("deletion-unclear", "error")]


def test_more_deletions_than_memory_should_hold_are_refused(
    scored: Callable[..., ObservationScores], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of any length is read in flat memory."""
    monkeypatch.setattr(deletions, "MOST", 1)
    with pytest.raises(Rejected) as error:
        scored(history(delete(), delete("Observation/f2")))
    assert [issue.code for issue in error.value.issues] == ["too-many-deletions"]


# What cannot be read


def test_a_part_that_cannot_be_read_holds_its_item_open(scored: Callable[..., ObservationScores]) -> None:
    """The other parts of the panel count."""
    parts = [
        {"code": one["code"], "valueQuantity": one["valueQuantity"]}
        for one in (result(), result(code="1920-8", value="900", unit="furlong"))
    ]
    told = scored(panel(component=parts), result("a2", "1920-8", "20", "U/L"))
    score = told.subjects[0].windows[0].score
    assert [(one.low, one.high) for one in (score.item("ferritin"), score.item("ast"))] == [(50, 50), (0, 19)]


def test_a_result_that_cannot_be_read_holds_a_criterion_open(tmp_path: Path) -> None:
    """36.5 Cel and a refused 101.3 Cel: nobody knows whether there was a fever."""
    path = tmp_path / "fever.ndjson"
    readings = [result("t1", "8310-5", "36.5", "Cel"), result("t2", "8310-5", "101.3", "Cel")]
    path.write_bytes(b"".join(fhirjson.dumps(one) + b"\n" for one in readings))
    (subject,) = criteria_of_file(path, "hlh-2004").subjects
    fever = next(one for one in subject.windows[0].criteria.items if one.item == "fever")
    assert (fever.verdict, "cannot be read" in fever.why) == ("undetermined", True)


def test_a_panel_whose_members_were_read_is_no_unknown_code(scored: Callable[..., ObservationScores]) -> None:
    """It has no result of its own that could be missed."""
    whole = panel(hasMember=[{"reference": "Observation/f1"}])
    assert codes(scored(whole, result())) == []


def test_a_panel_whose_member_is_not_there_is_said(scored: Callable[..., ObservationScores]) -> None:
    """Nobody read what it holds."""
    whole = panel(hasMember=[{"reference": "Observation/f1"}, {"reference": "Observation/f9"}])
    assert codes(scored(whole, result())) == ["unknown-code"]


def test_a_member_inside_a_panel_may_itself_be_unknown(scored: Callable[..., ObservationScores]) -> None:
    """That is said of the member, and once."""
    inside = {"resourceType": "Observation", "id": "m", "status": "final", "code": {"text": "made-up"}}
    told = scored(panel(contained=[inside], hasMember=[{"reference": "#m"}]))
    assert [(one.code, one.rule) for one in told.issues] == [("unknown-code", "no code")]
