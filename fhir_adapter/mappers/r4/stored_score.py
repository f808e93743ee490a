"""A score as the trial keeps it on a server: under an id of its own, linked to the trial's resources that stand there.

What does not stand on that server is referred to by type and identifier. There is no encounter: a window of the rule
takes results of several visits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC

from fhir_adapter.mappers.canonical import CORE, HSCORE_ITEM
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.read_observation import codings_of
from fhir_adapter.mappers.r4.score import DATA_MARK, score_observation
from fhir_adapter.scores import WindowScore
from fhir_adapter.trial import Result, Subject

CRITERIA = "hscore"
HSCORE_PAPER = "https://doi.org/10.1002/art.38690"
"""Where the rule is published: Fardet L et al., 2014."""

_Link = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A resource of the trial: its type, its key, and its business identifier by kind and key."""


def own_score(
    one: WindowScore,
    subject: Subject,
    context: Context,
    *,
    stands: Collection[str],
    labels: Sequence[Mapping[str, object]] = (),
    refer: Callable[[Result], Mapping[str, object]],
) -> Resource:
    """A complete score as the trial keeps it on a server, under an id of its own.

    `stands` are the names (`Type/id`) of what is known to stand there, `labels` those of the results beside the
    trial's own.
    """
    names, zone = context.names, context.folder.sites[subject.site].zone
    key = (subject.subject, CRITERIA, one.window)
    patient, *studies = [_reference(link, context, stands) for link in _links(subject, context)]
    found = score_observation(
        one,
        subject=patient,
        labels=[*context.folder.labels, *labels],
        identifier=names.identifier("score", *key),
        zone=zone if zone is not None else UTC,
        refer=refer,
    )
    extension = [{"url": f"{CORE}workflow-researchStudy", "valueReference": study} for study in studies]
    head = {name: found[name] for name in ("resourceType", "meta", "text")}
    return {**head, "id": names.score_id(*key), "extension": extension, **found}


def referred_to(subject: Subject, context: Context) -> tuple[str, ...]:
    """The names (`Type/id`) of the trial's own resources that a score of this subject refers to."""
    return tuple(f"{kind}/{context.names.id(kind, *key)}" for kind, key, _ in _links(subject, context))


def timeless(resource: Mapping[str, object]) -> Resource:
    """What a score says whatever its status and data cut: a later cut that changes nothing is no new version."""
    notes = resource.get("note")
    told = [one for one in notes if not _is_data_mark(one)] if isinstance(notes, list) else []
    kept = {name: value for name, value in resource.items() if name not in ("status", "issued", "note", "text")}
    return {**kept, "note": told}


def cutoff_in(resource: Mapping[str, object]) -> object:
    """The cut-off that a score was compared with; None where it does not say."""
    parts = resource.get("component")
    for part in parts if isinstance(parts, list) else ():
        if (HSCORE_ITEM, "hscore-cutoff") in codings_of(part.get("code")):
            return part.get("valueQuantity", {}).get("value")
    return None


def _links(subject: Subject, context: Context) -> Iterator[_Link]:
    yield "Patient", subject.key, ("subject", *subject.key)
    overall = (context.folder.study_identifier,)
    if context.study_key(subject.site) != overall:
        yield "ResearchStudy", context.study_key(subject.site), ("site", subject.site)
    yield "ResearchStudy", overall, ("study", *overall)


def _reference(link: _Link, context: Context, stands: Collection[str]) -> Resource:
    kind, key, identifier = link
    literal = context.names.reference(kind, *key)
    return literal if literal["reference"] in stands else context.names.logical(kind, *identifier)


def _is_data_mark(note: object) -> bool:
    return isinstance(note, dict) and str(note.get("text", "")).startswith(DATA_MARK)
