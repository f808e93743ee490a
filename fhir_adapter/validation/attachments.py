"""Whether what an Attachment says of its data is so: its size, and its hash.

Source: https://hl7.org/fhir/R4/datatypes.html#Attachment; severities are those of HL7's engine. Whether the data are
base64, and the content type a MIME type, is asked of the elements themselves.
"""

from __future__ import annotations

import binascii
import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhir_adapter.validation.run import Run

_GROUP, _BYTES = 4, 3
_SAYS_SOMETHING = frozenset({"data", "url", "contentType", "language", "_data", "_url", "_contentType", "_language"})


def check_attachment(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
    """Check one Attachment."""
    if _SAYS_SOMETHING.isdisjoint(value):
        message = "neither data nor an address, and nothing about what would be there"
        run.report("warning", "attachment-empty", message, path, "Attachment")
    data = value.get("data")
    if not isinstance(data, str):
        return
    text = "".join(data.split())
    size, stated = _size(text), value.get("size")
    if size is not None and isinstance(stated, int) and not isinstance(stated, bool) and stated != size:
        message = f"the size is stated as {stated} bytes, but the data have {size}"
        run.error("attachment-size", message, path, "Attachment.size")
    if "hash" in value:
        _check_hash(value["hash"], text, path, run)


def _size(text: str) -> int | None:
    """How many bytes a base64 text means; None when it is none."""
    groups, rest = divmod(len(text), _GROUP)
    if rest or not groups:
        return None
    return groups * _BYTES - (len(text) - len(text.rstrip("=")))


def _check_hash(stated: object, text: str, path: str, run: Run) -> None:
    right, data = _decoded(stated), _decoded(text)
    if right is not None and data is not None and hashlib.sha1(data, usedforsecurity=False).digest() != right:
        message = "the hash is not the SHA-1 of the data; one of them was changed"
        run.error("attachment-hash", message, path, "Attachment.hash")


def _decoded(text: object) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
