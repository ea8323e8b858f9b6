"""Trials over HTTP: one cart, decided with the draft of a campaign."""

from http import HTTPStatus
from zoneinfo import available_timezones

import asyncpg
from fastapi import APIRouter, Depends, Response

from services.evaluator import answer
from services.evaluator.backtest.draft import Trial, as_running
from services.evaluator.backtesting import known_emissions
from services.evaluator.quote_http import problem
from services.evaluator.quoting import Quotes, UnknownError
from services.evaluator.receipt import ConflictError
from shared.events import outcome
from shared.web.auth import require
from shared.web.body import json_body


def routes(pool: asyncpg.Pool, quotes: Quotes) -> APIRouter:
    """``POST /v1/trials``."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(require("campaigns:read"))])

    @router.post(
        "/trials",
        response_model=outcome.Decision,
        responses={HTTPStatus.SERVICE_UNAVAILABLE: {}},
        summary="What a cart would get if a draft campaign ran; holds nothing",
    )
    async def decide(trial: Trial = Depends(json_body(Trial))) -> Response:  # noqa: B008, FAST002
        async with pool.acquire() as connection:
            known = await known_emissions(connection, trial.campaign)
        campaign = as_running(trial.campaign, known, frozenset(available_timezones()))
        try:
            decision = await quotes.rehearse(trial.cart, campaign)
        except (ConflictError, UnknownError) as error:
            raise problem(error, "cart.") from error
        return Response(answer.encode(decision), media_type="application/json")

    return router
