"""What was changed, when, and by whom: of one thing, and of all."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.emission.change_views import Changes, ChangeView, History, VersionView
from services.emission.http.desk import READS, Desk, Limit, Offset, needs, not_found
from services.emission.store import changes as change_store
from services.emission.store.changes import Kind, Wanted
from shared.events.values import Id, Instant, Text

_HISTORIES: tuple[Kind, ...] = ("emission", "instrument", "campaign")


def change_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Histories, and the list of all changes."""
    router = APIRouter()

    @router.get("/changes", dependencies=needs("admin"))
    async def changes(
        by: Text | None = None,
        kind: Annotated[list[Kind], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
        id: Text | None = None,  # noqa: A002 - the name of the parameter
        action: Annotated[list[Text], Query(max_length=20)] = [],  # noqa: B006
        since: Annotated[Instant | None, Query(alias="from")] = None,
        until: Annotated[Instant | None, Query(alias="to")] = None,
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        limit: Limit = 100,
    ) -> Changes:
        """All changes, the newest first: by whom, of what, from when until (not including) when.

        `before`: the last page's `next`.
        """
        wanted = Wanted(by, kind, id, action, since, until)
        async with desk().pool.acquire() as connection:
            found = await change_store.changes(connection, wanted, before, limit)
        return Changes(
            items=[ChangeView.of(one) for one in found],
            next=found[-1].number if len(found) == limit else None,
        )

    def add(kind: Kind) -> None:
        thing_name = f"{kind}_id"

        @router.get(f"/{kind}s/{{{kind}_id}}/history", name=f"{kind}_history", dependencies=READS)
        async def history(
            thing_id: Annotated[Id, Path(alias=thing_name)],
            offset: Offset = 0,
            limit: Limit = 100,
        ) -> History:
            """Its changes, the newest first, with what each changed."""
            async with desk().pool.acquire() as connection:
                found, total = await change_store.history(connection, kind, thing_id, offset, limit)
            if not total:
                raise not_found(thing_name, f"no such {kind}")
            return History(items=[VersionView.of(one) for one in found], total=total)

    for kind in _HISTORIES:
        add(kind)
    return router
