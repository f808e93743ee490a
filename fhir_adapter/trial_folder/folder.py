"""What this trial's folder says: study, sites, names of records, sources, codes and decisions."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fhir_adapter.issues import Misconfigured
from fhir_adapter.trial import STUDY_FIELDS, Fact, ScoreRules, Window
from fhir_adapter.trial_folder.codes import Codes
from fhir_adapter.trial_folder.read_codes import read_codes
from fhir_adapter.trial_folder.rule_settings import TrialRuleSettings, rule_settings
from fhir_adapter.trial_folder.score_settings import (
    ExpectedDose,
    HospitalSettings,
    expected_dose,
    hospital_settings,
    score_rules,
)
from fhir_adapter.trial_folder.yaml_file import Document, read_yaml

REGISTRY = "http://clinicaltrials.gov"
"""The identifier system of ClinicalTrials.gov numbers, as the NamingSystem prefers it."""


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """The study's status as a person decided it; `code` is None where nobody knows (`registry_status` verbatim)."""

    code: str | None
    registry_status: str | None
    decided_by: str
    decided_on: str
    why: str


@dataclass(frozen=True, slots=True)
class IdentifierSystem:
    """The system of one kind of business identifier, and who assigns it."""

    system: str
    assigner: str | None = None


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """A site's name, the zone of the local times it records, its country."""

    name: str
    zone: ZoneInfo | None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of a source are used; the others are ignored by decision."""

    column: str
    keep: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How one file becomes entities, and what becomes of each of its columns."""

    name: str
    file: str
    entity: str
    columns: Mapping[str, str]
    key: tuple[str, ...] = ()
    key_may_use_sequence: bool = False
    format: Literal["csv", "dataset-json"] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    ignored_parameters: Mapping[str, str] = field(default_factory=dict)
    rows: RowFilter | None = None
    ignored: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision or assumption, with its source, its author and its date."""

    about: str
    value: str
    kind: str
    source: str
    who: str
    when: str


@dataclass(frozen=True)
class TrialFolder:
    """One trial, as its folder describes it; nothing else knows anything of this trial."""

    path: Path
    id: str
    namespace: uuid.UUID
    labels: tuple[str, ...]
    masked: bool
    flat: bool
    identifier_base: str
    identifier_systems: Mapping[str, IdentifierSystem]
    registry_system: str
    study_identifier: str
    status: StudyStatus
    facts: Mapping[str, tuple[Fact, ...]]
    sites: Mapping[str, SiteSettings]
    visit_class: str | None
    windows: tuple[Window, ...]
    derived_dose_unit: str | None
    result_status: str
    source_folder: Path
    sources: tuple[SourceSettings, ...]
    ignored_files: Mapping[str, str]
    codes: Codes
    decisions: tuple[Decision, ...]
    sources_document: Document
    expected_dose: ExpectedDose | None = None
    planned_doses: tuple[int, ...] = ()
    hospital: HospitalSettings | None = None
    scores: ScoreRules | None = None
    rules: TrialRuleSettings = field(default_factory=TrialRuleSettings)

    def identifier(self, kind: str) -> IdentifierSystem:
        """The identifier system of a kind of record: the trial's own, or `{base}/{trial}/{kind}`."""
        own = self.identifier_systems.get(kind)
        return own if own is not None else self._default_systems[kind]

    @cached_property
    def _default_systems(self) -> Mapping[str, IdentifierSystem]:
        return _DefaultSystems(f"{self.identifier_base}/{self.id}")


class _DefaultSystems(dict[str, IdentifierSystem]):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def __missing__(self, kind: str) -> IdentifierSystem:
        self[kind] = IdentifierSystem(f"{self.base}/{kind}")
        return self[kind]


def read_trial_folder(path: Path) -> TrialFolder:
    """Read `trial.yaml`, `sources.yaml`, `codes.yaml` and `decisions.yaml` of one folder.

    Raises `Misconfigured` with every problem: file, line, key, and what would be right.
    """
    known = {"trial", "sources", "codes", "decisions"}
    strangers = [file for file in sorted(path.glob("*.y*ml")) if file.stem not in known or file.suffix != ".yaml"]
    if strangers:
        strange = Document(strangers[0], {}, {})
        message = f"not a file of a trial folder; known are {', '.join(f'{name}.yaml' for name in sorted(known))}"
        raise Misconfigured(message, strange.issue("unknown-file", message))
    documents = {name: read_yaml(path / f"{name}.yaml", name) for name in sorted(known)}
    return _folder(path, documents)


