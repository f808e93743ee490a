"""Which FHIR Shorthand do the tables of codes and units make: code system, value sets, profiles and maps of analytes.

No code stands in two places: `analytes.toml` and `findings.toml` say what is read, trial folders what sites call it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_adapter.mappers import context_of
from fhir_adapter.terminology.tables import HSCORE_ITEM, LOINC, Analyte, analytes, findings
from fhir_adapter.trial_folder import read_trial_folder, trial_path

TRIALS = ("cdisc-pilot-18", "nct02569463")
"""The trials that come with the program, whose tests are mapped to analytes."""

BASE = "https://w3id.org/fhir-adapter"
_UCUM = "http://unitsofmeasure.org"
_ANALYTE = f"{BASE}/CodeSystem/analyte"
_NOTICE_OF_LOINC = (
    "This material contains content from LOINC (https://loinc.org). LOINC is copyright Regenstrief Institute, Inc. and "
    "the LOINC Committee and is available at no cost under the licence at https://loinc.org/license."
)
_NOTICE_OF_FINDINGS = (
    "SNOMED CT codes are single references; SNOMED CT is copyright SNOMED International. Codes of the Human Phenotype "
    "Ontology (https://hpo.jax.org) are used with attribution."
)
_ABOUT_ANALYTES = (
    "What a result is of, whatever code a laboratory has for it: the analytes of the HScore and of its companions. "
    "The definition names the unit in which values are compared."
)
_ABOUT_ONE = (
    "one of its LOINC codes, and a unit that is a unit of it. Results name trial-laboratory-result; this profile "
    "checks the unit, too."
)
_TITLES = {"ast": "AST", "alt": "ALT", "crp": "CRP", "esr": "ESR", "ldh": "LDH"}
_WIDER, _NARROWER, _EQUAL = "wider", "narrower", "equivalent"

Pair = tuple[str, str, str]
"""Source code, target code, and how wide the target is."""


def shorthand() -> str:
    """All of it, as one file of FHIR Shorthand."""
    table = dict(sorted(analytes().items()))
    parts = [_code_system(table), *(_value_sets(*one) for one in table.items())]
    parts += [_profile(name) for name, one in table.items() if one.scored and name != "temperature"]
    parts += [_loinc_map(table), _finding_map(), *map(_site_map, TRIALS)]
    return "\n".join(line for part in parts for line in part)


def _code_system(table: dict[str, Analyte]) -> Iterator[str]:
    yield from (
        "CodeSystem: AnalyteCodes",
        "Id: analyte",
        'Title: "Analytes"',
        f'Description: "{_ABOUT_ANALYTES}"',
        "* insert Definition",
        "* ^caseSensitive = true",
    )
    for name, one in table.items():
        scored = "Scored by the HScore" if one.scored else "Read and shown, not scored"
        yield f'* #{_dashed(name)} "{_title(name)}" "{scored}; compared in {one.unit}."'
    yield ""


def _value_sets(name: str, one: Analyte) -> Iterator[str]:
    yield from (
        f"ValueSet: Analyte{_camel(name)}",
        f"Id: analyte-{_dashed(name)}",
        f'Title: "LOINC codes of {_title(name)}"',
        f'Description: "The codes that are read as {_title(name)}. Look-alikes are left out."',
        "* insert Definition",
        f'* ^copyright = "{_NOTICE_OF_LOINC}"',
        *(f"* {LOINC}#{code}" for code in sorted(one.codes)),
        "",
        f"ValueSet: Analyte{_camel(name)}Units",
        f"Id: analyte-{_dashed(name)}-units",
        f'Title: "UCUM units of {_title(name)}"',
        f'Description: "The units in which {_title(name)} is read, each converted to {one.unit} exactly."',
        "* insert Definition",
        *(f"* {_UCUM}#{unit}" for unit in sorted(one.units)),
        "",
    )


def _profile(name: str) -> Iterator[str]:
    yield from (
        f"Profile: Trial{_camel(name)}",
        "Parent: TrialLaboratoryResult",
        f"Id: trial-{_dashed(name)}",
        f'Title: "{_capital(_title(name))} result of a trial"',
        f'Description: "A laboratory result of {_title(name)}: {_ABOUT_ONE}"',
        "* insert Definition",
        f"* code from Analyte{_camel(name)} (required)",
        "* value[x] only Quantity",
        f"* valueQuantity from Analyte{_camel(name)}Units (required)",
        "* valueQuantity.value ^minValueDecimal = 0.0",
        "",
    )


def _loinc_map(table: dict[str, Analyte]) -> Iterator[str]:
    pairs = [(code, _dashed(name), _WIDER) for name, one in table.items() for code in sorted(one.codes)]
    yield from _map("loinc-to-analyte", "LOINC codes to analytes", {(LOINC, _ANALYTE): pairs}, _NOTICE_OF_LOINC)


def _finding_map() -> Iterator[str]:
    groups: dict[tuple[str, str], list[Pair]] = {}
    for (system, code), one in sorted(findings().codes.items()):
        if system != HSCORE_ITEM and one.name != "hepatosplenomegaly":
            groups.setdefault((system, HSCORE_ITEM), []).append(
                (code, _dashed(one.name), _NARROWER if one.needs_marrow else _EQUAL)
            )
        elif one.name == "hepatosplenomegaly":
            both = [(code, organ, _WIDER) for organ in ("hepatomegaly", "splenomegaly")]
            groups.setdefault((system, HSCORE_ITEM), []).extend(both)
    yield from _map("finding-to-hscore-item", "Codes of findings to items of the HScore", groups, _NOTICE_OF_FINDINGS)


def _site_map(trial: str) -> Iterator[str]:
    folder = read_trial_folder(trial_path(trial))
    by_code = {code: _dashed(name) for name, one in analytes().items() for code in one.codes}
    pairs = [
        (test, by_code[code.code], _WIDER)
        for test, known in sorted(folder.codes.tests.items())
        for code in known.codes
        if code.system == LOINC and code.code in by_code
    ]
    own = context_of(folder).names.code_system("test")
    title = f"Tests of the trial {trial} to analytes"
    yield from _map(f"{trial}-test-to-analyte", title, {(own, _ANALYTE): pairs})


def _map(name: str, title: str, groups: dict[tuple[str, str], list[Pair]], notice: str = "") -> Iterator[str]:
    yield from (
        f"Instance: {name}",
        "InstanceOf: ConceptMap",
        "Usage: #definition",
        f'* url = "{BASE}/ConceptMap/{name}"',
        '* version = "0.1.0"',
        f'* name = "{_camel(name.replace("-", "_"))}"',
        f'* title = "{title}"',
        "* status = #draft",
        "* experimental = true",
        '* publisher = "fhir-adapter"',
        *([f'* copyright = "{notice}"'] if notice else []),
    )
    for number, ((source, target), pairs) in enumerate(groups.items()):
        yield f'* group[{number}].source = "{source}"'
        yield f'* group[{number}].target = "{target}"'
        yield from _elements(number, pairs)
    yield ""


def _elements(group: int, pairs: Iterable[Pair]) -> Iterator[str]:
    targets: dict[str, list[tuple[str, str]]] = {}
    for source, target, equivalence in pairs:
        targets.setdefault(source, []).append((target, equivalence))
    for number, (source, found) in enumerate(targets.items()):
        element = f"* group[{group}].element[{number}]"
        yield f'{element}.code = #"{source}"' if " " in source else f"{element}.code = #{source}"
        for place, (target, equivalence) in enumerate(found):
            yield f"{element}.target[{place}].code = #{target}"
            yield f"{element}.target[{place}].equivalence = #{equivalence}"
            if equivalence == _NARROWER:
                yield f'{element}.target[{place}].comment = "Only with a specimen or body site that is bone marrow."'


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _camel(name: str) -> str:
    return "".join(_capital(part) for part in name.split("_"))
