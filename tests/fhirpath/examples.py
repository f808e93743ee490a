"""Which invariants of FHIR R4 hold on the specification's own examples: `make examples`.

    python -m tests.fhirpath.examples [--sample N] FOLDER

FOLDER holds the packages hl7.fhir.r4.core and hl7.fhir.r4.examples. Every invariant is asked at every element where a
definition has it, with `%resource` and `%rootResource` as they are there. Prints how often each one was asked, was
broken and had no answer.
"""

from __future__ import annotations

import argparse
import random
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from fhir_adapter import fhirjson
from fhir_adapter.fhirpath import FhirPathError, compile  # noqa: A004 - the name of the interface
from fhir_adapter.fhirpath.generate_model import read_package
from fhir_adapter.fhirpath.items import Element
from fhir_adapter.fhirpath.model import Type, load_model

CORE = "hl7.fhir.r4.core-4.0.1.tgz"
EXAMPLES = "hl7.fhir.r4.examples-4.0.1.tgz"
SEED = 7

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One invariant as its definition has it."""

    key: str
    severity: str
    expression: str


@dataclass(frozen=True, slots=True)
class Question:
    """One invariant at one element of an example."""

    rule: Rule
    file: str
    path: str
    type: str
    value: Any
    resource: Json
    root: Json

    @property
    def expression(self) -> str:
        """The text of the invariant."""
        return self.rule.expression

    def truth(self) -> bool | None:
        """Whether it holds here."""
        expression = compile(self.rule.expression, type=self.type)
        return expression.truth(self.value, resource=self.resource, root_resource=self.root)


@dataclass(frozen=True, slots=True)
class _Place:
    value: Any
    kind: Type
    definition: str
    path: str
    resource: Json
    root: Json


def questions(core: Path, examples: Path, *, sample: int | None = None) -> Iterator[Question]:
    """Every invariant at every element of the examples, of a fixed sample of them when a number is given."""
    rules = rules_of(core)
    for file, resource in read_examples(examples, sample):
        for place in _places_of(resource, resource):
            for rule in _rules_at(place, rules):
                yield Question(rule, file, place.path, place.kind.name, place.value, place.resource, place.root)


@cache
def rules_of(core: Path) -> Mapping[str, tuple[Rule, ...]]:
    """The invariants of R4 by the path of the element that has them; profiles left out."""
    found: dict[str, tuple[Rule, ...]] = {}
    for definition in read_package(core)[1].values():
        if definition["kind"] == "logical" or definition.get("derivation") == "constraint":
            continue
        for element in definition["snapshot"]["element"]:
            found[element["path"]] = tuple(
                Rule(one["key"], one["severity"], one["expression"])
                for one in element.get("constraint", ())
                if "expression" in one
            )
    return found


def read_examples(archive: Path, sample: int | None = None) -> Iterator[tuple[str, Json]]:
    """Name and content of each example, in the order of their names."""
    with tarfile.open(archive) as opened:
        names = sorted(name for name in opened.getnames() if _is_resource(name))
        chosen = names if sample is None else sorted(random.Random(SEED).sample(names, sample))
        for name in chosen:
            file = opened.extractfile(name)
            content = fhirjson.loads(file.read()) if file else {}
            if "resourceType" in content:
                yield name.removeprefix("package/"), content


def _is_resource(name: str) -> bool:
    return name.startswith("package/") and name.endswith(".json") and not name.endswith(("package.json", ".index.json"))


def _places_of(resource: Json, root: Json, path: str | None = None) -> Iterator[_Place]:
    kind = load_model().type(resource["resourceType"])
    assert kind is not None
    yield from _below(_Place(resource, kind, kind.name, path or kind.name, resource, root))


def _below(place: _Place) -> Iterator[_Place]:
    yield place
    is_primitive = place.kind.kind == "primitive"
    holder = place.value.sibling if is_primitive else place.value
    for key in dict.fromkeys(each.removeprefix("_") for each in holder or ()):
        known = place.kind.by_key.get(key)
        if known is None:
            continue
        child, type_name = known
        name = f"{child.name}[x]" if child.choice else child.name
        for number, (value, sibling) in enumerate(_pairs(holder.get(key), holder.get(f"_{key}"))):
            path = f"{place.path}.{child.name}" + (f"[{number}]" if child.many else "")
            yield from _child(place, value, sibling, type_name, f"{place.kind.name}.{name}", path)


def _child(place: _Place, value: Any, sibling: Any, type_name: str, definition: str, path: str) -> Iterator[_Place]:
    if type_name == "Resource":
        root = place.root if path.rpartition(".")[2].startswith("contained") else value
        yield from _places_of(value, root, path)
        return
    kind = load_model().type(type_name)
    assert kind is not None, type_name
    if kind.kind == "primitive":
        value = Element(value, kind, load_model().system_type(kind.name), sibling)
    yield from _below(_Place(value, kind, definition, path, place.resource, place.root))


def _pairs(value: Any, sibling: Any) -> list[tuple[Any, Any]]:
    values = value if isinstance(value, list) else [value]
    siblings = sibling if isinstance(sibling, list) else [sibling]
    return [pair for pair in zip_longest(values, siblings) if pair != (None, None)]


def _rules_at(place: _Place, rules: Mapping[str, tuple[Rule, ...]]) -> Iterator[Rule]:
    found = {rule.key: rule for rule in (*rules.get(place.kind.name, ()), *rules.get(place.definition, ()))}
    return iter(found.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """What was wrong with one question: broken, nothing (it answers neither true nor false), or an error's sentence."""

    question: Question
    what: str


def wrong(asked: Iterator[Question], counts: Counter[str]) -> Iterator[Answer]:
    """The invariants of level error that do not hold or have no answer, and every error; counts by rule."""
    for one in asked:
        counts[one.rule.key] += 1
        try:
            holds = one.truth()
        except FhirPathError as error:
            yield Answer(one, f"raised: {error}")
            continue
        if not holds and one.rule.severity == "error":
            yield Answer(one, "nothing" if holds is None else "broken")


def main() -> int:
    """Ask and print; 0 always: what is known to be wrong stands in docs/fhirpath-suite.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int)
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    found = list(wrong(questions(asked.folder / CORE, asked.folder / EXAMPLES, sample=asked.sample), counts))
    kinds = Counter((one.question.rule.key, one.what.partition(":")[0]) for one in found)
    sys.stdout.write(f"{'rule':12}{'asked':>9}{'broken':>8}{'nothing':>9}{'raised':>8}\n")
    for key, count in sorted(counts.items()):
        broken, nothing, raised = (kinds[key, what] for what in ("broken", "nothing", "raised"))
        sys.stdout.write(f"{key:12}{count:9}{broken:8}{nothing:9}{raised:8}\n")
    for one in found:
        sys.stdout.write(f"{one.what}: {one.question.rule.key} at {one.question.path} in {one.question.file}\n")
    sys.stdout.write(f"{counts.total()} asked, {len(counts)} rules, {len(found)} broken or without an answer\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
