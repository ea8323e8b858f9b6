"""The authoring API: routes only; what they do is in authoring, references and access."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import asyncpg
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from starlette.responses import StreamingResponse

from services.emission.access import Access
from services.emission.authoring import Authoring
from services.emission.campaigns import Action, CampaignPlan
from services.emission.codes import NewEmission
from services.emission.keys import KeyExchange, NewKey
from services.emission.posting import Poster
from services.emission.references import NewGroup, NewStores, References
from services.emission.store import campaigns as campaign_store
from services.emission.store import emissions as emission_store
from services.emission.store import keys as key_store
from services.emission.store import references as reference_store
from services.emission.store.emissions import EmissionRow
from services.emission.views import (
    Campaigns,
    CampaignView,
    Emissions,
    EmissionView,
    Groups,
    GroupView,
    Instruments,
    KeyMade,
    Keys,
    KeyView,
    MembersView,
    Stores,
    StoresChanged,
    Token,
)
from shared.events.promotion import Instrument
from shared.events.values import Event, Id
from shared.web.auth import Scope, require
from shared.web.body import json_body
from shared.web.problems import Problem

E = TypeVar("E", bound=Event)
After = Annotated[
    str, Query(max_length=64, pattern=r"^[!-~]*$", description="the last page's `next`")
]
Limit = Annotated[int, Query(ge=1, le=1_000)]
_CHUNKS_PER_READ = 20
_SECRET = {"Cache-Control": "no-store"}


def _needs(scope: Scope) -> Any:
    return [Depends(require(scope))]


READS, WRITES = _needs("campaigns:read"), _needs("campaigns:write")


@dataclass
class Desk:
    """What the routes call."""

    pool: asyncpg.Pool
    authoring: Authoring
    references: References
    access: Access
    poster: Poster


def add_routes(app: FastAPI, desk: Callable[[], Desk]) -> None:
    """Add the whole API; ``desk`` is there once the service has started."""
    for routes in (_tokens, _emissions, _instruments, _campaigns, _stores, _groups):
        app.include_router(routes(desk), prefix="/v1", tags=[routes.__name__.strip("_")])


def _tokens(desk: Callable[[], Desk]) -> APIRouter:
    router = APIRouter()

    @router.post("/tokens", openapi_extra={"security": []})
    async def exchange(
        key: Annotated[KeyExchange, Depends(json_body(KeyExchange))], response: Response
    ) -> Token:
        """Exchange an API key for a token, valid for an hour."""
        response.headers.update(_SECRET)
        return await desk().access.exchange(key)

    @router.post("/api-keys", status_code=HTTPStatus.CREATED, dependencies=_needs("admin"))
    async def make(
        new: Annotated[NewKey, Depends(json_body(NewKey))], response: Response
    ) -> KeyMade:
        """Make an API key; it is shown once."""
        response.headers.update(_SECRET)
        return await desk().access.make(new)

    @router.get("/api-keys", dependencies=_needs("admin"))
    async def keys(after: After = "", limit: Limit = 100) -> Keys:
        """API keys, without their secrets."""
        async with desk().pool.acquire() as connection:
            found = await key_store.keys(connection, after, limit)
        return Keys(
            items=[KeyView.of(row) for row in found],
            next=found[-1].key_id if len(found) == limit else None,
        )

    @router.delete(
        "/api-keys/{key_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=_needs("admin")
    )
    async def revoke(key_id: Id) -> None:
        """End an API key; its tokens last an hour at most."""
        async with desk().pool.acquire() as connection:
            if not await key_store.revoke_key(connection, key_id):
                raise _not_found("key_id", "no such key")

    return router


def _emissions(desk: Callable[[], Desk]) -> APIRouter:
    router = APIRouter(prefix="/emissions")

    @router.post("", status_code=HTTPStatus.CREATED, dependencies=WRITES)
    async def add(
        new: Annotated[NewEmission, Depends(json_body(NewEmission))], response: Response
    ) -> EmissionView:
        """Write an emission: a draft, until it is posted."""
        row, is_new = await desk().authoring.add_emission(new)
        return _answer(response, EmissionView.of(row), is_new=is_new)

    @router.get("", dependencies=READS)
    async def emissions(after: After = "", limit: Limit = 100) -> Emissions:
        """Emissions by id."""
        async with desk().pool.acquire() as connection:
            found = await emission_store.emissions(
                connection, after, limit, desk().authoring.cipher
            )
        items = [EmissionView.of(row) for row in found]
        return Emissions(items=items, next=items[-1].emission_id if len(items) == limit else None)

    @router.get("/{emission_id}", dependencies=READS)
    async def emission(emission_id: Id) -> EmissionView:
        """An emission and how far its posting is."""
        return EmissionView.of(await _emission(desk(), emission_id))

    @router.post("/{emission_id}/post", status_code=HTTPStatus.ACCEPTED, dependencies=WRITES)
    async def post(emission_id: Id) -> EmissionView:
        """Have the codes made and published, in the background."""
        row = await desk().authoring.post_emission(emission_id)
        desk().poster.wake()
        return EmissionView.of(row)

    @router.get(
        "/{emission_id}/codes",
        dependencies=_needs("codes:export"),
        response_class=StreamingResponse,
        responses={HTTPStatus.OK: {"content": {"text/csv": {}}}},
    )
    async def codes(emission_id: Id) -> Response:
        """All codes of a posted emission, as CSV with the column `code`."""
        row = await _emission(desk(), emission_id)
        if row.status != "posted":
            message = "the emission is not posted"
            raise Problem.of_field(HTTPStatus.CONFLICT, "Not posted", "status", message)
        name = f'attachment; filename="{emission_id.replace(":", "_")}.csv"'
        return StreamingResponse(
            _csv(desk(), row),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name, **_SECRET},
        )

    return router


async def _emission(desk: Desk, emission_id: str) -> EmissionRow:
    async with desk.pool.acquire() as connection:
        row = await emission_store.emission(connection, emission_id, desk.authoring.cipher)
    if row is None:
        raise _not_found("emission_id", "no such emission")
    return row


async def _csv(desk: Desk, row: EmissionRow) -> AsyncIterator[bytes]:
    """No connection is held between reads: the client may be slow."""
    cipher, after = desk.authoring.cipher, 0
    yield b"code\r\n"
    while after < row.posted_chunks:
        async with desk.pool.acquire() as connection:
            chunks = await emission_store.chunks(connection, row.number, after, _CHUNKS_PER_READ)
        for chunk, ciphertext in chunks:
            codes = cipher.decrypt(ciphertext, row.asked.emission_id, chunk)
            yield "".join(f"{code}\r\n" for code in codes).encode()
            after = chunk


def _instruments(desk: Callable[[], Desk]) -> APIRouter:
    router = APIRouter(prefix="/instruments")

    @router.post("", status_code=HTTPStatus.CREATED, dependencies=WRITES)
    async def add(
        new: Annotated[Instrument, Depends(json_body(Instrument))], response: Response
    ) -> Instrument:
        """Write an instrument."""
        instrument, is_new = await desk().authoring.add_instrument(new)
        return _answer(response, instrument, is_new=is_new)

    @router.put("/{instrument_id}", dependencies=WRITES)
    async def edit(
        instrument_id: Id, new: Annotated[Instrument, Depends(json_body(Instrument))]
    ) -> Instrument:
        """Replace an instrument; started campaigns that use it get a new version."""
        _same_id("instrument_id", instrument_id, new.instrument_id)
        return await desk().authoring.edit_instrument(new)

    @router.get("", dependencies=READS)
    async def instruments(after: After = "", limit: Limit = 100) -> Instruments:
        """Instruments by id."""
        async with desk().pool.acquire() as connection:
            items = await campaign_store.list_instruments(connection, after, limit)
        return Instruments(
            items=items, next=items[-1].instrument_id if len(items) == limit else None
        )

    @router.get("/{instrument_id}", dependencies=READS)
    async def instrument(instrument_id: Id) -> Instrument:
        """An instrument."""
        async with desk().pool.acquire() as connection:
            found = await campaign_store.instrument(connection, instrument_id)
        if found is None:
            raise _not_found("instrument_id", "no such instrument")
        return found

    return router


def _campaigns(desk: Callable[[], Desk]) -> APIRouter:
    router = APIRouter(prefix="/campaigns")

    @router.post("", status_code=HTTPStatus.CREATED, dependencies=WRITES)
    async def add(
        new: Annotated[CampaignPlan, Depends(json_body(CampaignPlan))], response: Response
    ) -> CampaignView:
        """Write a campaign: a draft, until it is started."""
        state, is_new = await desk().authoring.add_campaign(new)
        return _answer(response, CampaignView.of(state), is_new=is_new)

    @router.put("/{campaign_id}", dependencies=WRITES)
    async def edit(
        campaign_id: Id, new: Annotated[CampaignPlan, Depends(json_body(CampaignPlan))]
    ) -> CampaignView:
        """Replace a campaign's plan; a started one gets a new version, its counters go on."""
        _same_id("campaign_id", campaign_id, new.campaign_id)
        return CampaignView.of(await desk().authoring.edit_campaign(new))

    @router.get("", dependencies=READS)
    async def campaigns(after: After = "", limit: Limit = 100) -> Campaigns:
        """Campaigns by id."""
        async with desk().pool.acquire() as connection:
            found = await campaign_store.campaigns(connection, after, limit)
        items = [CampaignView.of(state) for state in found]
        return Campaigns(items=items, next=items[-1].campaign_id if len(items) == limit else None)

    @router.get("/{campaign_id}", dependencies=READS)
    async def campaign(campaign_id: Id) -> CampaignView:
        """A campaign."""
        async with desk().pool.acquire() as connection:
            state = await campaign_store.campaign(connection, campaign_id)
        if state is None:
            raise _not_found("campaign_id", "no such campaign")
        return CampaignView.of(state)

    def action(name: Action) -> Callable[[Id], Awaitable[CampaignView]]:
        async def act(campaign_id: Id) -> CampaignView:
            return CampaignView.of(await desk().authoring.act(campaign_id, name))

        return act

    actions: tuple[Action, ...] = ("start", "pause", "finish")
    for name in actions:
        router.add_api_route(
            f"/{{campaign_id}}/{name}",
            action(name),
            methods=["POST"],
            name=f"{name}_campaign",
            dependencies=WRITES,
        )
    return router


