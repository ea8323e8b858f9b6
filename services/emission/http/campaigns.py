"""Campaigns: written, started, paused, finished."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.emission.campaigns import Action, CampaignPlan
from services.emission.http.desk import (
    CONFLICTS,
    READS,
    WRITES,
    After,
    Desk,
    Limit,
    answer,
    check_same_id,
    known,
    not_found,
)
from services.emission.store import campaigns as campaign_store
from services.emission.views import Campaigns, CampaignView
from shared.events.values import Id
from shared.web.body import json_body


def campaign_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Campaigns and their actions."""
    router = APIRouter(prefix="/campaigns")

    @router.post(
        "", status_code=HTTPStatus.CREATED, dependencies=WRITES, responses=known(CampaignView)
    )
    async def add(
        new: Annotated[CampaignPlan, Depends(json_body(CampaignPlan))], response: Response
    ) -> CampaignView:
        """Write a campaign: a draft, until it is started."""
        state, is_new = await desk().authoring.add_campaign(new)
        return answer(response, CampaignView.of(state), is_new=is_new)

    @router.put("/{campaign_id}", dependencies=WRITES, responses=CONFLICTS)
    async def edit(
        campaign_id: Id, new: Annotated[CampaignPlan, Depends(json_body(CampaignPlan))]
    ) -> CampaignView:
        """Replace a campaign's plan; a started one gets a new version, its counters go on."""
        check_same_id("campaign_id", campaign_id, new.campaign_id)
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
            raise not_found("campaign_id", "no such campaign")
        return CampaignView.of(state)

    @router.post(
        "/{campaign_id}/start", name="start_campaign", dependencies=WRITES, responses=CONFLICTS
    )
    async def start(campaign_id: Id, past: bool = False) -> CampaignView:
        """Start a campaign; ``past``: although it is over, for sales that come late."""
        return CampaignView.of(await desk().authoring.act(campaign_id, "start", past=past))

    def action(name: Action) -> Callable[[Id], Awaitable[CampaignView]]:
        async def act(campaign_id: Id) -> CampaignView:
            return CampaignView.of(await desk().authoring.act(campaign_id, name))

        return act

    actions: tuple[Action, ...] = ("pause", "finish")
    for name in actions:
        router.add_api_route(
            f"/{{campaign_id}}/{name}",
            action(name),
            methods=["POST"],
            name=f"{name}_campaign",
            dependencies=WRITES,
            responses=CONFLICTS,
        )
    return router
