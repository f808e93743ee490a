"""A resource in FHIR's XML form as its JSON value, for the inputs of the official suite.

The rules are those of http://hl7.org/fhir/R4/json.html; the element model says what repeats and what is a number.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from fhir_adapter.fhirpath.model import Child, Model, load_model

FHIR = "{http://hl7.org/fhir}"
XHTML = "http://www.w3.org/1999/xhtml"

Json = dict[str, Any]


def read_xml(text: str | bytes) -> Json:
    """The JSON value of a resource written in XML; decimals keep their digits."""
    return _resource(ET.fromstring(text), load_model())  # noqa: S314 - files of this repository


def _resource(element: ET.Element, model: Model) -> Json:
    name = _name(element)
    return {"resourceType": name} | _complex(element, name, model)


def _complex(element: ET.Element, kind: str, model: Model) -> Json:
    found = model.type(kind)
    assert found is not None, kind
    out: Json = {key: value for key, value in element.attrib.items() if not key.startswith("{")}
    for each in element:
        child, its_kind = found.by_key[_name(each)]
        _put(out, _name(each), child, _value(each, its_kind, model))
    return out


def _value(element: ET.Element, kind: str, model: Model) -> tuple[Any, Json | None]:
    """The value and, for a primitive, what its sibling with the underscore says."""
    if kind == "xhtml":
        return _narrative(element), None
    if model.is_resource(kind):
        return _resource(element[0], model), None
    found = model.type(kind)
    assert found is not None, kind
    if found.kind != "primitive":
        return _complex(element, kind, model), None
    written = element.attrib.get("value")
    sibling = _complex(element, kind, model)
    sibling.pop("value", None)
    return None if written is None else _primitive(written, model.system_type(kind)), sibling or None


def _primitive(written: str, system_type: str | None) -> bool | int | Decimal | str:
    if system_type == "Boolean":
        return written == "true"
    if system_type == "Integer":
        return int(written)
    return Decimal(written) if system_type == "Decimal" else written


def _put(out: Json, key: str, child: Child, found: tuple[Any, Json | None]) -> None:
    value, sibling = found
    if not child.many:
        out |= {} if value is None else {key: value}
        out |= {} if sibling is None else {f"_{key}": sibling}
        return
    out.setdefault(key, []).append(value)
    if sibling is not None or f"_{key}" in out:
        siblings = out.setdefault(f"_{key}", [])
        siblings += [None] * (len(out[key]) - 1 - len(siblings)) + [sibling]


def _narrative(element: ET.Element) -> str:
    ET.register_namespace("", XHTML)
    return ET.tostring(element, encoding="unicode").rstrip()


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
