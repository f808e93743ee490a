"""Whether a narrative holds only what FHIR allows there, and whether other texts hold what a browser would run.

Sources: https://hl7.org/fhir/R4/narrative.html, txt-1 and txt-2; elements and attributes are those that HL7's engine
accepts. The text is read by an XML parser to which every document type is refused, so that nothing can be expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.issues import Severity
from fhir_adapter.validation.findings import is_safe_name, one_of
from fhir_adapter.validation.lists import Further

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.plan import TypeRef
    from fhir_adapter.validation.run import Run

XHTML: Final = "http://www.w3.org/1999/xhtml"

_ELEMENTS = """
a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6
hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var
"""
_ATTRIBUTES = """
abbr accesskey align axis char charoff class colspan dir headers id lang rowspan scope span style tabindex title valign
width xml:lang xml:space xmlns
"""
_ALLOWED_ELEMENTS = frozenset(_ELEMENTS.split())
_ALLOWED_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_ATTRIBUTES_OF = {
    "a": frozenset(("charset", "coords", "href", "hreflang", "name", "rel", "rev", "shape", "type")),
    "area": frozenset(("alt", "coords", "href", "nohref", "shape")),
    "blockquote": frozenset(("cite",)),
    "img": frozenset(("alt", "border", "height", "ismap", "longdesc", "src", "usemap")),
    "map": frozenset(("name",)),
    "q": frozenset(("cite",)),
    "table": frozenset(("border", "cellpadding", "cellspacing", "frame", "rules", "summary")),
    "td": frozenset(("nowrap",)),
}
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:")
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]+")
_RUNS = ("javascript:", "vbscript:")
_LITERAL = ("urn:", "cid:")
_RUNS_IN_STYLE = ("javascript:", "vbscript:", "expression(", "-moz-binding")

_INLINE = "p|b|i|h[1-6]|pre|code|span|em|strong|div"
_PLAIN = re.compile(rf'<div xmlns="{XHTML}">(?:[^<&]++|<({_INLINE})>[^<&]*+</\1>|<br ?/>)*+</div>')
"""A narrative of text and of elements without attributes, none within another: nothing of it can be wrong."""
_CONTENT = re.compile(r">\s*+[^<\s]")

_TAG = re.compile(r"<[A-Za-z]\w*(?:\s[^<>]*)?/?>")
_TAG_IN_MARKDOWN = re.compile(r"(?<!\\)</?[A-Za-z][A-Za-z0-9-]*[\s>]|<[!?]")

_REMEMBERED, _SHORT = 256, 8_000
"""How many narratives are remembered, and up to what length: the same one stands in many resources."""


@dataclass(slots=True)
class Reading:
    """What was found in one narrative."""

    problem: str | None = None
    """Why it cannot be read to its end."""
    is_empty: bool = True
    elements: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    """Attributes whose value would run something."""
    addresses: set[str] = field(default_factory=set)
    """What else is wrong with addresses."""
    links: list[str] = field(default_factory=list)
    """The names to which its links within the resource lead."""
    names: list[str] = field(default_factory=list)
    """The names of its own places."""


def text_checks(engine: Engine, ref: TypeRef) -> Iterator[Further]:
    """What is asked of texts of a type beyond its format: a narrative, and HTML where it does not belong."""
    if ref.code == "xhtml":
        yield check_narrative
    elif engine.options.security_checks and not engine.is_a(ref.code, "uri"):
        yield _check_plain
    elif ref.code == "markdown":
        yield _check_markdown


def check_narrative(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
    """Check one narrative (`Narrative.div`)."""
    if not isinstance(value, str) or _is_plain(value):
        return
    found = read_narrative(value)
    for rule, message in _defects(found):
        run.error("narrative", message, path, rule)
    if found.links:
        _check_links(found, path, run)


def read_narrative(text: str) -> Reading:
    """Look through a narrative; of a short one the answer is remembered, and must not be changed."""
    return _remembered(text) if len(text) <= _SHORT else _read(text)


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and _CONTENT.search(text) is not None and "]]>" not in text


# What is wrong


def _defects(found: Reading) -> Iterator[tuple[str, str]]:
    others = sorted(found.addresses) if found.problem is None else [found.problem, *sorted(found.addresses)]
    if others:
        yield "Narrative.div", "; ".join(others)
    if found.is_empty and found.problem is None:
        yield "txt-2", "txt-2: a narrative must have some content that is no blank"
    parts = [f"what must not stand in a narrative: {_shown(found.elements + found.attributes)}"]
    parts = parts if found.elements or found.attributes else []
    if found.runs:
        parts.append(f"what a browser would run, in {_shown(found.runs)}")
    if parts:
        yield "txt-1", f"txt-1: {'; '.join(parts)}"


def _shown(names: Iterable[str]) -> str:
    known = sorted({name if is_safe_name(name) else "(no name)" for name in names})
    return one_of(known)


def _check_links(found: Reading, path: str, run: Run) -> None:
    """A link `#name` leads to a place in the narrative, an element of the resource, or one of its Bundle."""
    ahead = set(found.links).difference(found.names)
    if ahead and not ahead <= run.surroundings.names(_names_in):
        message = "a link #name leads nowhere: nothing in the resource or its Bundle has this id"
        run.error("narrative-link", message, path, "Narrative.div")


def _names_in(text: str) -> list[str]:
    return [] if _is_plain(text) else read_narrative(text).names


# Other texts


def _check_plain(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, str) and "<" in value and _TAG.search(value):
        message = "the text looks like HTML, which must not be here, since a browser might run it"
        run.error("html-in-text", message, path, "security")


def _check_markdown(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, str) and "<" in value and _TAG_IN_MARKDOWN.search(value):
        severity: Severity = "warning"
        message = "the markdown holds what looks like HTML; it is shown as text, so see whether that is meant"
        run.report(severity, "html-in-text", message, path, "markdown")


# Reading


class _RefusedError(Exception):
    """Something stands in the narrative that ends the reading."""


def _read(text: str) -> Reading:
    from xml.parsers import expat  # noqa: PLC0415 - only narratives that are not plain need it

    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.refuse_type
    parser.ProcessingInstructionHandler = reader.refuse_instruction
    try:
        parser.Parse(text, True)  # noqa: FBT003 - the whole text, says the parser
    except _RefusedError as error:
        reader.found.problem = str(error)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        code = getattr(error, "code", None)
        why = expat.ErrorString(code) if code is not None else "characters that no text may hold"
        reader.found.problem = f"the narrative is no well-formed XHTML: {why}"
    return reader.found


_remembered = lru_cache(_REMEMBERED)(_read)


class _Reader:
    """Looks at each element as it comes."""

    def __init__(self) -> None:
        self.found = Reading()
        self._is_root = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        found = self.found
        if self._is_root:
            self._is_root = False
            if name != "div" or attributes.get("xmlns") != XHTML:
                raise _RefusedError(f"a narrative is one <div> of the namespace {XHTML}")
        if name not in _ALLOWED_ELEMENTS:
            found.elements.append(name)
        elif name == "img":
            found.is_empty = False
        if attributes:
            self._look_at(name, attributes)

    def characters(self, text: str) -> None:
        if self.found.is_empty and not text.isspace():
            self.found.is_empty = False

    def refuse_type(self, *_what: object) -> None:
        raise _RefusedError("a narrative must not declare a document type, by which much could be hidden in it")

    def refuse_instruction(self, *_what: object) -> None:
        raise _RefusedError("a narrative must not hold a processing instruction")

    def _look_at(self, element: str, attributes: dict[str, str]) -> None:
        found, further = self.found, _ATTRIBUTES_OF.get(element, frozenset())
        for name, value in attributes.items():
            if name not in _ALLOWED_ATTRIBUTES and name not in further and not name.startswith("xmlns:"):
                found.attributes.append(name)
            elif name in ("href", "src"):
                self._address(element, name, value)
            elif name == "style" and any(each in _UNSEEN.sub("", value).lower() for each in _RUNS_IN_STYLE):
                found.runs.append(name)
            elif name == "xmlns" and value != XHTML:
                found.elements.append(element)
            elif name == "id" or (name == "name" and element == "a"):
                found.names.append(value)

    def _address(self, element: str, name: str, value: str) -> None:
        found = self.found
        scheme = _SCHEME.match(_UNSEEN.sub("", value).lower())
        if scheme is not None and scheme[0] in _RUNS:
            found.runs.append(name)
        elif element == "a" and not value.strip():
            found.addresses.add("the address of a link is empty")
        elif element == "a" and scheme is not None and scheme[0] in _LITERAL:
            found.addresses.add("a link cannot lead to an urn")
        elif value.startswith("#") and len(value) > 1:
            found.links.append(value[1:])
