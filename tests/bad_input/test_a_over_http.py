"""Group A of the bad-input list over HTTP: what the service refuses, what it does with the rest, what it keeps."""

from __future__ import annotations

import codecs
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.bad_input.over_http import (
    AST,
    CANARY,
    CHECKED,
    EVIDENCE,
    FERRITIN,
    FHIR,
    KNOWN,
    SENT,
    bundle,
    goes_on_without,
    listening,
    parameters,
    points,
    pulled,
    refused,
    refused_everywhere,
    scores,
    serving,
    set_aside,
    told_wrong,
)

BASELINE = f"{KNOWN}?window=baseline&evidence=true"
UNKNOWN_MODIFIER = '"modifierExtension":[{"url":"https://example.org/turned-round","valueString":"CANARY-Zhang"}],'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """The service over a state in which the made-up hospital handed over its Patients and one result."""
    return serving(pulled(tmp_path_factory.mktemp("over-http"), AST))


@pytest.fixture(autouse=True)
def _nothing_told(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No log and no output of any test here holds the canary."""
    with listening() as told:
        yield
    assert "canary" not in (told.getvalue() + "".join(capfd.readouterr())).lower()


def valued(number: str) -> str:
    """The ferritin with another number."""
    return FERRITIN.replace("24560", number)


def checked(service: TestClient, resource: str) -> list[str]:
    """Where $validate finds errors; its answer is an answer (200), and repeats no value."""
    answer = service.post(CHECKED, content=resource.encode(), headers=FHIR)
    assert answer.status_code == 200
    issues = told_wrong(answer.json(), answer.text)
    return [issue["expression"][0] for issue in issues if issue["severity"] == "error"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a1_a_number_that_is_none(service: TestClient, number: str) -> None:
    """NaN and the infinities are no JSON: 400 with issue type structure, at every door."""
    refused_everywhere(service, valued(number))
    issues = refused(service.post(SENT, content=parameters(valued(number)), headers=FHIR), 400)
    assert [issue["code"] for issue in issues] == ["structure"]


def test_a1_a_parameter_that_is_no_number(service: TestClient) -> None:
    """Nor may the cut-off be one."""
    body = parameters(more=f'{{"name":"cutoff","valueInteger":NaN,"id":"{CANARY}"}}')
    refused(service.post(KNOWN, content=body, headers=FHIR), 400)
    refused(service.get(f"{KNOWN}?cutoff=NaN&window={CANARY}"), 400)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1e999999999"])
def test_a2_a_number_out_of_range(service: TestClient, number: str) -> None:
    """1e400 is refused as out of range, not turned into infinity."""
    refused_everywhere(service, valued(number))
    (issue,) = refused(service.post(SENT, content=parameters(valued(number)), headers=FHIR), 400)
    assert "range" in issue["diagnostics"]


@pytest.mark.parametrize("number", ["1.50", "100", "0.10", "1E+2", "1.5e2"])
def test_a3_digits_of_a_pulled_result_survive(tmp_path: Path, number: str) -> None:
    """What a laboratory handed over comes back as evidence byte by byte, 1.50 with its zero."""
    answer = serving(pulled(tmp_path, valued(number))).get(BASELINE)
    assert "ferritin" in points(answer)
    assert valued(number) in answer.text
    assert f'"value":{number},'.encode() in answer.content


def test_a3_digits_of_a_sent_result_survive(service: TestClient) -> None:
    """So does what a caller sent."""
    answer = service.post(SENT, content=parameters(valued("1.50"), more=EVIDENCE), headers=FHIR)
    assert valued("1.50") in answer.text


def test_a5_a_decimal_in_quotes(service: TestClient) -> None:
    """A decimal given as a string is refused, and the element is named: nothing is left to score."""
    (issue,) = refused(service.post(SENT, content=parameters(valued('"1.5"')), headers=FHIR), 422)
    assert issue["expression"] == ["Parameters.parameter[0].resource.valueQuantity.value"]


def test_a5_a_decimal_in_quotes_beside_a_good_result(service: TestClient) -> None:
    """The other result counts."""
    (issue,) = goes_on_without(service, valued('"24560"'))
    assert issue["expression"] == ["Bundle.entry[0].resource.valueQuantity.value"]


def test_a5_a_decimal_in_quotes_among_parameters(service: TestClient) -> None:
    """Also when the results are parameters rather than a Bundle."""
    answer = service.post(SENT, content=parameters(AST, valued('"24560"')), headers=FHIR)
    (issue,) = set_aside(answer)
    assert (points(answer).get("ferritin"), points(answer)["ast"]) == (None, 19)
    assert issue["expression"] == ["Parameters.parameter[1].resource.valueQuantity.value"]


def test_a5_a_decimal_in_quotes_is_no_valid_resource(service: TestClient) -> None:
    """$validate finds it."""
    assert checked(service, valued('"1.5"')) == ["Observation.value.ofType(Quantity).value"]


def test_a5_a_parameter_in_quotes(service: TestClient) -> None:
    """Nor is a text a cut-off."""
    refused(service.post(KNOWN, content=parameters(more='{"name":"cutoff","valueInteger":"169"}'), headers=FHIR), 400)


def test_a6_a_number_of_five_thousand_digits(service: TestClient) -> None:
    """It is refused by its length, at every door."""
    refused_everywhere(service, valued("9" * 5000))


def test_a6_a_cutoff_of_five_thousand_digits(service: TestClient) -> None:
    """So is a cut-off, in the content and in the address."""
    body = parameters(more=f'{{"name":"cutoff","valueInteger":{"9" * 5000}}}')
    refused(service.post(KNOWN, content=body, headers=FHIR), 400)
    refused(service.get(f"{KNOWN}?cutoff={'9' * 5000}"), 400)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [('{"CANARY-Zhang":', "}"), ("[", "]"), ("[", "")],
    ids=["objects", "arrays", "never closed"],
)
@pytest.mark.parametrize("door", [SENT, CHECKED, KNOWN])
def test_a7_nesting_of_a_hundred_thousand_levels(service: TestClient, door: str, opening: str, closing: str) -> None:
    """100,000 levels are refused in words of our own."""
    body = (opening * 100_000 + "1" + closing * 100_000).encode()
    (issue,) = refused(service.post(door, content=body, headers=FHIR), 400)
    assert "recursion" not in issue["diagnostics"].lower()


def test_a7_a_deep_resource(service: TestClient) -> None:
    """So is a resource that is deep inside, such as extensions in extensions."""
    deep = '{"url":"https://example.org/e","extension":[' * 100_000 + "]}" * 100_000
    refused_everywhere(service, FERRITIN.replace('"status"', f'"extension":[{deep}],"status"'))


def test_a9_half_a_character(service: TestClient) -> None:
    """A lone surrogate is refused at every door."""
    refused_everywhere(service, FERRITIN.replace(CANARY, rf"{CANARY} \ud800"))


def test_a9_a_whole_character_in_two_halves(service: TestClient) -> None:
    """A pair of surrogates is one character and is kept."""
    sent = FERRITIN.replace(CANARY, r"ferritin \ud83d\ude00")
    answer = service.post(SENT, content=parameters(sent, more=EVIDENCE), headers=FHIR)
    assert answer.json()["entry"][1]["resource"]["code"]["text"] == "ferritin \U0001f600"


@pytest.mark.parametrize("body", [parameters(FERRITIN), bundle(FERRITIN), FERRITIN.encode()])
def test_a10_a_byte_order_mark(service: TestClient, body: bytes) -> None:
    """A UTF-8 byte order mark is accepted."""
    assert points(service.post(SENT, content=codecs.BOM_UTF8 + body, headers=FHIR))["ferritin"] == 50


@pytest.mark.parametrize("door", [SENT, CHECKED, KNOWN])
@pytest.mark.parametrize(
    "body",
    [
        FERRITIN.encode("utf-16"),
        FERRITIN.encode("utf-16-le"),
        FERRITIN.encode("utf-32"),
        FERRITIN.encode().replace(b"Zhang", b"Zh\xe9ng"),
        FERRITIN.encode().replace(b"Zhang", b"Zh\xc0\xafng"),
    ],
    ids=["utf-16", "utf-16-le", "utf-32", "latin-1", "overlong"],
)
def test_a10_another_encoding(service: TestClient, door: str, body: bytes) -> None:
    """UTF-16 and bytes that are no UTF-8 are refused."""
    refused(service.post(door, content=body, headers=FHIR), 400)


def test_a10_a_charset_that_is_not_utf_8(service: TestClient) -> None:
    """A header that says UTF-16 does not make it readable."""
    headers = {"Content-Type": "application/fhir+json; charset=utf-16"}
    answer = service.post(SENT, content=parameters(FERRITIN).decode().encode("utf-16"), headers=headers)
    refused(answer, 400)


@pytest.mark.parametrize("door", [SENT, CHECKED])
@pytest.mark.parametrize("body", ["", " ", "null", "[]", '"CANARY-Zhang"', "7", "true", "{}", "CANARY-Zhang", '{"a":'])
def test_a11_a_body_that_is_no_resource(service: TestClient, door: str, body: str) -> None:
    """An empty body, null, a list, a text: refused with a message."""
    refused(service.post(door, content=body.encode(), headers=FHIR), 400)


@pytest.mark.parametrize("body", ["null", "[]", '"CANARY-Zhang"', "7", "{}", "CANARY-Zhang"])
def test_a11_parameters_that_are_no_resource(service: TestClient, body: str) -> None:
    """So is what is sent to a Patient's operation, which may do without a body but not with a wrong one."""
    refused(service.post(KNOWN, content=body.encode(), headers=FHIR), 400)


def test_a11_no_body_for_a_patient(service: TestClient) -> None:
    """Without a body the Patient's operation has no parameters."""
    assert len(scores(service.post(KNOWN, headers=FHIR))) > 1


@pytest.mark.parametrize("status", ["banana", CANARY, "FINAL"])
def test_a13_a_status_that_does_not_exist(service: TestClient, status: str) -> None:
    """A code outside a required value set is refused, and its place is named."""
    spoilt = FERRITIN.replace('"final"', f'"{status}"')
    issues = refused(service.post(SENT, content=parameters(spoilt), headers=FHIR), 422)
    assert issues[0]["expression"] == ["Parameters.parameter[0].resource.status"]
    assert goes_on_without(service, spoilt)[0]["expression"] == ["Bundle.entry[0].resource.status"]
    assert checked(service, spoilt) == ["Observation.status"]


def test_a13_a_status_that_does_not_exist_of_a_pulled_result(tmp_path: Path) -> None:
    """A result that was pulled with it is not used, and the score says so."""
    spoilt = AST.replace('"final"', '"banana"')
    answer = serving(pulled(tmp_path, spoilt, FERRITIN)).get(BASELINE)
    assert (points(answer)["ferritin"], "Observation/a1" in str(scores(answer))) == (50, False)
    assert [issue["details"]["coding"][0]["code"] for issue in set_aside(answer)] == ["result-status"]


BAD_IDS = ["a" * 65, "../../etc", "", "CANARY Zhang", "CANARY_Zhang", "ä"]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_a14_an_id_that_is_none(service: TestClient, bad: str) -> None:
    """An id of 65 characters, a path, an empty id: the resource is refused, the others count."""
    spoilt = FERRITIN.replace('"f1"', f'"{bad}"')
    issues = refused(service.post(SENT, content=parameters(spoilt), headers=FHIR), 422)
    assert issues[0]["expression"] == ["Parameters.parameter[0].resource.id"]
    assert goes_on_without(service, spoilt)[0]["expression"] == ["Bundle.entry[0].resource.id"]
    assert checked(service, spoilt) == ["Observation.id"]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_a14_an_id_that_is_none_in_the_address(service: TestClient, bad: str) -> None:
    """The same in the address: refused before anything is looked for."""
    place = f"/fhir/Patient/{quote(bad, safe='')}/$hscore"
    refused(service.get(place), 400)
    refused(service.post(place, content=parameters(), headers=FHIR), 400)


def test_a14_the_longest_id(service: TestClient) -> None:
    """An id of 64 characters is one: nobody has it here."""
    refused(service.get(f"/fhir/Patient/{'a' * 64}/$hscore"), 404)
    longest = FERRITIN.replace('"f1"', f'"{"a" * 64}"')
    assert points(service.post(SENT, content=parameters(longest), headers=FHIR))["ferritin"] == 50


WRONG_TYPES = {
    "missing": FERRITIN.replace('"resourceType":"Observation",', ""),
    "misspelt": FERRITIN.replace('"Observation"', '"Obsrevation"'),
    "canary": FERRITIN.replace('"Observation"', '"CANARY-Zhang"'),
    "number": FERRITIN.replace('"Observation"', "7"),
    "null": FERRITIN.replace('"Observation"', "null"),
}


@pytest.mark.parametrize("body", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a15_a_resource_type_that_is_none(service: TestClient, body: str) -> None:
    """A resourceType missing or wrong is refused at every door."""
    refused(service.post(SENT, content=body.encode(), headers=FHIR), 400)
    refused(service.post(SENT, content=parameters(body), headers=FHIR), 400)
    refused(service.post(CHECKED, content=body.encode(), headers=FHIR), 400)
    refused(service.post(KNOWN, content=body.encode(), headers=FHIR), 400)


@pytest.mark.parametrize("body", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a15_a_resource_type_that_is_none_beside_a_good_result(service: TestClient, body: str) -> None:
    """In a Bundle the others count, and it is named rather than passed over in silence."""
    goes_on_without(service, body)


@pytest.mark.parametrize("kind", ["Patient", "Bundle", "Parameters", "Condition"])
def test_a15_another_type_than_the_address_says(service: TestClient, kind: str) -> None:
    """$validate checks a resource of the type in its address, and of no other."""
    refused(service.post(f"/fhir/{kind}/$validate", content=FERRITIN.encode(), headers=FHIR), 400)


@pytest.mark.parametrize("kind", ["Obsrevation", "observation", "OBSERVATION", "CANARYZhang"])
def test_a15_an_address_of_no_type(service: TestClient, kind: str) -> None:
    """An address that names no resource type is refused, however well the resource fits."""
    body = FERRITIN.replace('"Observation"', f'"{kind}"')
    answer = service.post(f"/fhir/{kind}/$validate", content=body.encode(), headers=FHIR)
    assert answer.status_code in {400, 404}
    refused(answer, answer.status_code)


MADE_UP = '{"extension":[{"url":"https://example.org/e","valueDecimal":0.10}]}'
SIBLINGS = (
    FERRITIN.replace(CANARY, "made up")
    .replace(
        '"status"',
        f'"meta":{{"profile":["https://example.org/p",null],"_profile":[null,{MADE_UP}]}},'
        f'"contained":[{{"resourceType":"Patient","id":"p1","name":[{{"given":[null,"x"],"_given":[{MADE_UP},null]}}],'
        f'"birthDate":"1979","_birthDate":{MADE_UP}}}],"_status":{MADE_UP},"status"',
    )
    .replace('"Patient/hp-a417"', f'"Patient/hp-a417","_display":{MADE_UP}')
    .replace('"effectiveDateTime"', '"performer":[{"reference":"#p1"}],"effectiveDateTime"')
)


def test_a17_siblings_of_a_pulled_result(tmp_path: Path) -> None:
    """Extensions of primitives and padded arrays of what was pulled come back as they came."""
    answer = serving(pulled(tmp_path, SIBLINGS)).get(BASELINE)
    assert points(answer)["ferritin"] == 50
    assert SIBLINGS in answer.text


def test_a17_siblings_of_a_sent_result(service: TestClient) -> None:
    """So do those of what was sent."""
    answer = service.post(SENT, content=parameters(SIBLINGS, more=EVIDENCE), headers=FHIR)
    assert points(answer)["ferritin"] == 50
    assert SIBLINGS in answer.text


def test_a17_an_extension_in_place_of_a_value(service: TestClient) -> None:
    """A value that is only an extension is kept, and is no number: missing, not zero."""
    absent = '"_value":{"extension":[{"url":"https://example.org/hidden","valueString":"CANARY-Zhang"}]}'
    answer = service.post(SENT, content=bundle(FERRITIN.replace('"value":24560', absent), AST), headers=FHIR)
    assert (points(answer).get("ferritin"), points(answer)["ast"]) == (None, 19)
    set_aside(answer)


def test_a17_siblings_of_different_length(service: TestClient) -> None:
    """An array and its sibling that differ in length are an error of that resource alone."""
    spoilt = FERRITIN.replace(
        '"status"', '"meta":{"profile":["https://example.org/p"],"_profile":[null,null]},"status"'
    )
    assert goes_on_without(service, spoilt)
    assert checked(service, spoilt)


RESOLVED = FERRITIN.replace(
    '"subject"', '"contained":[{"resourceType":"Specimen","id":"s1"}],"specimen":{"reference":"#s1"},"subject"'
)


def test_a18_a_fragment_that_is_there(service: TestClient) -> None:
    """A contained resource that is referred to is kept with the result."""
    answer = service.post(SENT, content=parameters(RESOLVED, more=EVIDENCE), headers=FHIR)
    assert points(answer)["ferritin"] == 50
    assert RESOLVED in answer.text


def test_a18_a_fragment_of_a_pulled_result(tmp_path: Path) -> None:
    """So it is with what was pulled."""
    assert RESOLVED in serving(pulled(tmp_path, RESOLVED)).get(BASELINE).text


@pytest.mark.parametrize("contained", ["", '"contained":[{"resourceType":"Specimen","id":"s2"}],'])
def test_a18_a_fragment_that_is_not_there(service: TestClient, contained: str) -> None:
    """A reference to #x without a contained x is an error of that result; its place is named, not its name."""
    spoilt = FERRITIN.replace('"subject"', f'{contained}"specimen":{{"reference":"#{CANARY}"}},"subject"')
    issues = refused(service.post(SENT, content=parameters(spoilt), headers=FHIR), 422)
    assert issues[0]["expression"] == ["Parameters.parameter[0].resource.specimen.reference"]
    assert goes_on_without(service, spoilt)[0]["expression"] == ["Bundle.entry[0].resource.specimen.reference"]
    assert checked(service, spoilt)[0] == "Observation.specimen"


TURNED = FERRITIN.replace('"status"', f'{UNKNOWN_MODIFIER}"status"')


def test_a19_a_modifier_that_nobody_knows(service: TestClient) -> None:
    """Its value is not used: the item is not known, the others count, and that it was set aside is said."""
    answer = service.post(SENT, content=bundle(TURNED, AST), headers=FHIR)
    assert (points(answer).get("ferritin"), points(answer)["ast"]) == (None, 19)
    assert [issue["details"]["coding"][0]["code"] for issue in set_aside(answer)] == ["modifier-extension"]


def test_a19_the_place_of_a_modifier_that_nobody_knows(service: TestClient) -> None:
    """Of several results it is told which one was set aside, as it is for every other mistake."""
    (issue,) = goes_on_without(service, TURNED)
    assert issue["expression"][0].startswith("Bundle.entry[0].resource.modifierExtension")


def test_a19_only_results_with_a_modifier_that_nobody_knows(service: TestClient) -> None:
    """Nothing is measured from it, and it is flagged, whether that is an answer or a refusal."""
    answer = service.post(SENT, content=parameters(TURNED), headers=FHIR)
    assert answer.status_code in {200, 422}
    assert "modifier-extension" in answer.text
    assert "derivedFrom" not in answer.text


def test_a19_a_modifier_of_a_component(service: TestClient) -> None:
    """The same for a component with one: its value is not used."""
    part = '{%s"code":{"coding":[{"system":"http://loinc.org","code":"2276-4"}]},"valueQuantity":{"value":24560,'
    panel = AST.replace(
        '"subject"',
        f'"component":[{part % UNKNOWN_MODIFIER}"system":"http://unitsofmeasure.org","code":"ng/mL"}}}}],"subject"',
    )
    answer = service.post(SENT, content=bundle(panel, AST.replace('"a1"', '"a2"')), headers=FHIR)
    assert (points(answer).get("ferritin"), points(answer)["ast"]) == (None, 19)
    assert [issue["details"]["coding"][0]["code"] for issue in set_aside(answer)] == ["modifier-extension"]


def test_a19_a_modifier_of_a_pulled_result(tmp_path: Path) -> None:
    """A result that was pulled with one is not used, is flagged, and is named."""
    answer = serving(pulled(tmp_path, TURNED, AST)).get(f"{KNOWN}?window=baseline")
    (issue,) = set_aside(answer)
    assert "Observation/f1" not in str(scores(answer))
    assert issue["details"]["coding"][0]["code"] == "modifier-extension"
    assert "Observation/f1" in str(issue)


SCRIPT = "<script>hostile()</script>"
IMAGE = "<img src=x onerror=hostile()>"
HOSTILE = FERRITIN.replace(CANARY, SCRIPT).replace(
    '"subject"',
    f'"text":{{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">{SCRIPT}</div>"}},'
    f'"note":[{{"text":"{IMAGE}"}}],"method":{{"text":"{IMAGE}"}},"performer":[{{"display":"{SCRIPT}"}}],'
    f'"specimen":{{"display":"{IMAGE}"}},"interpretation":[{{"text":"{SCRIPT}"}}],"bodySite":{{"text":"{SCRIPT}"}},'
    '"subject"',
)
HOSTILE_UNIT = HOSTILE.replace('"unit":"ng/mL"', f'"unit":"{SCRIPT}"')


def tags(html: str) -> list[str]:
    """Which of the hostile tags stand in a page as tags."""
    return [tag for tag in ("<script", "<img", "onerror=hostile()>") if tag in html]


@pytest.mark.parametrize("hostile", [HOSTILE, HOSTILE_UNIT], ids=["used", "refused for its unit"])
def test_a21_script_of_a_pulled_result_in_the_report(tmp_path: Path, hostile: str) -> None:
    """Nothing that a laboratory wrote becomes a tag of the page, whose policy allows no script anyway."""
    answer = serving(pulled(tmp_path, hostile)).get("/report")
    policy = answer.headers["content-security-policy"]
    assert (answer.status_code, tags(answer.text)) == (200, [])
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_a21_a_unit_with_script_is_shown_escaped(tmp_path: Path) -> None:
    """What is passed over is shown, as text."""
    page = serving(pulled(tmp_path, HOSTILE_UNIT)).get("/report").text
    assert "&lt;script&gt;hostile()&lt;/script&gt;" in page


@pytest.mark.parametrize("hostile", [HOSTILE, HOSTILE_UNIT], ids=["used", "refused for its unit"])
def test_a21_script_of_a_pulled_result_in_the_narrative(tmp_path: Path, hostile: str) -> None:
    """The narrative of the score is XHTML without any of it."""
    (score,) = scores(serving(pulled(tmp_path, hostile)).get(f"{KNOWN}?window=baseline"))
    names = {element.tag.rpartition("}")[2] for element in ET.fromstring(score["text"]["div"]).iter()}  # noqa: S314 - ours
    assert names <= {"div", "p", "ul", "li"}
    assert "hostile" not in score["text"]["div"]


def test_a21_script_of_a_sent_result_in_the_narrative(service: TestClient) -> None:
    """So it is with what was sent, whoever it is said to be of."""
    whose = HOSTILE.replace('{"reference":"Patient/hp-a417"}', f'{{"identifier":{{"value":"1"}},"display":"{SCRIPT}"}}')
    answer = service.post(SENT, content=bundle(HOSTILE, whose), headers=FHIR)
    assert answer.status_code == 200
    assert [score for score in scores(answer) if tags(score["text"]["div"])] == []


@pytest.mark.parametrize("door", [SENT, CHECKED, KNOWN])
@pytest.mark.parametrize("version", ["5.0", "4.3", "3.0", '"5.0"'])
def test_a22_another_version_in_the_content_type(service: TestClient, door: str, version: str) -> None:
    """Content that says it is R5, R4B or STU3 is a version error, not read as R4."""
    headers = {"Content-Type": f"application/fhir+json; fhirVersion={version}"}
    (issue,) = refused(service.post(door, content=FERRITIN.encode(), headers=headers), 415)
    assert issue["code"] == "not-supported"
    assert "4.0" in issue["diagnostics"]


def test_a22_the_right_version_in_the_content_type(service: TestClient) -> None:
    """4.0 is what is spoken here."""
    headers = {"Content-Type": "application/fhir+json; fhirVersion=4.0"}
    assert points(service.post(SENT, content=parameters(FERRITIN), headers=headers))["ferritin"] == 50


def test_a22_no_version_in_the_content_type(service: TestClient) -> None:
    """What stands in its place is refused and not repeated."""
    headers = {"Content-Type": f"application/fhir+json; fhirVersion={CANARY}"}
    refused(service.post(SENT, content=parameters(FERRITIN), headers=headers), 415)


R5 = FERRITIN.replace(
    '"status"',
    '"triggeredBy":[{"observation":{"reference":"Observation/1"},"type":"reflex"}],'
    '"instantiatesCanonical":"https://example.org/CANARY-Zhang","bodyStructure":{"reference":"BodyStructure/1"},"status"',
)
R5_ELEMENTS = ["triggeredBy", "instantiatesCanonical", "bodyStructure"]


def test_a22_elements_of_r5(service: TestClient) -> None:
    """Elements that only R5 has are named one by one, and the result is not used."""
    issues = refused(service.post(SENT, content=parameters(R5), headers=FHIR), 422)
    named = {issue["expression"][0] for issue in issues}
    assert named == {f"Parameters.parameter[0].resource.{name}" for name in R5_ELEMENTS}


def test_a22_elements_of_r5_beside_a_good_result(service: TestClient) -> None:
    """The others count."""
    named = {issue["expression"][0] for issue in goes_on_without(service, R5)}
    assert named == {f"Bundle.entry[0].resource.{name}" for name in R5_ELEMENTS}


def test_a22_elements_of_r5_are_not_valid(service: TestClient) -> None:
    """$validate names them too, where they would belong."""
    answer = service.post(CHECKED, content=R5.encode(), headers=FHIR)
    told = [issue for issue in answer.json()["issue"] if issue["severity"] == "error"]
    assert [issue["expression"] for issue in told] == [["Observation"]] * len(R5_ELEMENTS)
    assert all(any(repr(name) in issue["diagnostics"] for issue in told) for name in R5_ELEMENTS)


@pytest.mark.parametrize("kind", ["ActorDefinition", "Transport", "SubscriptionTopic", "NutritionIntake"])
def test_a22_a_type_of_r5(service: TestClient, kind: str) -> None:
    """A resource type that only R5 or R4B has is none here."""
    body = f'{{"resourceType":"{kind}","id":"{CANARY}"}}'.encode()
    (issue,) = refused(service.post(f"/fhir/{kind}/$validate", content=body, headers=FHIR), 404)
    assert "R4" in issue["diagnostics"]


def test_a22_a_type_of_r5_beside_a_good_result(service: TestClient) -> None:
    """In a Bundle it is named rather than passed over in silence."""
    goes_on_without(service, '{"resourceType":"ActorDefinition","status":"draft"}')
