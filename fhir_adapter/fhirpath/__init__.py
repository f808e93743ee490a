"""FHIRPath, compiled: an expression becomes Python functions once and is asked of resources often.

    from fhir_adapter.fhirpath import compile
    compile("name.given.first()")({"resourceType": "Patient", "name": [{"given": ["Made-up"]}]})  # ["Made-up"]

The normative specification (http://hl7.org/fhirpath) as FHIR R4 uses it (http://hl7.org/fhir/R4/fhirpath.html).
"""

from __future__ import annotations

from functools import lru_cache

from fhir_adapter.fhirpath.compile import suggestion
from fhir_adapter.fhirpath.errors import EvaluationError, ExpressionError, FhirPathError
from fhir_adapter.fhirpath.expression import Expression
from fhir_adapter.fhirpath.model import load_model
from fhir_adapter.fhirpath.navigate import UNTYPED, Navigator, Untyped
from fhir_adapter.fhirpath.parse import parse

__all__ = ["EvaluationError", "Expression", "ExpressionError", "FhirPathError", "compile", "parse"]

_CACHED = 8192


def compile(  # noqa: A001 - the name that users of regular expressions know
    expression: str,
    *,
    fhir_version: str | None = "4.0.1",
    type: str | None = None,  # noqa: A002 - FHIR's word
    strict: bool = False,
) -> Expression:
    """Compile an expression; the same text gives the same object again.

    `fhir_version` names the model that gives elements their types (None: no model, names of JSON only). `type` is the
    FHIR type on which it will be evaluated, needed for elements that are no resources (`Observation.component`). With
    `strict`, names that the type does not have, operands that do not fit and comparisons that can never hold are
    errors. Raises `ExpressionError` with the place in the text and what was expected there.
    """
    return _compiled(expression, fhir_version, type, strict)


@lru_cache(maxsize=_CACHED)
def _compiled(text: str, fhir_version: str | None, kind: str | None, is_strict: bool) -> Expression:
    try:
        tree = parse(text)
        navigator = _navigator(fhir_version)
        if kind is not None and navigator.model is not None and navigator.model.type(kind) is None:
            raise ExpressionError(f"there is no type {kind}{suggestion(kind, navigator.model.names())}")
        if is_strict:
            from fhir_adapter.fhirpath.strict import check  # noqa: PLC0415 - few ask for it

            check(tree, kind, navigator.model or load_model())
        return Expression(text, tree, navigator, kind)
    except RecursionError as error:
        raise ExpressionError("nested too deeply to be compiled") from error


@lru_cache(maxsize=8)
def _navigator(fhir_version: str | None) -> Navigator | Untyped:
    return UNTYPED if fhir_version is None else Navigator(load_model(fhir_version))
