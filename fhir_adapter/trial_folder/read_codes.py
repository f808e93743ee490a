"""How codes.yaml becomes code tables: words that decide something must lead to words that their users know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_adapter.issues import Issue, Misconfigured
from fhir_adapter.trial_folder.codes import Code, Codes, DoseUnit, Panel, Test
from fhir_adapter.trial_folder.yaml_file import Document

LOINC = "http://loinc.org"

_TARGETS: Mapping[str, frozenset[str]] = {
    "criterion": frozenset({"inclusion", "exclusion"}),
    "given": frozenset({"completed", "not-done"}),
    "status": frozenset({"done", "not-done"}),
    "disposition_counts": frozenset({"milestone", "end"}),
    "eligibility": frozenset({"met", "not-met", "unknown", "manual"}),
    "hscore_item": frozenset(
        {"hepatomegaly", "splenomegaly", "hepatosplenomegaly", "marrow_hemophagocytosis", "known_immunosuppression"}
    ),
    "finding_present": frozenset({"present", "absent"}),
    "criteria_item": frozenset(
        {"soluble_cd25", "nk_activity", "spleen_hemophagocytosis", "node_hemophagocytosis", "molecular_diagnosis"}
    ),
    "mas_2016_population": frozenset({"sjia", "aosd", "sle"}),
    "not_interpretable_after": frozenset({"soluble_cd25", "nk_activity"}),
}
"""What the tables lead to that decide between few ways: another word would decide silently."""
_ONE_EACH = ("eligibility", "hscore_item", "finding_present", "steroid", "criteria_item", "mas_2016_population")
"""Tables of which every word leads to exactly one code."""


def read_codes(document: Document) -> Codes:
    """The code tables of a trial; raises `Misconfigured` for tables that lead to what nobody knows."""
    stated = document.value
    maps = {name: _map(table) for name, table in stated.get("maps", {}).items()}
    issues = list(_wrong_targets(document, maps))
    if issues:
        raise Misconfigured("tables of codes.yaml that lead to unknown words", *issues)
    return Codes(
        maps=maps,
        tests={name: _test(name, test) for name, test in stated.get("tests", {}).items()},
        panels=tuple(_panel(name, panel) for name, panel in stated.get("panels", {}).items()),
        units=stated.get("units", {}),
        dictionaries=stated.get("dictionaries", {}),
        dose_units={name: _dose_unit(unit) for name, unit in stated.get("dose_units", {}).items()},
    )


def _wrong_targets(document: Document, maps: Mapping[str, Mapping[str, tuple[Code, ...]]]) -> Iterator[Issue]:
    for name, table in maps.items():
        for word, codes in table.items():
            problem = _wrong_target(name, codes)
            if problem:
                yield document.issue("wrong-target", problem, "maps", name, "codes", word)


def _wrong_target(name: str, codes: tuple[Code, ...]) -> str:
    """What is wrong with what a word leads to; empty when nothing is."""
    if name in _ONE_EACH and len(codes) != 1:
        return "this word must lead to exactly one code"
    known = _TARGETS.get(name)
    for code in codes:
        if known is not None and code.code not in known:
            return f"{code.code!r} is not one of {', '.join(sorted(known))}"
        if name == "steroid" and not _is_factor(code.code):
            return f"{code.code!r} is no factor to prednisolone such as 1.25"
    return ""


def _is_factor(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and number >= 0


def _map(table: Mapping[str, Any]) -> dict[str, tuple[Code, ...]]:
    system = table.get("system", "")
    return {word: tuple(_code_list(stated, system)) for word, stated in table["codes"].items()}


def _code_list(stated: Any, system: str) -> list[Code]:  # noqa: ANN401 - one of the forms that the schema allows
    if stated is None:
        return []
    if isinstance(stated, str):
        return [Code(system, stated)]
    many = stated if isinstance(stated, list) else [stated]
    return [Code(one.get("system", system), one["code"], one.get("display", "")) for one in many]


def _loinc(stated: Mapping[str, str]) -> tuple[Code, ...]:
    return (Code(LOINC, stated["loinc"], stated.get("display", "")),) if "loinc" in stated else ()


def _test(name: str, stated: Mapping[str, str]) -> Test:
    return Test(name, _loinc(stated), stated.get("unitless"), stated.get("standard_unitless"))


def _panel(name: str, stated: Mapping[str, Any]) -> Panel:
    return Panel(name, stated["title"], _loinc(stated), tuple(stated["members"]))


def _dose_unit(stated: Mapping[str, str]) -> DoseUnit:
    return DoseUnit(Decimal(stated["factor"]), stated["ucum"])
