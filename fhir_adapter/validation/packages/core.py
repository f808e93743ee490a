"""R4 core as it comes with this program: each definition is read from its shelf when it is asked for."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import orjson

from fhir_adapter.validation.packages.versions import is_version

ABOUT: Final = "about.json"
INDEX: Final = "index.json"
OTHER_KINDS: Final = "index-others.json"

Json = dict[str, Any]
Row = tuple[int, int, int, str | None]
"""Where a definition stands: the number of its shelf, its first byte there, its length; and its version."""

_ARCHIVE: Final = Path(__file__).with_name("r4_core.zip")


class Core:
    """The definitions of R4 core by kind and canonical address.

    The whole archive (some two megabytes) is held in memory, so that processes and threads can share it.
    """

    def __init__(self, archive: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(archive))
        self._about: dict[str, str] = json.loads(self._archive.read(ABOUT))
        self._index: Mapping[str, Mapping[str, Row]] = orjson.loads(self._archive.read(INDEX))

    @property
    def name(self) -> str:
        """The name of the package: hl7.fhir.r4.core."""
        return self._about["name"]

    @property
    def version(self) -> str:
        """The version of the package."""
        return self._about["version"]

    @property
    def digest(self) -> str:
        """What tells this content from any other."""
        return self._about["digest"]

    @cached_property
    def _other_kinds(self) -> Mapping[str, Mapping[str, Row]]:
        found: Mapping[str, Mapping[str, Row]] = orjson.loads(self._archive.read(OTHER_KINDS))
        return found

    def rows(self, kind: str) -> Mapping[str, Row]:
        """Where the definitions of a kind stand, by address."""
        found = self._index.get(kind)
        return self._other_kinds.get(kind, {}) if found is None else found

    def read(self, kind: str, address: str, version: str | None = None) -> Json | None:
        """A definition by its address and version; None when there is none.

        The version of R4 itself means every definition in it: value sets of HL7 V2 and V3 are bound as `|4.0.1`, too.
        """
        row = self._row(self.rows(kind), address, version)
        if row is None:
            return None
        shelf, start, length, _ = row
        text = self._archive.read(f"{kind}/{shelf:03}.ndjson")[start : start + length]
        definition: Json = json.loads(text, parse_float=Decimal)
        return definition

    def _row(self, rows: Mapping[str, Row], address: str, version: str | None) -> Row | None:
        # Tables of HL7 V2 that changed have their version in the address itself: `.../v2-0391|2.4`.
        row = rows.get(f"{address}|{version}")
        if row is not None:
            return row
        row = rows.get(address)
        is_asked = row is not None and (is_version(row[-1], version) or is_version(self.version, version))
        return row if is_asked else None


@cache
def r4_core() -> Core:
    """R4 core, opened once."""
    return Core(_ARCHIVE.read_bytes())