def _stores(desk: Callable[[], Desk]) -> APIRouter:
    router = APIRouter(prefix="/stores")

    @router.put("", dependencies=WRITES)
    async def save(new: Annotated[NewStores, Depends(json_body(NewStores))]) -> StoresChanged:
        """Keep stores, each in place of what was known of it."""
        changed = await desk().references.save_stores(new.stores)
        return StoresChanged(stores=len(new.stores), changed=changed)

    @router.get("", dependencies=READS)
    async def stores(after: After = "", limit: Limit = 100) -> Stores:
        """Stores by id."""
        async with desk().pool.acquire() as connection:
            items = await reference_store.stores(connection, after, limit)
        return Stores(items=items, next=items[-1].store_id if len(items) == limit else None)

    return router


def _groups(desk: Callable[[], Desk]) -> APIRouter:
    router = APIRouter(prefix="/customer-groups")

    @router.put("/{group_id}", dependencies=WRITES)
    async def save(
        group_id: Id, new: Annotated[NewGroup, Depends(json_body(NewGroup))]
    ) -> GroupView:
        """Keep a group with exactly these members."""
        changed = await desk().references.save_group(group_id, new)
        members = len(set(new.customers))
        return GroupView(group_id=group_id, name=new.name, members=members, changed=changed)

    @router.get("", dependencies=READS)
    async def groups(after: After = "", limit: Limit = 100) -> Groups:
        """Groups by id."""
        async with desk().pool.acquire() as connection:
            found = await reference_store.groups(connection, after, limit)
        items = [GroupView(group_id=i, name=name, members=n) for i, name, n in found]
        return Groups(items=items, next=items[-1].group_id if len(items) == limit else None)

    @router.get("/{group_id}", dependencies=READS)
    async def group(group_id: Id, after: After = "", limit: Limit = 1_000) -> MembersView:
        """A group and a page of its members."""
        async with desk().pool.acquire() as connection:
            found = await reference_store.group(connection, group_id, after, limit)
        if found is None:
            raise _not_found("group_id", "no such group")
        name, members = found
        return MembersView(
            group_id=group_id,
            name=name,
            customers=members,
            next=members[-1] if len(members) == limit else None,
        )

    return router


def _answer(response: Response, resource: E, *, is_new: bool) -> E:
    if not is_new:
        response.status_code = HTTPStatus.OK
    return resource


def _same_id(field: str, in_path: str, in_body: str) -> None:
    if in_path != in_body:
        message = "must be the id in the path"
        raise Problem.of_field(HTTPStatus.UNPROCESSABLE_ENTITY, "Ids differ", field, message)


def _not_found(field: str, message: str) -> Problem:
    return Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", field, message)
