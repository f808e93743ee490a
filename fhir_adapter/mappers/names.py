"""What every resource is called: ids made from business keys, business identifiers, references.

An id is a UUIDv5 over the trial's namespace and the key: the same entity has the same id in every run, and without the
namespace nobody can guess it from a subject number.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from functools import lru_cache
from hashlib import sha1

from fhir_adapter.trial_folder import TrialFolder

_UNSAFE = re.compile(r"[\s/\\|,$%?#&=;<>\"'`^{}\[\]]")
"""Characters that search tokens, URLs or readers take for something else; they are percent-encoded."""


_CODE = re.compile(r"\S+( \S+)*")
"""What FHIR accepts as a code: no blanks but single ones between words."""
_REMEMBERED = 200_000


class Names:
    """The names of one trial's resources: `id(type, *key)`, `value(*key)` as in identifiers, and references."""

    def __init__(self, folder: TrialFolder) -> None:
        self._folder = folder
        self._namespace = folder.namespace.bytes
        self.id = lru_cache(maxsize=_REMEMBERED)(self._id)
        self.value = lru_cache(maxsize=_REMEMBERED)(_value)

    def _id(self, resource_type: str, *key: str) -> str:
        name = f"{resource_type}|{self.value(*key)}"
        digest = sha1(self._namespace + name.encode(), usedforsecurity=False).digest()
        return str(uuid.UUID(bytes=digest[:16], version=5))

    def score_id(self, *key: str) -> str:
        """The id of the Observation of a computed score, by subject, criteria and window.

        No record of a source can have it, whatever its key: a site may also type a score of its own.
        """
        return self.id("Observation/score", *key)

    def code(self, word: str) -> str:
        """A word of the source as a code: as recorded where FHIR's form of codes allows it."""
        return word if _CODE.fullmatch(word) else self.value(word)

    def identifier(self, kind: str, *key: str) -> dict[str, object]:
        """A business identifier in the trial's system for this kind of record."""
        system = self._folder.identifier(kind)
        identifier: dict[str, object] = {"system": system.system, "value": self.value(*key)}
        if system.assigner:
            identifier["assigner"] = {"display": system.assigner}
        return identifier

    def reference(self, resource_type: str, *key: str) -> dict[str, object]:
        """A reference to the resource of that type and key."""
        return {"reference": f"{resource_type}/{self.id(resource_type, *key)}"}

    def logical(self, resource_type: str, kind: str, *key: str) -> dict[str, object]:
        """A reference by type and business identifier, to what does not stand on the server that is written to."""
        return {"type": resource_type, "identifier": self.identifier(kind, *key)}

    def code_system(self, kind: str) -> str:
        """The code system of the trial's own words of this kind (tests, visits, findings)."""
        return f"{self._folder.identifier_base}/{self._folder.id}/code/{kind}"


def _value(*key: str) -> str:
    """The value of a business identifier: the parts of the key, joined by slashes."""
    return "/".join(map(_part, key))


def _part(part: str) -> str:
    if part.isascii() and part.isalnum():
        return part
    plain = unicodedata.normalize("NFC", part)
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), plain)
