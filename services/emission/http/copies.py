"""Copies of emissions, instruments and campaigns: drafts, to begin with."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.emission.copying import CopyOfCampaign, CopyOfEmission, CopyOfInstrument
from services.emission.http.desk import Author, Desk, InLanguage, answer, known
from services.emission.http.instruments import views
from services.emission.views import CampaignView, EmissionView, InstrumentView
from shared.events.values import Id
from shared.web.body import json_body


def copy_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Copies; the same again is the same."""
    router = APIRouter()

    @router.post(
        "/emissions/{emission_id}/copy",
        name="copy_emission",
        status_code=HTTPStatus.CREATED,
        responses=known(EmissionView),
    )
    async def emission(
        author: Author,
        emission_id: Id,
        new: Annotated[CopyOfEmission, Depends(json_body(CopyOfEmission))],
        response: Response,
    ) -> EmissionView:
        """Write a draft like an emission; its codes will be new, a word must be another one."""
        row, is_new = await desk().authoring.copy_emission(emission_id, new, author.subject)
        return answer(response, EmissionView.of(row), is_new=is_new)

    @router.post(
        "/instruments/{instrument_id}/copy",
        name="copy_instrument",
        status_code=HTTPStatus.CREATED,
        responses=known(InstrumentView),
    )
    async def instrument(
        author: Author,
        instrument_id: Id,
        new: Annotated[CopyOfInstrument, Depends(json_body(CopyOfInstrument))],
        response: Response,
        language: InLanguage = "en",
    ) -> InstrumentView:
        """Write an instrument like another."""
        row, is_new = await desk().authoring.copy_instrument(instrument_id, new, author.subject)
        [view] = await views(desk(), [row], language)
        return answer(response, view, is_new=is_new)

    @router.post(
        "/campaigns/{campaign_id}/copy",
        name="copy_campaign",
        status_code=HTTPStatus.CREATED,
        responses=known(CampaignView),
    )
    async def campaign(
        author: Author,
        campaign_id: Id,
        new: Annotated[CopyOfCampaign, Depends(json_body(CopyOfCampaign))],
        response: Response,
    ) -> CampaignView:
        """Write a draft with the plan of a campaign."""
        row, is_new = await desk().authoring.copy_campaign(campaign_id, new, author.subject)
        return answer(response, CampaignView.of(row), is_new=is_new)

    return router
