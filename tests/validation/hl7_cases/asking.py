"""Our validator's answer to the runs of HL7's manifest, each with what the manifest puts at hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Where
from fhir_adapter.validation.validator import Validator
from tests.fhirpath.xml_resources import read_xml
from tests.validation.hl7_cases.manifest import CaseRun, slug
from tests.validation.hl7_cases.places import Place, errors


@dataclass(frozen=True, slots=True)
class Answer:
    """What our validator said to one run."""

    run: CaseRun
    issues: tuple[Issue, ...]

    @property
    def places(self) -> frozenset[Place]:
        """Its errors and warnings, without what they say."""
        found = (Place.of(issue.severity, issue.where.expression) for issue in self.issues)
        return frozenset(place for place in found if place is not None)

    @property
    def ours(self) -> frozenset[Place]:
        """The errors that ours finds."""
        return errors(self.places)

    @property
    def theirs(self) -> frozenset[Place]:
        """The errors that the Java engine found."""
        return errors(self.run.answered)

    @property
    def agrees(self) -> bool:
        """Whether both find an error, or both find none."""
        return bool(self.ours) == bool(self.theirs)

    @property
    def only_ours(self) -> frozenset[Place]:
        """The errors at elements where the Java engine has none."""
        return self.ours - self.theirs

    @property
    def only_theirs(self) -> frozenset[Place]:
        """The errors of the Java engine at elements where ours has none, external terminologies left out."""
        return self.theirs - self.ours - self.run.external

    @property
    def agrees_in_places(self) -> bool:
        """Whether both find their errors at the same elements."""
        return not self.only_ours and not self.only_theirs


class Asker:
    """Asks runs, one validator for all that need no definitions; `work` is a folder for definitions in JSON."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._validators: dict[Any, Validator] = {}

    def answers(self, runs: Iterable[CaseRun]) -> Iterator[Answer]:
        """The answers to all runs that can be asked."""
        return (self.ask(run) for run in runs if not run.not_run)

    def ask(self, run: CaseRun) -> Answer:
        """The answer to one run."""
        profiles = [] if run.profile is None else [_read(run.profile)["url"]]
        try:
            resource = fhirjson.loads(run.resource.read_bytes())
        except fhirjson.JsonError as error:
            return Answer(run, (Issue("error", "json", str(error), Where(file=run.resource.name)),))
        return Answer(run, tuple(self._validator(run).check(resource, profiles)))

    def _validator(self, run: CaseRun) -> Validator:
        if run.definitions:
            return Validator([self._json(run, file) for file in run.definitions], **dict(run.options))
        if run.options not in self._validators:
            self._validators[run.options] = Validator(**dict(run.options))
        return self._validators[run.options]

    def _json(self, run: CaseRun, file: Path) -> Path:
        """The file itself, or a copy in JSON of one in XML."""
        if file.suffix == ".json":
            return file
        copy = self._work / slug(run.label) / f"{file.stem}.json"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(fhirjson.dumps(read_xml(file.read_bytes())))
        return copy


def _read(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    found: dict[str, Any] = json.loads(content) if file.suffix == ".json" else read_xml(content)
    return found
