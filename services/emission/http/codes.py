"""The codes of an emission, for who may take them away."""

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from markupsafe import Markup
from starlette.responses import JSONResponse, StreamingResponse

from services.emission import export
from services.emission.http.desk import CONFLICTS, SECRET, Desk, InLanguage, Limit
from services.emission.http.emissions import emission_row
from services.emission.http.pages import pages
from services.emission.sheet import MOST, Address, advice, card, heading, validity
from services.emission.store.emissions import EmissionRow
from services.emission.views import Codes, CodeView
from shared.events.values import Id, Text
from shared.web.auth import Principal, require
from shared.web.problems import Problem

_Exporter = Annotated[Principal, Depends(require("codes:export"))]
_MOST_CODES = 10**9  # of any emission: what is made on request is added to its batch
_Number = Annotated[int, Query(ge=0, le=_MOST_CODES, description="the last page's `next`")]


def code_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Codes as they are given away; each export is kept in the changes."""
    router = APIRouter(prefix="/emissions")

    @router.get(
        "/{emission_id}/codes",
        response_class=StreamingResponse,
        responses={HTTPStatus.OK: {"model": Codes, "content": {"text/csv": {}}}} | CONFLICTS,
    )
    async def codes(
        caller: _Exporter,
        emission_id: Id,
        format: Literal["csv", "json"] = "csv",  # noqa: A002 - the name of the parameter
        after: _Number = 0,
        limit: Limit = 100,
    ) -> Response:
        """Codes of a posted emission: all as CSV, or a page as JSON.

        Columns: `code`; `customer_id` if any is bound; `valid_until` if any was made on request. Those come last.
        """
        if format == "csv":
            row = await _taken(desk(), caller, emission_id)
            lines = export.table(desk().pool, desk().authoring.cipher, row)
            name = f'attachment; filename="{emission_id.replace(":", "_")}.csv"'
            headers = {"Content-Disposition": name, **SECRET}
            return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
        row = await _taken(desk(), caller, emission_id, after, limit)
        found = await export.some(desk().pool, desk().authoring.cipher, row, after, limit)
        page = Codes(
            items=[CodeView(**asdict(one)) for one in found],
            total=row.codes,
            next=found[-1].number if found and found[-1].number < row.codes else None,
        )
        return JSONResponse(page.model_dump(mode="json"), headers=SECRET)

    _add_sheet(router, desk)
    return router


def _add_sheet(router: APIRouter, desk: Callable[[], Desk]) -> None:
    @router.get(
        "/{emission_id}/codes/sheet",
        response_class=Response,
        responses={HTTPStatus.OK: {"content": {"text/html": {}}}} | CONFLICTS,
    )
    async def sheet(
        request: Request,
        caller: _Exporter,
        emission_id: Id,
        first: Annotated[int, Query(alias="from", ge=1, le=_MOST_CODES)] = 1,
        count: Annotated[int, Query(ge=1, le=MOST)] = 24,
        address: Address | None = None,
        time_zone: Text = "UTC",
        language: InLanguage = "en",
    ) -> Response:
        """Codes to print, on A4: each as text and as a QR code, of itself or of an address with `code=`.

        `time_zone` is that of the days on which they are valid.
        """
        if time_zone not in desk().authoring.zones:
            message = "not a time zone of the IANA database, as Europe/Kyiv"
            raise Problem.of_field(
                HTTPStatus.UNPROCESSABLE_ENTITY, "No such zone", "time_zone", message
            )
        row = await _taken(desk(), caller, emission_id, first - 1, count)
        if first > row.codes:
            message = f"there are {row.codes} codes"
            raise Problem.of_field(
                HTTPStatus.UNPROCESSABLE_ENTITY, "No such codes", "from", message
            )
        asked = row.asked
        found = await export.some(desk().pool, desk().authoring.cipher, row, first - 1, count)
        zone = ZoneInfo(time_zone)
        cards = [
            {
                "code": one.code,
                "picture": Markup(card(one.code, address).picture),  # noqa: S704 - ours
                "validity": validity(
                    asked.valid_from, one.valid_until or asked.valid_until, zone, language
                ),
            }
            for one in found
        ]
        return pages().render(
            request,
            "sheet.html",
            caller=caller,
            title=asked.name,
            words=language,
            is_poster=asked.kind == "mass",
            cards=cards,
            heading=heading(first, first + len(found) - 1, row.codes, language),
            advice=advice(language),
        )


async def _taken(
    desk: Desk, caller: Principal, emission_id: str, after: int = 0, most: int = _MOST_CODES
) -> EmissionRow:
    """The posted emission, of which so many codes are about to leave: that is kept."""
    row = await emission_row(desk, emission_id)
    if row.status != "posted":
        message = "the emission is not posted"
        raise Problem.of_field(HTTPStatus.CONFLICT, "Not posted", "status", message)
    count = min(most, row.codes - after)
    if count > 0:
        await desk.authoring.record_export(emission_id, count, caller.subject)
    return row
