"""What the rules of a trial say of all resources of one run together, beside what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fhir_adapter import fhirjson
from fhir_adapter.jobs.validate_checking import Checked
from fhir_adapter.jobs.validate_documents import Document
from fhir_adapter.trial_folder import read_trial_folder, trial_path
from fhir_adapter.validation.trial_rules import check_trial_rules


class TrialRules:
    """The rules of one trial, over the documents that pass through; a trial's resources are kept until the end."""

    def __init__(self, trial: str) -> None:
        """Raises `Misconfigured` when there is no such trial."""
        self._folder = read_trial_folder(trial_path(trial))
        self._resources: list[Mapping[str, Any]] = []

    def through(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The documents as they come, looked at on the way; what is no JSON is for others to say."""
        for document in documents:
            if document.problem is None:
                self._resources += _resources_in(document.text)
            yield document

    def checked(self) -> Checked:
        """What the rules find, by the resource that breaks them."""
        issues = check_trial_rules(self._resources, self._folder)
        return Checked(self._folder.id, 1, None, tuple(issues), looked_at=False)


def _resources_in(text: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        value = fhirjson.loads(text)
    except fhirjson.JsonError:
        return
    if not isinstance(value, dict):
        return
    if value.get("resourceType") != "Bundle":
        yield value
        return
    entries = value.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource
