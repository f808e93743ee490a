"""What is said of a narrative that holds more than FHIR allows, and of HTML in other texts."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.engine import Engine, Options
from fhir_adapter.validation.narrative import XHTML, check_narrative, text_checks
from fhir_adapter.validation.plan import TypeRef
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

Json = dict[str, Any]
Found = list[tuple[str, str | None]]

PATH = "Patient.text.div"
LAUGHS = '<!DOCTYPE div [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


def run_over(text: object, root: Json | None = None) -> Run:
    """What is found of a narrative in a resource."""
    run = Run("Patient/1", root or {}, Surroundings.of(root or {}), {})
    check_narrative(text, None, PATH, run)
    return run


def found(inner: str, root: Json | None = None) -> Found:
    """Code and rule of every issue of a narrative with this content; all are errors at the narrative."""
    issues = run_over(f'<div xmlns="{XHTML}">{inner}</div>', root).issues
    assert all((issue.severity, issue.where.expression) == ("error", PATH) for issue in issues)
    return [(issue.code, issue.rule) for issue in issues]


@pytest.mark.parametrize(
    "inner",
    [
        "Made up",
        "<p>Made up</p><br/><h2>x</h2>",
        "<p><b>Made</b> up: 5 &lt; 6 &amp; 7 &#160;</p>",
        '<table border="1" class="grid"><tbody><tr><td colspan="2" style="color: red">x</td></tr></tbody></table>',
        '<a href="https://example.org" title="x">x</a><a name="y">y</a>',
        '<img src="picture.png" alt="a picture"/>',
        '<p lang="en" xml:lang="en">x</p><!-- a remark -->',
        '<address>x</address><bdo dir="rtl">x</bdo><kbd>x</kbd>',
        '<p xmlns:x="urn:x">x</p>',
    ],
)
def test_formatting_links_tables_and_pictures_are_right(inner: str) -> None:
    """The elements and attributes of the page of the specification."""
    assert found(inner) == []


@pytest.mark.parametrize(
    "inner",
    [
        "x<script>alert(1)</script>",
        '<p onclick="alert(1)">x</p>',
        '<form action="x"><input name="y"/></form>x',
        '<iframe src="x"/>x',
        "<style>p {}</style>x",
        '<link rel="stylesheet" href="x"/>x',
        '<object data="x">x</object>',
        '<p xmlns="http://www.w3.org/2000/svg">x</p>',
        "<x:p xmlns:x='http://www.w3.org/1999/xhtml'>x</x:p>",
        "<P>x</P>",
        '<p href="x">x</p>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" Java&#10;Script&#58;alert(1)">x</a>',
        '<a href="vbscript:x">x</a>',
        '<img src="javascript:alert(1)"/>',
        '<p style="width: expression(alert(1))">x</p>',
        '<p style="background: url(javascript:alert(1))">x</p>',
    ],
)
def test_what_a_browser_would_run_or_load_is_an_error(inner: str) -> None:
    """txt-1, with all that is wrong in one issue."""
    assert found(inner) == [("narrative", "txt-1")]


def test_the_names_of_what_must_not_be_there_are_told_and_nothing_else() -> None:
    """Elements and attributes by name; no text, no address."""
    inner = '<script>secret</script><p onclick="secret()">x</p><a href="javascript:secret">x</a>'
    (issue,) = run_over(f'<div xmlns="{XHTML}">{inner}</div>').issues
    assert "'onclick', 'script'" in issue.message
    assert "'href'" in issue.message
    assert "secret" not in issue.message


@pytest.mark.parametrize(
    "inner", ["", "  \n ", "<p> </p>", "<p><b/></p>", "<table><tr><td> </td></tr></table>", "<br/>"]
)
def test_a_narrative_without_content_is_an_error(inner: str) -> None:
    """txt-2."""
    assert found(inner) == [("narrative", "txt-2")]


@pytest.mark.parametrize(
    "text",
    [
        "<p>x</p>",
        "<div>x</div>",
        '<div xmlns="http://www.w3.org/2000/svg">x</div>',
        f'<div xmlns="{XHTML}">x',
        f'<div xmlns="{XHTML}">x</div><div/>',
        f'<div xmlns="{XHTML}"><p>x</b></div>',
        f'<div xmlns="{XHTML}">&nbsp;</div>',
        f'<div xmlns="{XHTML}">a]]>b</div>',
        f'<div xmlns="{XHTML}"><?php x?>x</div>',
        f'{LAUGHS}<div xmlns="{XHTML}">&b;</div>',
        f'<!DOCTYPE div SYSTEM "file:///etc/passwd"><div xmlns="{XHTML}">x</div>',
        f'<div xmlns="{XHTML}"><p id="x">\ud800</p></div>',
        f'<div xmlns="{XHTML}"><a href="">x</a></div>',
        f'<div xmlns="{XHTML}"><a href="urn:uuid:1">x</a></div>',
    ],
)
def test_what_cannot_be_read_as_one_div_is_an_error(text: str) -> None:
    """Not well-formed, another element, another namespace, a document type, an instruction, an address that is none."""
    assert [(issue.code, issue.rule) for issue in run_over(text).issues] == [("narrative", "Narrative.div")]


def test_a_narrative_that_is_very_deep_or_long_is_read_in_a_moment() -> None:
    """A hundred thousand elements within each other."""
    deep = 100_000
    assert found("<b>" * deep + "x" + "</b>" * deep) == []
    assert found("<b>" * deep) == [("narrative", "Narrative.div")]
    assert found("<p>x</p>" * deep) == []
    assert found("<p>x<p>" * deep) == [("narrative", "Narrative.div")]


@pytest.mark.parametrize("text", [None, 7, ["x"], {"x": 1}])
def test_what_is_no_text_is_told_elsewhere(text: object) -> None:
    """The type of the JSON value is a rule of the element."""
    assert run_over(text).issues == []


# Links within


def test_a_link_to_a_name_leads_into_the_narrative_the_resource_or_its_bundle() -> None:
    """An id or a name in the narrative, the id of an element or of a contained resource, a name in another entry."""
    link = '<a href="#there">x</a>'
    other = f'<div xmlns="{XHTML}"><p id="there">x</p></div>'

    assert found(f'{link}<p id="there">x</p>') == []
    assert found(f'{link}<a name="there">x</a>') == []
    assert found(link, {"resourceType": "Patient", "contact": [{"id": "there"}]}) == []
    assert found(link, {"resourceType": "Patient", "contained": [{"resourceType": "Device", "id": "there"}]}) == []
    assert found(link, {"resourceType": "Bundle", "entry": [{"resource": {"text": {"div": other}}}]}) == []
    assert found('<a href="#">x</a>') == []


def test_a_link_to_a_name_that_nothing_has_is_an_error() -> None:
    """As HL7's own engine has it, of pictures too."""
    root = {"resourceType": "Patient", "text": {"div": f'<div xmlns="{XHTML}"><p>x</p></div>'}}
    assert found('<a href="#nowhere">x</a>', root) == [("narrative-link", "Narrative.div")]
    assert found('<img src="#nowhere"/>') == [("narrative-link", "Narrative.div")]


