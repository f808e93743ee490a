"""The full list of elements of a profile, made from its differences and what it is derived from."""

from fhir_adapter.validation.snapshots.errors import SnapshotError
from fhir_adapter.validation.snapshots.generate import snapshot_of

__all__ = ["SnapshotError", "snapshot_of"]
