"""How the service is described in OpenAPI: what each address takes and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPBearer

from fhir_adapter.scores import MAXIMUM
from fhir_adapter.serving.content import FHIR_JSON

DESCRIPTION = (
    "HScore with evidence for every point, from results that were pulled before or that are sent, and validation of "
    "FHIR R4 resources. Nothing here pulls, pushes or changes anything. Below /fhir every error is an OperationOutcome."
)
Described = dict[str, Any]
Responses = dict[int | str, Described]

_FHIR_PROBLEM = "#/components/schemas/OperationOutcome"
_ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}


def _resource(kind: str) -> Described:
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string", "const": kind}},
    }


def _answer(text: str, kind: str) -> Described:
    return {"description": text, "content": {FHIR_JSON: {"schema": _resource(kind)}}}


def _outcomes(**texts: str) -> Responses:
    return {int(status[1:]): _answer(text, "OperationOutcome") for status, text in texts.items()}


def _body(schema: Described, *, required: bool = True) -> Described:
    media = {FHIR_JSON: {"schema": schema}, "application/json": {"schema": schema}}
    return {"requestBody": {"required": required, "content": media}}


def _path(name: str, schema: Described, text: str) -> Described:
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": text}


def _query(name: str, schema: Described, text: str) -> Described:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


_PATIENT = _path("patient", _ID, "the id of the Patient on the hospital's server")
_WINDOW = _query(
    "window",
    {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
    "one visit of the trial's rule, or all",
)
_ALL = _query("window", {"type": "string", "const": "all"}, "nothing else: what is sent has no visits")
_CUTOFF = _query("cutoff", {"type": "integer", "minimum": 0, "maximum": MAXIMUM}, "points from which a score counts")
_EVIDENCE = _query("evidence", {"type": "boolean"}, "whether the results that were used come with the scores")
_SCORES = _answer("a Bundle of scores, and an OperationOutcome where there is something to say", "Bundle")
_REFUSALS = _outcomes(
    _400="a malformed request", _406="another media type is wanted", _422="a value that cannot be used"
)
_SENT = _outcomes(
    _408="the content came too slowly",
    _413="the content is too large",
    _415="the content has another media type or FHIR version",
)
_NOBODY = _outcomes(_404="no such patient in the served trial", _503="the trial's data cannot be read now")
_PARAMETERS = {
    **_resource("Parameters"),
    "properties": {
        "resourceType": {"type": "string", "const": "Parameters"},
        "parameter": {
            "type": "array",
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        },
    },
}
_SENT_OBSERVATIONS = {"anyOf": [_PARAMETERS, _resource("Bundle"), _resource("Observation")]}
_ANY_RESOURCE = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string"}},
}

EVERYWHERE: Responses = {
    401: {"description": "a bearer token is needed"},
    403: {"description": "called at an address that others can reach, without a token being configured"},
    421: {"description": "called by a name that is not this machine's, without a token"},
    500: {"description": "an error of the service itself"},
}
METADATA: Described = {
    "response_class": Response,
    "summary": "What the service can do",
    "responses": {
        200: _answer("the CapabilityStatement", "CapabilityStatement"),
        **_outcomes(_406="no JSON is wanted"),
    },
}
DEFINITION: Described = {
    "response_class": Response,
    "summary": "The definition of an operation",
    "responses": {
        200: _answer("the OperationDefinition", "OperationDefinition"),
        **_outcomes(_400="an unfit address", _404="there is none of that name", _406="no JSON is wanted"),
    },
    "openapi_extra": {
        "parameters": [_path("name", {"type": "string", "enum": ["hscore", "observation-hscore"]}, "its name")]
    },
}
PATIENT_GET: Described = {
    "response_class": Response,
    "summary": "A patient's scores, from the store",
    "responses": {200: _SCORES, **_REFUSALS, **_NOBODY},
    "openapi_extra": {"parameters": [_PATIENT, _WINDOW, _CUTOFF, _EVIDENCE]},
}
PATIENT_POST: Described = {
    "response_class": Response,
    "summary": "A patient's scores, from the store, with Parameters",
    "responses": {200: _SCORES, **_REFUSALS, **_SENT, **_NOBODY},
    "openapi_extra": {"parameters": [_PATIENT], **_body(_PARAMETERS, required=False)},
}
OBSERVATIONS: Described = {
    "response_class": Response,
    "summary": "The score of Observations that are sent",
    "responses": {200: _SCORES, **_REFUSALS, **_SENT},
    "openapi_extra": {"parameters": [_ALL, _CUTOFF, _EVIDENCE], **_body(_SENT_OBSERVATIONS)},
}
VALIDATE: Described = {
    "response_class": Response,
    "summary": "What is wrong with a resource",
    "responses": {
        200: _answer("what was found; nothing is also said", "OperationOutcome"),
        **_REFUSALS,
        **_SENT,
        **_outcomes(_404="no resource type of FHIR R4"),
    },
    "openapi_extra": {
        "parameters": [
            _path("kind", {"type": "string", "pattern": "^[A-Z][A-Za-z]{1,63}$"}, "the resource type"),
            _query("profile", {"type": "string", "format": "uri"}, "a profile; not evaluated yet, and said so"),
            _query("mode", {"type": "string", "enum": ["create", "update", "profile"]}, "what the resource is for"),
        ],
        **_body(_ANY_RESOURCE),
    },
}
_STATUS = {"application/json": {"schema": {"type": "object", "required": ["status"]}}}
LIVE: Described = {
    "summary": "The process runs",
    "responses": {200: {"description": "it does", "content": _STATUS}},
}
READY: Described = {
    "summary": "The trial can be read",
    "responses": {
        200: {"description": "it can, or none is served", "content": _STATUS},
        503: {"description": "it cannot; why, by issue code", "content": _STATUS},
    },
}
_TEXT = {"schema": {"type": "string"}}
METRICS: Described = {
    "response_class": Response,
    "summary": "Figures for monitoring",
    "responses": {200: {"description": "in the Prometheus text format", "content": {"text/plain": _TEXT}}},
}
FRONT: Described = {
    "response_class": Response,
    "summary": "The front page",
    "responses": {200: {"description": "a page", "content": {"text/html": _TEXT}}},
}
REPORT: Described = {
    "response_class": Response,
    "summary": "The trial's report",
    "responses": {
        200: {"description": "a page", "content": {"text/html": _TEXT}},
        404: {"description": "no trial is served, or it states no rule for scores"},
        503: {"description": "the trial's data cannot be read now"},
    },
}


def security(*, needed: bool) -> Sequence[Dependency]:
    """The token in the description; it was looked at before anything else."""
    return [Depends(_Described(scheme_name="bearer"))] if needed else []


class _Described(HTTPBearer):
    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Nothing more is asked: who has no token did not come this far."""