def _folder(path: Path, documents: Mapping[str, Document]) -> TrialFolder:
    _check_study_fields(documents)
    for file in documents["sources"].value.get("ignored_files", {}):
        _inside(documents["sources"], path, file, "ignored_files", file)
    trial, sources = documents["trial"].value, documents["sources"]
    identifiers, study, visits = trial["identifiers"], trial["study"], trial.get("visits", {})
    return TrialFolder(
        path=path,
        id=trial["id"],
        namespace=_namespace(documents["trial"], path),
        labels=tuple(trial["labels"]),
        masked=trial.get("blinding", "open") == "masked",
        flat=trial.get("structure", "two-level") == "flat",
        identifier_base=identifiers["base"].rstrip("/"),
        identifier_systems=_systems(identifiers, trial["id"]),
        registry_system=identifiers.get("registry", REGISTRY),
        study_identifier=study["identifier"],
        status=_status(documents["trial"]),
        facts={name: tuple(Fact(**fact) for fact in facts) for name, facts in study.get("facts", {}).items()},
        sites={name: _site(documents["trial"], name, site) for name, site in trial["sites"].items()},
        visit_class=visits.get("class"),
        windows=tuple(Window(**window) for window in visits.get("windows", [])),
        derived_dose_unit=trial.get("doses", {}).get("derived_unit"),
        result_status=trial.get("results", {}).get("status", "final"),
        source_folder=_inside(sources, path, sources.value.get("folder", "."), "folder"),
        sources=tuple(_source(sources, path, name, source) for name, source in sources.value["sources"].items()),
        ignored_files=sources.value.get("ignored_files", {}),
        codes=read_codes(documents["codes"]),
        decisions=tuple(Decision(**decision) for decision in documents["decisions"].value["decisions"]),
        sources_document=sources,
        expected_dose=expected_dose(trial),
        planned_doses=tuple(trial.get("doses", {}).get("planned_count", ())),
        hospital=hospital_settings(documents["trial"]),
        scores=score_rules(documents["trial"]),
        rules=rule_settings(trial),
    )


def _check_study_fields(documents: Mapping[str, Document]) -> None:
    """Refuse facts and parameters for fields that a study does not have: they would be lost without a word."""
    trial, sources = documents["trial"], documents["sources"]
    named: list[tuple[Document, str, tuple[str, ...]]]
    named = [(trial, field, ("study", "facts", field)) for field in trial.value["study"].get("facts", {})]
    named += [
        (sources, field, ("sources", name, "parameters", parameter))
        for name, source in sources.value["sources"].items()
        for parameter, field in source.get("parameters", {}).items()
    ]
    issues = [
        document.issue("unknown-field", f"a study has no field {field!r}; known: {', '.join(STUDY_FIELDS)}", *key)
        for document, field, key in named
        if field not in STUDY_FIELDS
    ]
    if issues:
        raise Misconfigured("fields that a study does not have", *issues)


def _namespace(document: Document, folder: Path) -> uuid.UUID:
    stated = document.value["id_namespace"]
    if isinstance(stated, str):
        if "PSEUDED" in document.value["labels"]:
            message = "id_namespace: pseudonymised data need a secret one: {environment: NAME} or {file: PATH}"
            raise Misconfigured(message, document.issue("no-namespace", message, "id_namespace"))
        return uuid.UUID(stated)
    if "environment" in stated:
        text, place = os.environ.get(stated["environment"], ""), f"the environment variable {stated['environment']}"
    else:
        text, place = _secret_file(document, folder / stated["file"]), "the file"
    try:
        return uuid.UUID(text.strip())
    except ValueError as error:
        message = f"id_namespace: {place} holds no UUID; make one and keep it secret and safe"
        raise Misconfigured(message, document.issue("no-namespace", message, "id_namespace")) from error


def _secret_file(document: Document, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = "id_namespace: the file cannot be read"
        raise Misconfigured(message, document.issue("no-namespace", message, "id_namespace")) from error


def _systems(identifiers: Mapping[str, Any], trial: str) -> dict[str, IdentifierSystem]:
    base = identifiers["base"].rstrip("/")
    return {
        kind: IdentifierSystem(stated.get("system", f"{base}/{trial}/{kind}"), stated.get("assigner"))
        for kind, stated in identifiers.get("systems", {}).items()
    }


def _status(document: Document) -> StudyStatus:
    stated = document.value["study"]["status"]
    if ("code" in stated) == ("absent" in stated):
        message = "study.status: exactly one of code and absent must be given"
        raise Misconfigured(message, document.issue("wrong-value", message, "study", "status"))
    return StudyStatus(
        stated.get("code"), stated.get("registry_status"), stated["decided_by"], stated["decided_on"], stated["why"]
    )


def _site(document: Document, name: str, stated: Mapping[str, str]) -> SiteSettings:
    zone = stated.get("time_zone")
    try:
        return SiteSettings(stated["name"], ZoneInfo(zone) if zone else None, stated.get("country"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"{zone!r} is no IANA time zone such as Asia/Shanghai"
        raise Misconfigured(message, document.issue("wrong-value", message, "sites", name, "time_zone")) from error


def _inside(document: Document, folder: Path, stated: str, *key: str) -> Path:
    """A path below the trial folder; anything that leads out of it is refused."""
    target = (folder / stated).resolve()
    if Path(stated).is_absolute() or not target.is_relative_to(folder.resolve()):
        message = f"{stated!r} leads out of the trial folder; name a place inside it"
        raise Misconfigured(message, document.issue("path-outside", message, *key))
    return target


def _source(document: Document, folder: Path, name: str, stated: Mapping[str, Any]) -> SourceSettings:
    _inside(document, folder, stated["file"], "sources", name, "file")
    rows = stated.get("rows")
    return SourceSettings(
        name=name,
        file=stated["file"],
        entity=stated["entity"],
        columns=stated["columns"],
        key=tuple(stated.get("key", ())),
        key_may_use_sequence=stated.get("key_may_use_sequence", False),
        format=stated.get("format"),
        encoding=stated.get("encoding"),
        delimiter=stated.get("delimiter"),
        constants=stated.get("constants", {}),
        parameters=stated.get("parameters", {}),
        ignored_parameters=stated.get("ignored_parameters", {}),
        rows=RowFilter(rows["column"], frozenset(rows["keep"]), rows["why"]) if rows else None,
        ignored=stated.get("ignored", {}),
    )
