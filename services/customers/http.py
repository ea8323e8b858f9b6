"""Customers over HTTP: one, a list, and all of them as a table (scope ``customers:read``)."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from services.customers.feed import profile_store
from services.customers.feed.columns import csv_header, csv_lines
from services.customers.feed.customer_views import (
    CustomerRow,
    Customers,
    CustomerView,
    MembershipView,
)
from services.customers.feed.parquet import ParquetFile
from services.customers.feed.reading import Reading
from services.customers.fraud import http as fraud_http
from services.customers.metrics import EXPORTED
from services.customers.offers.answers import OfferView
from services.customers.offers.store import records
from services.customers.segments import store as segment_store
from shared import clock
from shared.events.values import CustomerId, Id
from shared.web.auth import require
from shared.web.problems import Problem

_MOST_OFFERS = 20
_CSV, _PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"
ROWS_HEADER = "Tillstream-Rows"
"""How many customers there were when an export began: how far it has come can be told by it."""
_TABLE: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {
        "description": "A row for each customer",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            _PARQUET: {"schema": {"type": "string", "format": "binary"}},
        },
        "headers": {
            ROWS_HEADER: {
                "description": "customers when it began",
                "schema": {"type": "integer"},
            }
        },
    }
}
# As ids are.
_ID = r"^[A-Za-z0-9@+._:() -]{0,64}$"
Search = Annotated[str, Query(pattern=_ID, description="how the id begins")]
After = Annotated[str, Query(pattern=_ID, description="the last page's `next`")]
OfSegment = Annotated[Id | None, Query(description="of this segment's members only")]
Limit = Annotated[int, Query(ge=1, le=200)]
Format = Annotated[Literal["csv", "parquet"], Query(description="of the table")]


def routes(reading: Reading) -> APIRouter:
    """The API of customers."""
    router = APIRouter(
        prefix="/v1/profiles", tags=["customers"], dependencies=[Depends(require("customers:read"))]
    )
    _add_list(router, reading)
    _add_export(router, reading)  # before one customer, whose id could be "export"
    _add_one(router, reading)
    return router


def _add_list(router: APIRouter, reading: Reading) -> None:
    @router.get("")
    async def customers(
        search: Search = "", segment_id: OfSegment = None, after: After = "", limit: Limit = 50
    ) -> Customers:
        """Customers by id, page by page: all, a segment's, those whose id begins so."""
        async with reading.pool.acquire() as connection:
            ids = await profile_store.page(
                connection, after=after, prefix=search, segment_id=segment_id or "", limit=limit
            )
            profiles = await reading.profiles(connection, ids, clock.now())
        items = tuple(CustomerRow.of(profile) for profile in profiles)
        return Customers(items=items, next=ids[-1] if len(ids) == limit else None)


def _add_export(router: APIRouter, reading: Reading) -> None:
    @router.get("/export", response_class=StreamingResponse, responses=_TABLE)
    async def export(format: Format = "csv", segment_id: OfSegment = None) -> Response:  # noqa: A002 - the parameter's name
        """All customers as a table, or a segment's: a row each, in portions, however many there are."""
        segment = segment_id or ""
        async with reading.pool.acquire() as connection:
            rows = await profile_store.count(connection, segment)
        parts = _csv(reading, segment) if format == "csv" else _parquet(reading, segment)
        headers = {
            ROWS_HEADER: str(rows),
            "Content-Disposition": f'attachment; filename="customers.{format}"',
            "Cache-Control": "no-store",
        }
        media_type = _CSV if format == "csv" else _PARQUET
        return StreamingResponse(parts, media_type=media_type, headers=headers)


async def _csv(reading: Reading, segment_id: str) -> AsyncIterator[str]:
    yield csv_header()
    async for profiles in reading.export(segment_id):
        yield csv_lines(profiles)
        EXPORTED.inc(len(profiles))


async def _parquet(reading: Reading, segment_id: str) -> AsyncIterator[bytes]:
    file = ParquetFile()
    async for profiles in reading.export(segment_id):
        yield file.add(profiles)
        EXPORTED.inc(len(profiles))
    yield file.end()


def _add_one(router: APIRouter, reading: Reading) -> None:
    @router.get("/{customer_id}")
    async def customer(customer_id: CustomerId) -> CustomerView:
        """All that is known of a customer, as of now."""
        now = clock.now()
        async with reading.pool.acquire() as connection:
            known = await profile_store.known(connection, [customer_id])
            if not known:
                message = "nothing is known of this customer"
                raise Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "customer_id", message)
            [profile] = await reading.summarised(connection, known, now)
            segments = await segment_store.of_customer(connection, customer_id)
            offers = await records.of_customer(connection, customer_id, _MOST_OFFERS)
            alerts = await fraud_http.of_customer(connection, customer_id)
        return CustomerView.of(
            profile,
            known[0][2],
            tuple(
                MembershipView(segment_id=one.segment_id, name=one.name, since=one.since)
                for one in segments
            ),
            tuple(map(OfferView.of, offers)),
            alerts,
        )
