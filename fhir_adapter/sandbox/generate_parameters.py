"""How the table `search_parameters.json` is made from the official R4 package (hl7.fhir.r4.core 4.0.1).

Kept are parameters of the kinds that the sandbox indexes and whose definition is a plain list of element paths; what
needs a filter (`telecom.where(system='phone')`) or a calculation is left out, so it is refused and never half done.
Run: `python -m fhir_adapter.sandbox.generate_parameters FOLDER` with the unpacked `package` folder.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KINDS = ("token", "reference", "date", "string", "uri")
OFFICIAL = re.compile(r"http://hl7\.org/fhir/SearchParameter/(?!.*-extensions-|example)")
# Trial data are found by their identifiers, but R4 defines no such parameter for this type.
ADDED = {"AdverseEvent": {"identifier": {"kind": "token", "paths": ["identifier"]}}}
COMMON = {
    "_tag": {"kind": "token", "paths": ["meta.tag"]},
    "_security": {"kind": "token", "paths": ["meta.security"]},
    "_profile": {"kind": "uri", "paths": ["meta.profile"]},
    "_source": {"kind": "uri", "paths": ["meta.source"]},
}
ANY_TARGET = 40
"""A parameter that may point at more types than these may point at any."""

_TERM = re.compile(
    r"\(?(?P<base>\w+)\.(?P<path>\w+(?:\.\w+)*?)"
    r"(?: as (?P<cast>\w+)\)?|\.as\((?P<as>\w+)\)|\.where\(resolve\(\) is (?P<only>\w+)\))?\)?"
)

Choices = dict[str, list[str]]
"""`Observation.effective` -> `effectiveDateTime`, `effectivePeriod` ..."""


def generate(package: Path) -> dict[str, Any]:
    """The table: what every type has (`common`), and the parameters of each concrete R4 resource type."""
    types: dict[str, Any] = {}
    choices: Choices = {}
    for definition in _resource_definitions(package):
        types[definition["type"]] = dict(ADDED.get(definition["type"], {}))
        choices |= _choices(definition)
    for definition in _read(package, "SearchParameter"):
        for name, row in _rows(definition, choices):
            if name in types:
                types[name][definition["code"]] = row
    return {"common": COMMON, "types": {name: dict(sorted(types[name].items())) for name in sorted(types)}}


def _read(package: Path, kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted(package.glob(f"{kind}-*.json")):
        yield json.loads(path.read_bytes())


def _resource_definitions(package: Path) -> Iterator[dict[str, Any]]:
    for definition in _read(package, "StructureDefinition"):
        concrete = definition["kind"] == "resource" and not definition["abstract"]
        if concrete and definition.get("derivation") == "specialization" and definition["type"] != "Parameters":
            yield definition


def _choices(definition: dict[str, Any]) -> Choices:
    return {
        element["path"].removesuffix("[x]"): [_capital(kind["code"]) for kind in element["type"]]
        for element in definition["snapshot"]["element"]
        if element["path"].endswith("[x]")
    }


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _rows(definition: dict[str, Any], choices: Choices) -> Iterator[tuple[str, dict[str, Any]]]:
    normal = OFFICIAL.match(definition["url"]) and definition.get("xpathUsage") == "normal"
    if not normal or definition["type"] not in KINDS:
        return
    terms = definition.get("expression", "").split(" | ")
    for base in definition.get("base", []):
        own = [term for term in terms if re.match(rf"\(*{base}\b", term)]
        parsed = [_TERM.fullmatch(term.strip()) for term in own]
        if own and all(parsed):
            yield base, _row(definition, [match for match in parsed if match], choices)


def _row(definition: dict[str, Any], terms: list[re.Match[str]], choices: Choices) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": definition["type"],
        "paths": [path for term in terms for path in _keys(term, choices)],
    }
    targets = [term["only"] for term in terms if term["only"]] or definition.get("target", [])
    if definition["type"] == "reference" and len(targets) < ANY_TARGET:
        row["targets"] = sorted(set(targets))
    return row


def _keys(term: re.Match[str], choices: Choices) -> list[str]:
    """The JSON keys that a path stands for: a choice element has one for each of its types."""
    endings = choices.get(f"{term['base']}.{term['path']}", [""])
    cast = _capital(term["cast"] or term["as"] or "-")
    return [term["path"] + ending for ending in endings if cast in ("-", ending) or endings == [""]]


def main() -> None:
    """Write the table beside this file, one parameter a line."""
    table = generate(Path(sys.argv[1]))
    types = [
        f"{json.dumps(name)}: {{"
        + ",".join(f"\n  {json.dumps(code)}: {json.dumps(row)}" for code, row in rows.items())
        + "}"
        for name, rows in table["types"].items()
    ]
    text = f'{{"common": {json.dumps(table["common"])},\n"types": {{\n' + ",\n".join(types) + "\n}}\n"
    Path(__file__).with_name("search_parameters.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
