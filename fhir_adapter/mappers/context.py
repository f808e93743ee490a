"""What every mapper needs to know of the trial: its folder, its names, the labels and links of all resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.mappers.canonical import CORE, PROFILE, SECURITY_LABELS
from fhir_adapter.mappers.names import Names
from fhir_adapter.trial_folder import Codes, TrialFolder

Resource = dict[str, object]


@dataclass(frozen=True)
class Context:
    """One trial, as its mappers see it."""

    folder: TrialFolder
    names: Names
    keys: Mapping[tuple[str, ...], tuple[str, ...] | None] = field(default_factory=dict)
    _links: dict[str, list[Resource]] = field(default_factory=dict)
    _metas: dict[tuple[str, ...], Resource] = field(default_factory=dict)

    @property
    def codes(self) -> Codes:
        """The trial's code tables."""
        return self.folder.codes

    @cached_property
    def security(self) -> list[Resource]:
        """The security labels of everything that this trial sends."""
        return [{"system": SECURITY_LABELS[label], "code": label} for label in self.folder.labels]

    def meta(self, profile: str, *core: str) -> Resource:
        """Our profile, the core profiles beside it, and the security labels."""
        key = (profile, *core)
        if key not in self._metas:
            profiles = [PROFILE + profile, *(CORE + name for name in core)]
            self._metas[key] = {"profile": profiles, "security": self.security}
        return self._metas[key]

    def link(self, resource_type: str, *name: str) -> Resource:
        """A reference to what the sources call `name`: a subject, or a visit or event of a subject.

        Raises `Rejected` when two entities have that name, so that nobody knows which is meant.
        """
        key = self.keys.get((resource_type, *name), name)
        if key is None:
            message = f"several {resource_type} records of the subject have the number {name[-1]!r}"
            raise Rejected(message, Issue("error", "ambiguous-link", message))
        return self.names.reference(resource_type, *key)

    def study_key(self, site: str) -> tuple[str, ...]:
        """The key of the study that a subject of this site belongs to."""
        return (self.folder.study_identifier,) if self.folder.flat else (self.folder.study_identifier, site)

    def study_links(self, site: str) -> list[Resource]:
        """The `workflow-researchStudy` extensions for the site's study and the overall one."""
        if site not in self._links:
            keys = dict.fromkeys([self.study_key(site), (self.folder.study_identifier,)])
            references = (self.names.reference("ResearchStudy", *key) for key in keys)
            self._links[site] = [
                {"url": f"{CORE}workflow-researchStudy", "valueReference": reference} for reference in references
            ]
        return self._links[site]
