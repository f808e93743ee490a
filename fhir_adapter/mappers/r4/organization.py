"""Organization (R4): the sponsor, and the organization that runs each site."""

from __future__ import annotations

from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.trial import Site


def map_sponsor(name: str, context: Context) -> Resource:
    """The study's sponsor."""
    return {
        "resourceType": "Organization",
        "id": context.names.id("Organization", "sponsor", name),
        "meta": {"security": context.security},
        "identifier": [context.names.identifier("organization", "sponsor", name)],
        "active": True,
        "name": name,
    }


def map_site_organization(site: Site, context: Context) -> Resource:
    """The organization behind a site."""
    resource: Resource = {
        "resourceType": "Organization",
        "id": context.names.id("Organization", "site", site.name),
        "meta": {"security": context.security},
        "identifier": [context.names.identifier("organization", "site", site.name)],
        "active": True,
        "name": site.title,
    }
    if site.country:
        resource["address"] = [{"country": site.country}]
    return resource
