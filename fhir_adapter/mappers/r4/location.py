"""Location (R4): the place of a site; ResearchStudy.site accepts nothing else in R4."""

from __future__ import annotations

from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.trial import Site


def map_location(site: Site, context: Context) -> Resource:
    """Where a site sees its subjects."""
    resource: Resource = {
        "resourceType": "Location",
        "id": context.names.id("Location", site.name),
        "meta": {"security": context.security},
        "identifier": [context.names.identifier("site", site.name)],
        "name": site.title,
        "mode": "instance",
    }
    if site.country:
        resource["address"] = {"country": site.country}
    resource["managingOrganization"] = context.names.reference("Organization", "site", site.name)
    return resource
