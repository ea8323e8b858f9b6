"""Instruments."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from services.emission.http.desk import (
    READS,
    WRITES,
    Author,
    Desk,
    InLanguage,
    Part,
    answer,
    check_same_id,
    known,
    next_of,
    not_found,
    sort_by,
)
from services.emission.sentence import Language, sentence
from services.emission.store import campaigns as campaign_store
from services.emission.store.campaigns import InstrumentRow
from services.emission.store.names import names
from services.emission.views import CheckedInstrument, Instruments, InstrumentView, Warned
from shared.events.promotion import Instrument
from shared.events.values import Id
from shared.web.body import json_body

_Written = Annotated[Instrument, Depends(json_body(Instrument))]
_Benefit = Literal[
    "percent_off",
    "amount_off",
    "fixed_price",
    "buy_get",
    "cheapest_free",
    "tiers",
    "bonuses",
    "gift_goods",
]


def instrument_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Instruments."""
    router = APIRouter(prefix="/instruments")

    async def view(row: InstrumentRow, language: Language) -> InstrumentView:
        return (await views(desk(), [row], language))[0]

    @router.post("", status_code=HTTPStatus.CREATED, responses=known(InstrumentView))
    async def add(
        author: Author,
        new: _Written,
        response: Response,
        language: InLanguage = "en",
    ) -> InstrumentView:
        """Write an instrument."""
        row, is_new = await desk().authoring.add_instrument(new, author.subject)
        return answer(response, await view(row, language), is_new=is_new)

    @router.put("/{instrument_id}")
    async def edit(
        author: Author,
        instrument_id: Id,
        new: _Written,
        language: InLanguage = "en",
    ) -> InstrumentView:
        """Replace an instrument; started campaigns that use it get a new version."""
        check_same_id("instrument_id", instrument_id, new.instrument_id)
        row = await desk().authoring.edit_instrument(new, author.subject)
        return await view(row, language)

    @router.get("", dependencies=READS)
    async def instruments(
        part: Part,
        sort: Annotated[str, sort_by(campaign_store.INSTRUMENTS)] = "",
        benefit: Annotated[list[_Benefit], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
        trigger: Annotated[list[Literal["on_sale", "on_period_end"]], Query(max_length=2)] = [],  # noqa: B006
        emission: Id | None = None,
        campaign: Id | None = None,
        language: InLanguage = "en",
    ) -> Instruments:
        """Instruments: searched, filtered, sorted; by id where no order is asked for.

        `emission`: they use its codes; `campaign`: they are in it.
        """
        page = replace(part, sort=sort)
        wanted = campaign_store.WantedInstruments(benefit, trigger, emission, campaign)
        async with desk().pool.acquire() as connection:
            found, total = await campaign_store.list_instruments(connection, wanted, page)
        items = await views(desk(), found, language)
        ids = [one.instrument_id for one in items]
        return Instruments(items=items, total=total, next=next_of(page, ids))

    @router.get("/{instrument_id}", dependencies=READS)
    async def instrument(instrument_id: Id, language: InLanguage = "en") -> InstrumentView:
        """An instrument."""
        async with desk().pool.acquire() as connection:
            found = await campaign_store.instrument_row(connection, instrument_id)
        if found is None:
            raise not_found("instrument_id", "no such instrument")
        return await view(found, language)

    _add_check(router, desk)
    return router


def _add_check(router: APIRouter, desk: Callable[[], Desk]) -> None:
    @router.post("/check", dependencies=WRITES)
    async def check(new: _Written, language: InLanguage = "en") -> CheckedInstrument:
        """Say what an instrument would be, or refuse it as saving would; nothing is kept."""
        checked = await desk().authoring.check_instrument(new)
        async with desk().pool.acquire() as connection:
            called = await names(connection, [new])
        return CheckedInstrument(
            sentence=sentence(new, called, language),
            exists=checked.exists,
            warnings=[Warned(field=one.field, message=one.message) for one in checked.warnings],
        )


async def views(
    desk: Desk, rows: Sequence[InstrumentRow], language: Language
) -> list[InstrumentView]:
    """The instruments with their sentences."""
    async with desk.pool.acquire() as connection:
        called = await names(connection, [row.instrument for row in rows])
    return [InstrumentView.of(row, called, language) for row in rows]
