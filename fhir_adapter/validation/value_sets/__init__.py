"""Whether a code is in a value set or a code system, as far as the definitions at hand tell."""

from fhir_adapter.validation.value_sets.answers import Answer
from fhir_adapter.validation.value_sets.expansions import Expansion
from fhir_adapter.validation.value_sets.store import ValueSets

__all__ = ["Answer", "Expansion", "ValueSets"]
