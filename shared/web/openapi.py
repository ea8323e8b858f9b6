"""The OpenAPI document: FastAPI's, with the bodies that our own dependency reads, and the plain routes."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic.json_schema import models_json_schema

from shared.events.values import Event
from shared.web.body import MODEL_ATTRIBUTE
from shared.web.plain import routes_of

_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "A problem document (RFC 9457)",
    "content": {
        "application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}
    },
}
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
        schema["paths"][route.path] = {"post": {"summary": route.summary, "responses": {}}}
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
    for (path, method), model in bodies.items():
        schema["paths"][path][method]["requestBody"] = {
            "required": True,
            **_json(keys[(model, "validation")]),
        }
    for route in plain:
        answer = {
            "description": "Successful Response",
            **_json(keys[(route.gives, "serialization")]),
        }
        schema["paths"][route.path]["post"]["responses"]["200"] = answer
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM


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
