"""FHIRPath: two invariants of Observation, all invariants of R4, search parameters, compiling, importing.

The anchor is `fhirpathpy` with its model of R4, in the same process, on the same resources. What it cannot evaluate is
left out on both sides and counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from fhirpathpy import compile as compile_anchor
from fhirpathpy.models import models

from benchmarks.timing import Figure, compare
from fhir_adapter.fhirpath import _compiled, compile  # noqa: A004 - the name of the interface
from fhir_adapter.fhirpath.generate_model import read_package
from tests.fhirpath.examples import questions

SHARED = Path(os.environ.get("FHIR_ADAPTER_SHARED", Path(__file__).parents[2] / "shared"))
CORE = SHARED / "data/fhir/hl7.fhir.r4.core-4.0.1.tgz"
EXAMPLES = SHARED / "data/fhir/hl7.fhir.r4.examples-4.0.1.tgz"
OBS_6 = "dataAbsentReason.empty() or value.empty()"
OBS_7 = "value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()"
TYPICAL = "type = 'transaction' or entry.all(request.exists() implies fullUrl.exists() or resource.id.exists().not())"
ANCHOR = "fhirpathpy with its model"
REPEATED = 2_000
SAMPLE = 60


def observations() -> list[dict[str, Any]]:
    """Made up: one with a value, one without, one with components."""
    code = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
    part = {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 107}}
    plain = {"resourceType": "Observation", "status": "final", "code": code}
    return [
        {**plain, "valueQuantity": {"value": 92, "unit": "g/L", "system": "http://unitsofmeasure.org", "code": "g/L"}},
        {**plain, "dataAbsentReason": {"text": "made up"}},
        {**plain, "component": [part, part]},
    ]


def measure_fhirpath() -> Iterator[Figure]:
    """Invariants, search parameters, compiling, importing."""
    for name, text in (("obs-6", OBS_6), ("obs-7", OBS_7)):
        yield _invariant(name, text)
    if CORE.exists():
        yield from _core_invariants()
        yield _search_parameters()
    yield _compiling()
    yield _importing()


def _invariant(name: str, text: str) -> Figure:
    resources = observations()
    ours, theirs = compile(text), compile_anchor(text, models["r4"])
    assert [ours(one) for one in resources] == [theirs(one, {"resource": one}) for one in resources]

    def run(ask: Callable[..., object]) -> None:
        for _ in range(REPEATED // len(resources)):
            for one in resources:
                ask(one)

    def anchor(one: dict[str, Any]) -> object:
        return theirs(one, {"resource": one})

    return compare(f"FHIRPath {name}", "evaluations", REPEATED, lambda: run(ours), lambda: run(anchor), ANCHOR)


def _core_invariants() -> Iterator[Figure]:
    # The anchor prints on trace().
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        figures = list(_measure_core_invariants())
    yield from figures


def _measure_core_invariants() -> Iterator[Figure]:
    """Every invariant of R4 core at every element of a fixed sample of the specification's examples."""
    asked = [one for one in questions(CORE, EXAMPLES, sample=SAMPLE) if isinstance(one.value, dict)]
    anchors: dict[str, Any] = {}
    pairs = []
    for one in asked:
        anchor = anchors.setdefault(one.expression, _anchor(one.expression))
        if anchor and _answers(anchor, one.value, one.resource):
            pairs.append((one, compile(one.expression, type=one.type), anchor))

    def ours() -> None:
        for one, expression, _ in pairs:
            expression.truth(one.value, resource=one.resource, root_resource=one.root)

    def theirs() -> None:
        for one, _, anchor in pairs:
            anchor(one.value, {"resource": one.resource})

    out = f"{len(asked) - len(pairs)} of {len(asked)} left out: the anchor raises"
    what = f"R4 core invariants at the groups of {SAMPLE} examples ({out})"
    yield compare(what, "evaluations", len(pairs), ours, theirs, ANCHOR)


def _anchor(text: str) -> Callable[..., object] | None:
    try:
        found: Callable[..., object] = compile_anchor(text, models["r4"])
    except Exception:  # noqa: BLE001 - whatever it raises: it cannot
        return None
    return found


def _answers(anchor: Callable[..., object], value: object, resource: object) -> bool:
    try:
        anchor(value, {"resource": resource})
    except Exception:  # noqa: BLE001 - as above
        return False
    return True


def _search_parameters() -> Figure:
    texts = list(search_expressions("Observation"))
    resource = observations()[0]
    ours = [compile(text) for text in texts]
    theirs = [anchor for text in texts if (anchor := _anchor(text)) and _answers(anchor, resource, resource)]

    def run(expressions: Sequence[Callable[..., object]], *environment: object) -> None:
        for _ in range(100):
            for one in expressions:
                one(resource, *environment)

    what = f"FHIRPath: the {len(ours)} Observation search parameters (the anchor has {len(theirs)})"
    return compare(what, "resources", 100, lambda: run(ours), lambda: run(theirs, {}), ANCHOR)


def search_expressions(kind: str) -> Iterator[str]:
    """The expressions of the search parameters of one resource type, those of every resource among them."""
    for parameter in read_package(CORE, ("SearchParameter-",))[1].values():
        if {kind, "Resource", "DomainResource"} & set(parameter.get("base", ())) and "expression" in parameter:
            yield parameter["expression"]


def _compiling() -> Figure:
    def ours() -> None:
        for _ in range(50):
            _compiled.cache_clear()
            compile(TYPICAL)

    def theirs() -> None:
        for _ in range(50):
            compile_anchor(TYPICAL, models["r4"])

    return compare("FHIRPath: compile a typical invariant", "expressions", 50, ours, theirs, "fhirpathpy")


def _importing() -> Figure:
    empty = _seconds("pass")
    mine, theirs = _seconds("import fhir_adapter.fhirpath") - empty, _seconds("import fhirpathpy") - empty
    return Figure("FHIRPath: import", "imports", 1 / mine, 1 / theirs, "import fhirpathpy", theirs / mine)


def _seconds(program: str) -> float:
    """The shortest of several runs of a small program in a new interpreter."""
    # Compiled modules are kept, as on any other machine.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, env=environment)
        times.append(time.perf_counter() - start)
    return min(times)
