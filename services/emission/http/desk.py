"""What all routes share: the desk that they call, scopes, pages, answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import asyncpg
from fastapi import Depends, Query, Response

from services.emission.access import Access
from services.emission.authoring import Authoring
from services.emission.catalogue import Catalogue
from services.emission.drafts import Drafts
from services.emission.posting import Poster
from services.emission.references import References
from services.emission.sentence import Language
from services.emission.sign_in import SignIn
from services.emission.store import listing
from shared.events.values import Event, Id
from shared.web.auth import Principal, Scope, require
from shared.web.problems import Problem

E = TypeVar("E", bound=Event)
After = Annotated[
    str, Query(max_length=64, pattern=r"^[!-~]*$", description="the last page's `next`")
]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="so many are left out")]
_SEARCH = Query(
    max_length=200,
    pattern=r"^[^\x00-\x1f\x7f]*$",
    description="words, all of which are in the name or the id, anywhere and in any case",
)
Search = Annotated[str, _SEARCH]
Ids = Annotated[list[Id], Query(max_length=500, description="any of these; none: all")]
InLanguage = Annotated[Language, Query(description="of the sentence")]
SECRET = {"Cache-Control": "no-store"}
CONFLICTS: dict[int | str, dict[str, Any]] = {HTTPStatus.CONFLICT: {}}
"""The answer of routes that may contradict what there is (``shared.web.openapi`` says the rest)."""


def needs(scope: Scope) -> Any:
    """Refuses callers without the scope: a route's ``dependencies``."""
    return [Depends(require(scope))]


READS, WRITES = needs("campaigns:read"), needs("campaigns:write")
Reader = Annotated[Principal, Depends(require("campaigns:read"))]
Author = Annotated[Principal, Depends(require("campaigns:write"))]
"""Who calls, and may: for routes that keep by whom something was changed."""


def part(
    search: Search = "", after: After = "", offset: Offset = 0, limit: Limit = 100
) -> listing.Page:
    """The part of a list that is asked for."""
    return listing.Page(search=search, after=after, offset=offset, limit=limit)


Part = Annotated[listing.Page, Depends(part)]


def sort_by(one: listing.Listing) -> Any:
    """How a list's order is asked for."""
    names = "|".join(sorted(one.orders))
    description = "the order; with `-` before it, turned round"
    return Query(pattern=f"^(-?({names}))?$", description=description)


def next_of(page: listing.Page, ids: Sequence[str]) -> str | None:
    """The ``after`` of the next page, for who reads a list by id."""
    return ids[-1] if len(ids) == page.limit and not page.sort else None


@dataclass
class Desk:
    """What the routes call."""

    pool: asyncpg.Pool
    authoring: Authoring
    references: References
    catalogue: Catalogue
    drafts: Drafts
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