# Other texts


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    """The definitions of R4."""
    return Definitions.of()


def in_text(definitions: Definitions, kind: str, text: object, *, security: bool = False) -> list[tuple[str, str]]:
    """Severity and code of what is found of a text of a type."""
    run = Run("Patient/1", {}, Surroundings.of({}), {})
    for check in text_checks(Engine(definitions, Options(security_checks=security)), TypeRef(kind)):
        check(text, None, "Patient.name[0].text", run)
    return [(issue.severity, issue.code) for issue in run.issues]


@pytest.mark.parametrize("text", ["Standard <script>x</script>", "<img src='x' onerror='y'>", "a <b>c", "<br/>"])
def test_html_in_a_plain_text_is_an_error_when_asked_for(definitions: Definitions, text: str) -> None:
    """The option `security_checks`; without it nothing is said."""
    assert in_text(definitions, "string", text, security=True) == [("error", "html-in-text")]
    assert in_text(definitions, "markdown", text, security=True) == [("error", "html-in-text")]
    assert in_text(definitions, "string", text) == []


@pytest.mark.parametrize("text", ["5 < 6 > 4", "a <= b", "<3", "x", "< b>", 7, None])
def test_what_only_looks_a_little_like_html_is_right(definitions: Definitions, text: object) -> None:
    """Comparisons, and what is no text."""
    assert in_text(definitions, "string", text, security=True) == []


def test_html_in_markdown_is_a_warning(definitions: Definitions) -> None:
    """It is shown as text; an escaped one is meant so."""
    assert in_text(definitions, "markdown", "<resource type>\\<id>") == [("warning", "html-in-text")]
    assert in_text(definitions, "markdown", "see <!-- x -->") == [("warning", "html-in-text")]
    assert in_text(definitions, "markdown", "\\<id> and 5 < 6") == []


def test_a_narrative_is_looked_at_with_the_checks_of_texts(definitions: Definitions) -> None:
    """The type xhtml has its own check."""
    assert in_text(definitions, "xhtml", "<p>x</p>", security=True) == [("error", "narrative")]
