"""Which version of a definition is meant by `address|version`.

Source: https://hl7.org/fhir/R4/references.html#canonical: the version after the bar must be the definition's own. A
version of fewer parts stands for all that begin with it (`4.0` for `4.0.1`), as HL7's engine reads it.
"""

from __future__ import annotations


def split(canonical: str) -> tuple[str, str | None]:
    """The address and the version of a canonical; a fragment after `#` is no part of either."""
    address, _, version = canonical.partition("#")[0].partition("|")
    return address, version or None


def is_version(stated: str | None, asked: str | None) -> bool:
    """Whether a definition of the stated version is the one asked for; without a question any is."""
    if asked is None or stated == asked:
        return True
    return stated is not None and stated.startswith(f"{asked}.")
