"""Problem documents (RFC 9457): every 4xx and 5xx answer is one and names the fields at fault."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self, TypedDict

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared.codec import FieldError, InvalidMessageError
from shared.supervision import TRANSIENT, named
from shared.web.measured import template_of

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 50
_NAMED = re.compile(r"([a-z][a-z_]*(?:\.[a-z0-9_]+)*): (.+)", re.DOTALL)

log = structlog.get_logger()


class FieldMessage(TypedDict):
    """What is wrong with which field (a dotted path)."""

    field: str
    message: str


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that tells the caller what is wrong.

    ``status`` is the HTTP status, ``errors`` the fields at fault. Holds nothing internal: all of
    it is sent.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        errors: Sequence[FieldMessage] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors[:MAX_ERRORS])
        self.headers = dict(headers or {})

    @classmethod
    def of_field(cls, status: int, title: str, field: str, message: str) -> Self:
        """A problem with one field."""
        return cls(status, title, f"{field}: {message}", [{"field": field, "message": message}])

    @classmethod
    def of_message(cls, error: InvalidMessageError) -> Self:
        """400 for what is not JSON, 422 for fields that break their contract."""
        status = HTTPStatus.BAD_REQUEST
        title = "The body is not valid JSON"
        if error.reason != "invalid_json":
            status, title = HTTPStatus.UNPROCESSABLE_ENTITY, "The body has invalid fields"
        return cls(status, title, str(error), [_field_message(item) for item in error.errors])

    @property
    def document(self) -> dict[str, Any]:
        """The problem document."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "errors": list(self.errors),
        }

    @property
    def response(self) -> Response:
        """The problem as an answer."""
        return JSONResponse(self.document, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every error of ``app`` into a problem document."""
    for kind in (Problem, InvalidMessageError, RequestValidationError, HTTPException, *TRANSIENT):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(Exception, _answer)


def _field_message(error: FieldError) -> FieldMessage:
    """Our own validators compare fields; they name the one at fault at the start of the message."""
    named = _NAMED.match(error.message) if error.code == "value_error" else None
    if named is None:
        return {"field": error.field, "message": error.message}
    return {"field": ".".join(filter(None, (error.field, named[1]))), "message": named[2]}


async def _answer(request: Request, error: Exception) -> Response:
    return problem_of(error, request.method, template_of(request.scope)).response


def problem_of(error: Exception, method: str, route: str) -> Problem:
    """How an error is answered; what is our own fault is logged with the route that failed."""
    match error:
        case Problem():
            return error
        case InvalidMessageError():
            return Problem.of_message(error)
        case RequestValidationError():
            return _invalid_request(error)
        case HTTPException():
            title = HTTPStatus(error.status_code).phrase
            return Problem(error.status_code, title, str(error.detail), headers=error.headers)
    # asyncpg's word for a wrong argument is an InterfaceError, too.
    if isinstance(error, TRANSIENT) and not isinstance(error, ValueError):
        return _away(error, route)
    log.error("unhandled error", method=method, route=route, exc_info=error)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Internal error",
        "The service failed on this request; its log says why.",
    )


def too_large(max_bytes: int) -> Problem:
    """The answer to a body of more bytes."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is too large",
        f"A body may have {max_bytes} bytes.",
    )


def _invalid_request(error: RequestValidationError) -> Problem:
    errors: list[FieldMessage] = [
        # The first part is where FastAPI found it: path, query, header.
        {"field": ".".join(str(part) for part in item["loc"][1:]), "message": item["msg"]}
        for item in error.errors()
    ]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in errors[:5])
    title = "The request has invalid parameters"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, title, detail, errors)


def _away(error: Exception, route: str) -> Problem:
    log.warning("a server is away", route=route, error=named(error))
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Temporarily unavailable",
        "A server that this needs does not answer: try again.",
        headers={"Retry-After": "1"},
    )
