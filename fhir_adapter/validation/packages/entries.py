"""Which definitions a JSON file holds: their kinds and addresses, found quickly; the rest is read when it is needed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from fhir_adapter import fhirjson
from fhir_adapter.issues import Severity
from fhir_adapter.validation.packages.refusals import LIMITS, UNREADABLE, Limits

Json = dict[str, Any]

_BOM: Final = b"\xef\xbb\xbf"
_KIND: Final = re.compile(r"[A-Za-z]{1,64}")
_ADDRESS: Final = re.compile(r"[^\s\x00-\x20\x7f]{1,2048}")
_ADDRESSED: Final = frozenset({"StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap"})
_QUICKLY: Final = 1
"""The level of compression: definitions shrink to a tenth even so."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file, or a definition in it, that cannot be used; `code` is that of the issue."""

    file: str
    code: str
    message: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition of a package, kept compressed until it is asked for."""

    kind: str
    address: str
    version: str | None
    file: str
    packed: bytes

    def text(self) -> bytes:
        """The JSON as it was given."""
        return zlib.decompress(self.packed)

    def read(self) -> Json:
        """The definition; raises `fhirjson.JsonError` for what other readers of JSON take and FHIR does not."""
        definition: Json = fhirjson.loads(self.text())
        return definition


def entries_of(file: str, content: bytes, *, with_bundles: bool, limits: Limits = LIMITS) -> Iterator[Entry | Unusable]:
    """The definitions in one JSON file, and what cannot be used; a Bundle is looked into where `with_bundles` says."""
    if containers(content) > limits.containers or content.count(b",") > limits.values:
        yield Unusable(file, UNREADABLE, "too many values in one file")
        return
    try:
        resource = orjson.loads(content.removeprefix(_BOM))
    except orjson.JSONDecodeError as error:
        yield Unusable(file, UNREADABLE, f"line {error.lineno} column {error.colno}: no JSON, or nested too deep")
        return
    if not isinstance(resource, dict):
        return
    if with_bundles and resource.get("resourceType") == "Bundle":
        yield from _of_bundle(file, content)
    else:
        yield from _entry(resource, file, content)


def _of_bundle(file: str, content: bytes) -> Iterator[Entry | Unusable]:
    try:
        bundle = fhirjson.loads(content)
    except fhirjson.JsonError as error:
        yield Unusable(file, UNREADABLE, f"no JSON as FHIR has it: {error}")
        return
    listed = bundle.get("entry")
    for each in listed if isinstance(listed, list) else []:
        resource = each.get("resource") if isinstance(each, dict) else None
        if isinstance(resource, dict):
            yield from _entry(resource, file, fhirjson.dumps(resource))


def _entry(resource: Json, file: str, content: bytes) -> Iterator[Entry | Unusable]:
    kind, url = resource.get("resourceType"), resource.get("url")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return
    if isinstance(url, str) and _ADDRESS.fullmatch(url):
        stated = resource.get("fhirVersion") if kind == "StructureDefinition" else None
        if isinstance(stated, str) and not is_r4(stated):
            yield Unusable(file, "definition-fhir-version", "it is for another version of FHIR; right is 4.0.1")
        else:
            # Some tables of HL7 V2 have their version in the url.
            address, _, version = url.partition("|")
            yield Entry(kind, address, version or text(resource.get("version")), file, zlib.compress(content, _QUICKLY))
    elif kind in _ADDRESSED:
        message = f"a {kind} without a usable url: nothing can refer to it"
        yield Unusable(file, "definition-no-url", message, "warning")


def containers(content: bytes) -> int:
    """How many objects and arrays a text has at most."""
    return content.count(b"{") + content.count(b"[")


def text(value: object) -> str | None:
    """A text of a definition; None for anything else."""
    return value if isinstance(value, str) else None


def is_r4(version: str) -> bool:
    """Whether a version of FHIR is R4: 4.0.1, or an earlier text of it."""
    return version == "4.0" or version.startswith("4.0.")
