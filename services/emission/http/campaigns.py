"""Campaigns: written, started, paused, finished."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.emission.campaigns import Action, CampaignPlan, Status
from services.emission.http.desk import (
    CONFLICTS,
    READS,
    Author,
    Desk,
    Part,
    answer,
    check_same_id,
    known,
    next_of,
    not_found,
    sort_by,
)
from services.emission.store import campaigns as campaign_store
from services.emission.views import Campaigns, CampaignView
from shared.events.values import Id
from shared.web.body import json_body


def campaign_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Campaigns and their actions."""
    router = APIRouter(prefix="/campaigns")

    @router.post("", status_code=HTTPStatus.CREATED, responses=known(CampaignView))
    async def add(
        author: Author,
        new: Annotated[CampaignPlan, Depends(json_body(CampaignPlan))],
        response: Response,
    ) -> CampaignView:
        """Write a campaign: a draft, until it is started."""
        row, is_new = await desk().authoring.add_campaign(new, author.subject)
        return answer(response, CampaignView.of(row), is_new=is_new)

    @router.put("/{campaign_id}", responses=CONFLICTS)
    async def edit(
        author: Author,
        campaign_id: Id,
        new: Annotated[CampaignPlan, Depends(json_body(CampaignPlan))],
    ) -> CampaignView:
        """Replace a campaign's plan; a started one gets a new version, its counters go on."""
        check_same_id("campaign_id", campaign_id, new.campaign_id)
        return CampaignView.of(await desk().authoring.edit_campaign(new, author.subject))

    @router.get("", dependencies=READS)
    async def campaigns(
        part: Part,
        sort: Annotated[str, sort_by(campaign_store.CAMPAIGNS)] = "",
        status: Annotated[list[Status], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
        on: date | None = None,
        store: Id | None = None,
        instrument: Id | None = None,
        emission: Id | None = None,
    ) -> Campaigns:
        """Campaigns: searched, filtered, sorted; by id where no order is asked for.

        `on`: one of their days; `store`: they run there; `instrument`, `emission`: they use it.
        """
        page = replace(part, sort=sort)
        wanted = campaign_store.WantedCampaigns(status, on, store, instrument, emission)
        async with desk().pool.acquire() as connection:
            found, total = await campaign_store.campaigns(connection, wanted, page)
        items = [CampaignView.of(row) for row in found]
        ids = [one.campaign_id for one in items]
        return Campaigns(items=items, total=total, next=next_of(page, ids))

    @router.get("/{campaign_id}", dependencies=READS)
    async def campaign(campaign_id: Id) -> CampaignView:
        """A campaign."""
        async with desk().pool.acquire() as connection:
            row = await campaign_store.campaign_row(connection, campaign_id)
        if row is None:
            raise not_found("campaign_id", "no such campaign")
        return CampaignView.of(row)

    _add_actions(router, desk)
    return router


def _add_actions(router: APIRouter, desk: Callable[[], Desk]) -> None:
    @router.post("/{campaign_id}/start", name="start_campaign", responses=CONFLICTS)
    async def start(author: Author, campaign_id: Id, past: bool = False) -> CampaignView:
        """Start a campaign; ``past``: although it is over, for sales that come late."""
        actor = author.subject
        return CampaignView.of(await desk().authoring.act(campaign_id, "start", actor, past=past))

    def action(name: Action) -> Callable[[Author, Id], Awaitable[CampaignView]]:
        async def act(author: Author, campaign_id: Id) -> CampaignView:
            return CampaignView.of(await desk().authoring.act(campaign_id, name, author.subject))

        return act

    actions: tuple[Action, ...] = ("pause", "finish")
    for name in actions:
        router.add_api_route(
            f"/{{campaign_id}}/{name}",
            action(name),
            methods=["POST"],
            name=f"{name}_campaign",
            responses=CONFLICTS,
        )
