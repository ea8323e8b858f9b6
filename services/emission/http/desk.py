"""What all routes share: the desk that they call, scopes, pages, answers."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import asyncpg
from fastapi import Depends, Query, Response

from services.emission.access import Access
from services.emission.authoring import Authoring
from services.emission.posting import Poster
from services.emission.references import References
from services.emission.sign_in import SignIn
from shared.events.values import Event
from shared.web.auth import Scope, require
from shared.web.problems import Problem

E = TypeVar("E", bound=Event)
After = Annotated[
    str, Query(max_length=64, pattern=r"^[!-~]*$", description="the last page's `next`")
]
Limit = Annotated[int, Query(ge=1, le=1_000)]
SECRET = {"Cache-Control": "no-store"}
CONFLICTS: dict[int | str, dict[str, Any]] = {HTTPStatus.CONFLICT: {}}
"""The answer of routes that may contradict what there is (``shared.web.openapi`` says the rest)."""


def needs(scope: Scope) -> Any:
    """Refuses callers without the scope: a route's ``dependencies``."""
    return [Depends(require(scope))]


READS, WRITES = needs("campaigns:read"), needs("campaigns:write")


@dataclass
class Desk:
    """What the routes call."""

    pool: asyncpg.Pool
    authoring: Authoring
    references: References
    access: Access
    poster: Poster
    sign_in: SignIn


def known(resource: type[Event]) -> dict[int | str, dict[str, Any]]:
    """The answers of routes that add: 200 if it was there before, or 409 with another of its id."""
    return {HTTPStatus.OK: {"model": resource, "description": "It was there already"}} | CONFLICTS


def answer(response: Response, resource: E, *, is_new: bool) -> E:
    """The resource, with 200 in place of 201 if it was there before."""
    if not is_new:
        response.status_code = HTTPStatus.OK
    return resource


def check_same_id(field: str, in_path: str, in_body: str) -> None:
    """Raise ``Problem`` (422) if a body is sent to the path of another one."""
    if in_path != in_body:
        message = "must be the id in the path"
        raise Problem.of_field(HTTPStatus.UNPROCESSABLE_ENTITY, "Ids differ", field, message)


def not_found(field: str, message: str) -> Problem:
    """404 that names the id."""
    return Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", field, message)
