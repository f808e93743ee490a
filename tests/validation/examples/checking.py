"""The errors on what is right already: the specification's examples and definitions, and our golden resources."""

from __future__ import annotations

import multiprocessing
import random
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Where
from fhir_adapter.validation.validator import Validator

CORE = "hl7.fhir.r4.core-4.0.1.tgz"
EXAMPLES = "hl7.fhir.r4.examples-4.0.1.tgz"
GOLDEN = Path(__file__).parents[2] / "data" / "golden"
SEED = 8
_AT_A_TIME = 50


@dataclass(frozen=True, slots=True)
class Example:
    """A resource as text, with the name by which a person finds it."""

    name: str
    text: bytes


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """An error of the validator on an example; whether it is a false one is for a person to say."""

    file: str
    rule: str
    path: str
    code: str
    message: str


def of_package(archive: Path, sample: int | None = None) -> Iterator[Example]:
    """Every resource of a package in the order of their names, or a fixed sample of them."""
    with tarfile.open(archive) as opened:
        names = sorted(name for name in opened.getnames() if _is_resource(name))
        chosen = names if sample is None else sorted(random.Random(SEED).sample(names, sample))
        for name in chosen:
            file = opened.extractfile(name)
            text = file.read() if file else b""
            if b'"resourceType"' in text:
                yield Example(f"{archive.name.split('-')[0]}/{Path(name).name}", text)


def of_golden(folder: Path = GOLDEN) -> Iterator[Example]:
    """Every golden resource and bundle of this project."""
    for file in sorted(folder.rglob("*.json")):
        yield Example(file.name, file.read_bytes())
    for file in sorted(folder.rglob("*.ndjson")):
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            yield Example(f"{file.name}:{number}", line)


def _is_resource(name: str) -> bool:
    is_other = name.endswith(("package.json", ".index.json", ".schema.json", ".openapi.json"))
    return name.startswith("package/") and name.endswith(".json") and not is_other


@cache
def validator() -> Validator:
    """R4 core and this project's profiles, and the options as they come."""
    return Validator()


def alarms(example: Example) -> tuple[FalseAlarm, ...]:
    """The errors of one example."""
    try:
        issues = validator().check(fhirjson.loads(example.text))
    except fhirjson.JsonError as error:
        issues = [Issue("error", "json", str(error), Where())]
    return tuple(_alarm(example.name, issue) for issue in issues if issue.is_error)


def _alarm(file: str, issue: Issue) -> FalseAlarm:
    return FalseAlarm(file, issue.rule or "", issue.where.expression or "", issue.code, issue.message)


@contextmanager
def checked(examples: Iterable[Example], workers: int = 1) -> Iterator[Iterator[tuple[FalseAlarm, ...]]]:
    """The errors of each example in turn, over several processes when there are several workers."""
    if workers == 1:
        yield map(alarms, examples)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield pool.imap(alarms, examples, chunksize=_AT_A_TIME)
