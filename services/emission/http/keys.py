"""API keys, and the tokens that they are exchanged for."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.emission.http.desk import SECRET, After, Desk, Limit, needs, not_found
from services.emission.keys import KeyExchange, NewKey
from services.emission.store import keys as key_store
from services.emission.views import KeyMade, Keys, KeyView, Token
from shared.events.values import Id
from shared.web.auth import Principal, require
from shared.web.body import json_body

_Administrator = Annotated[Principal, Depends(require("admin"))]


def token_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Keys, and their exchange for tokens."""
    router = APIRouter()

    @router.post("/tokens", openapi_extra={"security": []}, responses={HTTPStatus.UNAUTHORIZED: {}})
    async def exchange(
        key: Annotated[KeyExchange, Depends(json_body(KeyExchange))], response: Response
    ) -> Token:
        """Exchange an API key for a token, valid for an hour."""
        response.headers.update(SECRET)
        return await desk().access.exchange(key)

    @router.post("/api-keys", status_code=HTTPStatus.CREATED)
    async def make(
        caller: _Administrator,
        new: Annotated[NewKey, Depends(json_body(NewKey))],
        response: Response,
    ) -> KeyMade:
        """Make an API key; it is shown once."""
        response.headers.update(SECRET)
        return await desk().access.make(new, caller.subject)

    @router.get("/api-keys", dependencies=needs("admin"))
    async def keys(after: After = "", limit: Limit = 100) -> Keys:
        """API keys, without their secrets."""
        async with desk().pool.acquire() as connection:
            found = await key_store.keys(connection, after, limit)
        return Keys(
            items=[KeyView.of(row) for row in found],
            next=found[-1].key_id if len(found) == limit else None,
        )

    @router.delete("/api-keys/{key_id}", status_code=HTTPStatus.NO_CONTENT)
    async def revoke(key_id: Id, caller: _Administrator) -> None:
        """End an API key; its tokens last an hour at most."""
        if not await desk().access.revoke(key_id, caller.subject):
            raise not_found("key_id", "no such key")

    return router
