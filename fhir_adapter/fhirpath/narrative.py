"""Whether a narrative holds only what FHIR allows there (http://hl7.org/fhir/R4/narrative.html, txt-1 and txt-2).

Formatting, tables, links and pictures; nothing that runs, loads or asks; and some content. The text is read by an XML
parser that knows no document types, so it declares no entities.
"""

from __future__ import annotations

from typing import Any

_ELEMENTS = """
a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6
hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var
"""
_ATTRIBUTES = """
abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff
charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc
name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign
value vspace width xml:lang xml:space xmlns
"""
_ALLOWED_ELEMENTS = frozenset(_ELEMENTS.split())
_ALLOWED_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_XHTML = "http://www.w3.org/1999/xhtml"


class _NotAllowed(Exception):
    """Something stands in the narrative that must not."""


def is_safe_narrative(text: Any) -> bool:  # noqa: ANN401 - the value may be anything that JSON holds
    """True for a `div` of XHTML with allowed elements and attributes only, and with some content."""
    if not isinstance(text, str):
        return False
    from xml.parsers import expat  # noqa: PLC0415 - only narratives need it

    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.ProcessingInstructionHandler = reader.refuse
    try:
        parser.Parse(text, True)  # noqa: FBT003 - the whole text, says the parser
    except (_NotAllowed, expat.ExpatError, UnicodeEncodeError):
        return False
    return reader.has_content


class _Reader:
    """Looks at each element as it comes."""

    def __init__(self) -> None:
        self.has_content = False
        self._is_root = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        is_div = name == "div" and attributes.get("xmlns") == _XHTML
        if (
            (self._is_root and not is_div)
            or name not in _ALLOWED_ELEMENTS
            or not _ALLOWED_ATTRIBUTES.issuperset(attributes)
        ):
            raise _NotAllowed
        self._is_root = False
        self.has_content = self.has_content or name == "img"

    def characters(self, text: str) -> None:
        self.has_content = self.has_content or bool(text.strip())

    def refuse(self, *_what: object) -> None:
        raise _NotAllowed
