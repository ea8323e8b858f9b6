"""JSON bodies as our strict models, which FastAPI's own body parsing would not be strict about."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from fastapi import Request
from starlette.datastructures import Headers

from shared.codec import decode
from shared.events.values import Event
from shared.web.problems import Problem

E = TypeVar("E", bound=Event)
MODEL_ATTRIBUTE = "tillstream_body"


def json_body(model: type[E]) -> Callable[[Request], Awaitable[E]]:
    """A FastAPI dependency: the body as ``model``, which also appears in the OpenAPI document.

    Raises ``Problem``: 400 for what is not JSON, 415 for another content type, 422 naming every
    bad field.
    """

    async def body(request: Request) -> E:
        return await read(request, model)

    setattr(body, MODEL_ATTRIBUTE, model)
    return body


async def read(request: Request, model: type[E]) -> E:
    """The body as ``model``, for routes without dependencies; raises as ``json_body`` does."""
    check_type(request.headers)
    # InvalidMessageError becomes a problem document (shared.web.problems).
    return decode(model, await request.body())


def check_type(headers: Headers) -> None:
    """Raises ``Problem`` (415) if the body is not called JSON; one of no type is taken to be."""
    content_type = headers.get("content-type", "application/json")
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Unsupported media type",
            "Send the body as application/json.",
        )
