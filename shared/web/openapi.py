"""The OpenAPI document: FastAPI's, with the bodies of our own dependency, plain routes, and refusals.

Every answer that an operation may give is in it, so that a test can tell one that it may not give.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from shared.events.values import Event, Id
from shared.web.body import MODEL_ATTRIBUTE
from shared.web.plain import PlainRoute, routes_of
from shared.web.problems import MEDIA_TYPE

_REFERENCE = "#/components/schemas/{model}"
_REFUSALS: Mapping[int, str] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: "The body is not JSON, or the key was used for another request",
        HTTPStatus.UNAUTHORIZED: "There is no valid token, or the key is not valid",
        HTTPStatus.FORBIDDEN: "The token lacks the scope",
        HTTPStatus.NOT_FOUND: "There is nothing with this id",
        HTTPStatus.CONFLICT: "It contradicts what there is",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not said to be JSON",
        HTTPStatus.UNPROCESSABLE_ENTITY: "Fields or parameters are not valid; each is named",
        HTTPStatus.TOO_MANY_REQUESTS: "Too much is asked at once",
        HTTPStatus.SERVICE_UNAVAILABLE: "Something that this needs is away for now",
    }
)
_HEADERS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", "how to authenticate"),
        HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", "seconds after which to try again"),
        HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", "seconds after which to try again"),
    }
)
_KEY = "Idempotency-Key"
_PLACE = re.compile(r"{(\w+)}")
_ID = TypeAdapter(Id).json_schema()
_OF_TOKENS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_OF_BODIES = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_PROBLEM_SCHEMA = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def document(app: FastAPI) -> None:
    """Make ``app``'s OpenAPI document state bodies, problems and the bearer token."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(app, generate())
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(app: FastAPI, schema: dict[str, Any]) -> None:
    bodies, plain = dict(_bodies(app)), list(routes_of(app))
    components = schema.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    schema["security"] = [{"bearer": []}]
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM_SCHEMA
    for route in plain:
        schema["paths"][route.path] = {"post": _operation(route)}
        if route.takes is not None:
            bodies[route.path, "post"] = route.takes
    keys, definitions = models_json_schema(
        [
            *((model, "validation") for model in set(bodies.values())),
            *((model, "serialization") for model in {route.gives for route in plain}),
        ],
        ref_template=_REFERENCE,
    )
    schemas.update(definitions.get("$defs", {}))
    optional = {route.path for route in plain if not route.needs_body}
    for (path, method), model in bodies.items():
        others = schema["paths"][path][method].get("requestBody", {}).get("content", {})
        content = _json(keys[(model, "validation")])["content"]
        schema["paths"][path][method]["requestBody"] = {
            "required": path not in optional,
            "content": content | others,
        }
    for route in plain:
        answer = {
            "description": "Successful Response",
            **_json(keys[(route.gives, "serialization")]),
        }
        schema["paths"][route.path]["post"]["responses"]["200"] = answer
    components["responses"] = {_name(status): _refusal(status) for status in _REFUSALS}
    for operations in schema["paths"].values():
        for operation in operations.values():
            _state_refusals(operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _operation(route: PlainRoute) -> dict[str, Any]:
    """A plain route's operation, but for its body and its answer."""
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _ID}
        for name in _PLACE.findall(route.path)
    ]
    if route.idempotent:
        parameters.append({"name": _KEY, "in": "header", "schema": {"type": "string"}})
    if route.header is not None:
        parameters.append(dict(route.header))
    responses: dict[str, Any] = {str(int(status)): {} for status in route.refuses}
    return {"summary": route.summary, "parameters": parameters, "responses": responses}


def _state_refusals(operation: dict[str, Any]) -> None:
    """Put a problem at each status that the operation may refuse with; its route adds its own."""
    answers = operation["responses"]
    answers.pop("422", None)  # FastAPI's own, which is not how we answer
    refusals = {int(status) for status in answers} & _REFUSALS.keys()
    refusals.add(HTTPStatus.SERVICE_UNAVAILABLE)
    if operation.get("security") != []:
        refusals.update(_OF_TOKENS)
    if "requestBody" in operation:
        refusals.update(_OF_BODIES)
    parameters = operation.get("parameters", ())
    if parameters:
        refusals.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if any(parameter["in"] == "path" for parameter in parameters):
        refusals.add(HTTPStatus.NOT_FOUND)
    if any(parameter["in"] == "header" for parameter in parameters):
        refusals.add(HTTPStatus.BAD_REQUEST)
    for status in sorted(refusals):
        answers[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}


def _refusal(status: int) -> dict[str, Any]:
    problem = {"$ref": _REFERENCE.format(model="Problem")}
    refusal: dict[str, Any] = {
        "description": _REFUSALS[status],
        "content": {MEDIA_TYPE: {"schema": problem}},
    }
    if status in _HEADERS:
        name, description = _HEADERS[status]
        header = {"description": description, "required": True, "schema": {"type": "string"}}
        refusal["headers"] = {name: header}
    return refusal


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _bodies(app: FastAPI) -> Iterator[tuple[tuple[str, str], type[Event]]]:
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        if dependant is None or not getattr(route, "include_in_schema", False):
            continue
        for model in _models(dependant):
            for method in route.methods or ():
                yield (str(route.path_format), method.lower()), model


def _models(dependant: Dependant) -> Iterator[type[Event]]:
    for inner in dependant.dependencies:
        model = getattr(inner.call, MODEL_ATTRIBUTE, None)
        if model is not None:
            yield model
        yield from _models(inner)
