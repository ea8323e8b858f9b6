"""Drafts of forms: each caller's own."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.emission.drafts import LIFETIME, NewDraft
from services.emission.http.desk import SECRET, Author, Desk, not_found
from services.emission.store.drafts import Form
from services.emission.views import Drafts, DraftSummary, DraftView
from shared.events.values import Id
from shared.web.body import json_body


def draft_routes(desk: Callable[[], Desk]) -> APIRouter:
    """What is being typed, so that nothing typed is lost."""
    router = APIRouter(prefix="/drafts")

    @router.put("/{kind}/{id}")
    async def keep(
        author: Author,
        kind: Id,
        id: Id,  # noqa: A002 - the name of the parameter
        new: Annotated[NewDraft, Depends(json_body(NewDraft))],
    ) -> DraftSummary:
        """Keep a form as it stands, for 90 days; at most 256 KiB, of which nothing is checked."""
        at = await desk().drafts.keep(Form(author.subject, kind, id), new)
        return DraftSummary(kind=kind, id=id, changed_at=at, expires_at=at + LIFETIME)

    @router.get("")
    async def drafts(author: Author) -> Drafts:
        """One's own drafts, the newest first."""
        items = [
            DraftSummary(
                kind=row.form.kind,
                id=row.form.id,
                changed_at=row.changed_at,
                expires_at=row.changed_at + LIFETIME,
            )
            for row in await desk().drafts.drafts(author.subject)
        ]
        return Drafts(items=items)

    @router.get("/{kind}/{id}")
    async def draft(
        author: Author,
        kind: Id,
        id: Id,  # noqa: A002
        response: Response,
    ) -> DraftView:
        """One's own draft of a form."""
        response.headers.update(SECRET)
        found = await desk().drafts.draft(Form(author.subject, kind, id))
        if found is None:
            raise not_found("id", "no such draft")
        body, at = found
        return DraftView(kind=kind, id=id, changed_at=at, expires_at=at + LIFETIME, body=body)

    @router.delete("/{kind}/{id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(author: Author, kind: Id, id: Id) -> None:  # noqa: A002
        """Forget a draft."""
        if not await desk().drafts.delete(Form(author.subject, kind, id)):
            raise not_found("id", "no such draft")

    return router
