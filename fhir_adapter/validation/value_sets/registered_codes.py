"""Whether a text can be a media type, a language tag or a currency: registers that no FHIR package holds.

Sources: RFC 6838 and BCP 13 (media types), BCP 47 with ISO 639-1 (language tags), ISO 4217 (currencies).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from fhir_adapter.validation.value_sets.answers import NO, YES, Answer, unknown, yes_if

_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
# What follows the semicolon is not judged: `variant=DICOM WADO-RS`, with a blank, stands in HL7's own examples.
_MEDIA_TYPE = re.compile(rf"({_NAME})/{_NAME}[ \t]*(?:;[ -~]*)?", re.ASCII)
_KINDS: Final = frozenset(
    ("application", "audio", "font", "haptics", "image", "message", "model", "multipart", "text", "video")
)
_SHORT: Final = frozenset({"json", "xml", "ttl"})
"""What FHIR calls its own formats, in CapabilityStatement.format for example."""

_TAG = re.compile(
    r"(?P<language>[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z]{4})?"
    r"(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-(?:[A-Za-z0-9]{5,8}|\d[A-Za-z0-9]{3})){0,8}"
    r"(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8}){1,8}){0,8}(?:-[xX](?:-[A-Za-z0-9]{1,8}){1,8})?",
    re.ASCII,
)
_IRREGULAR = re.compile(r"[xX](?:-[A-Za-z0-9]{1,8}){1,8}|[iI]-[A-Za-z0-9]{2,8}|sgn-[A-Za-z]{2}-[A-Za-z]{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)

_NO_LANGUAGES: Final = unknown("the register of languages is not at hand")
_NO_CURRENCIES: Final = unknown("the register of currencies of other years is not at hand")


def media_type(code: str) -> Answer:
    """Whether a text is a media type; new ones are registered every week, so the form is what counts."""
    found = _MEDIA_TYPE.fullmatch(code)
    if found is None:
        return yes_if(code in _SHORT)
    return YES if found[1].lower() in _KINDS else unknown("the media type is of no registered kind")


def language_tag(code: str) -> Answer:
    """Whether a text is a language tag."""
    found = _TAG.fullmatch(code)
    if found is None:
        return _NO_LANGUAGES if _IRREGULAR.fullmatch(code) else NO
    return YES if found["language"].split("-")[0].lower() in _register("languages.txt") else _NO_LANGUAGES


def currency(code: str) -> Answer:
    """Whether a text is a currency of today or may be one of another year."""
    if _CURRENCY.fullmatch(code):
        return YES if code in _register("currencies.txt") else _NO_CURRENCIES
    return NO


@cache
def _register(name: str) -> frozenset[str]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return frozenset(code for line in lines if not line.startswith("#") for code in line.split())
