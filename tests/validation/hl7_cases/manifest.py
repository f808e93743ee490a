"""HL7's validator cases: which resource is checked, with what at hand and how, and what HL7's Java engine answered.

The manifest is `cases.json` of https://github.com/FHIR/fhir-test-cases (folder `validator`), of which the folder
`hl7-validator` of the shared data holds the cases for R4 in JSON. A case is run as it is (`base`), and where it names a
profile once more with that profile (`profile`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.validation.hl7_cases.places import Place

Json = dict[str, Any]

FOLDER = "hl7-validator"

WITHOUT_OUTCOME = "the answer of the Java engine is not in the data"
WITHOUT_PACKAGE = "needs the package hl7.fhir.us.core, which is not in the data"

_SYSTEMS = r"http://(loinc\.org|snomed\.info/sct|hl7\.org/fhir/sid/(cvx|icd-10-cm)|ncicb\.nci\.nih\.gov/\S+)"
_EXTERNAL = re.compile(rf"Wrong Display Name '.+' for {_SYSTEMS}#|Unknown code '.+' in the CodeSystem '{_SYSTEMS}'")


@dataclass(frozen=True, slots=True)
class CaseRun:
    """One question of the manifest: a resource, what is at hand, and what was answered."""

    name: str
    kind: str
    module: str
    resource: Path
    profile: Path | None
    definitions: tuple[Path, ...]
    options: tuple[tuple[str, Any], ...]
    answered: frozenset[Place] = frozenset()
    external: frozenset[Place] = frozenset()
    """What of the answer is about displays and codes of external terminologies, which is not compared by place."""
    not_run: str = ""

    @property
    def label(self) -> str:
        """How the run is called in tables: `obs-temp`, `obs-temp (profile)`."""
        return self.name if self.kind == "base" else f"{self.name} ({self.kind})"


def case_runs(folder: Path) -> Iterator[CaseRun]:
    """Every run of the manifest that has an answer of the Java engine, in its order."""
    for case in json.loads((folder / "cases.json").read_text(encoding="utf-8")):
        if "java" in case:
            yield _base(folder, case)
        if "java" in case.get("profile", {}):
            yield _with_profile(folder, case)


def _base(folder: Path, case: Json) -> CaseRun:
    return CaseRun(
        name=case["name"],
        kind="base",
        module=case["module"],
        resource=folder / case["file"],
        profile=None,
        definitions=_files(folder, case.get("supporting", []) + case.get("profiles", [])),
        options=_options(case, case),
        **_outcome(folder, case["java"]),
    )


def _with_profile(folder: Path, case: Json) -> CaseRun:
    profile = case["profile"]
    source = profile["source"]
    names = [*case.get("supporting", []), *case.get("profiles", []), *profile.get("supporting", []), source]
    outcome = _outcome(folder, profile["java"])
    is_far = source.startswith("http")
    return CaseRun(
        name=case["name"],
        kind="profile",
        module=case["module"],
        resource=folder / case["file"],
        profile=None if is_far else folder / source,
        definitions=_files(folder, [name for name in names if not name.startswith("http")]),
        options=_options(case, profile),
        **outcome | ({"not_run": WITHOUT_PACKAGE} if is_far else {}),
    )


def _files(folder: Path, names: list[str]) -> tuple[Path, ...]:
    return tuple(folder / name for name in dict.fromkeys(names))


def _options(case: Json, run: Json) -> tuple[tuple[str, Any], ...]:
    """What the manifest switches on, as options of our validator; the Java tests allow no unknown extension."""
    return (
        ("unknown_extensions", "error"),
        ("allow_examples", True),
        ("assume_references", bool(run.get("assumeValidRestReferences"))),
        ("security_checks", bool(case.get("security-checks") or case.get("noHtmlInMarkdown"))),
    )


def _outcome(folder: Path, recorded: str | Json) -> dict[str, Any]:
    """The answer of the Java engine: a file with an OperationOutcome, or the number of errors, always none."""
    if isinstance(recorded, dict):
        assert recorded["errorCount"] == 0
        return {}
    file = folder / "outcomes" / recorded
    if not file.is_file():
        return {"not_run": WITHOUT_OUTCOME}
    issues = json.loads(file.read_text(encoding="utf-8")).get("issue", [])
    external = [one for one in issues if _EXTERNAL.match(one["details"]["text"])]
    return {"answered": _places(issues), "external": _places(external)}


def _places(issues: list[Json]) -> frozenset[Place]:
    found = (Place.of(one["severity"], expression) for one in issues for expression in one.get("expression", [""]))
    return frozenset(place for place in found if place is not None)


def slug(label: str) -> str:
    """A label that can be the name of a folder."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", label)
