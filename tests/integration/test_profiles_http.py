"""Customers over HTTP: one, lists page by page, and exports, on the real stack."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from pyarrow import parquet

from deploy.local.stack import Stack
from services.customers.profile import State, add_receipt, pack
from shared import clock
from tests.integration import shop
from tests.integration.customers import database, new_customer, profile_with
from tests.integration.emission import faulty_fields, new_id, ok
from tests.integration.erasing import basket
from tests.unit.customers.facts import a_line, a_receipt

pytestmark = pytest.mark.slow


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the customers service."""
    async with shop.client(stack, "customers") as client:
        yield client


@asynccontextmanager
async def members(stack: Stack, customer_ids: Sequence[str]) -> AsyncIterator[str]:
    """Customers who have bought once, for 10.00, while the block runs: all in a segment, whose id it gives."""
    segment_id, now = new_id("seg"), clock.now()
    state = State()
    add_receipt(state, a_receipt(1, occurred_at=now, lines=(a_line(amount=1_000),)))
    async with database(stack) as connection:
        await connection.executemany(
            "insert into profiles (customer_id, version, state) values ($1, 1, $2)",
            [(one, pack(state)) for one in customer_ids],
        )
        await connection.executemany(
            "insert into memberships (customer_id, segment_id, member, changed_at)"
            " values ($1, $2, true, $3)",
            [(one, segment_id, now) for one in customer_ids],
        )
        try:
            yield segment_id
        finally:
            for table in ("profiles", "memberships"):
                await connection.execute(
                    f"delete from {table} where customer_id = any($1)",  # noqa: S608 - our own names
                    list(customer_ids),
                )


async def test_all_that_is_known_of_a_customer_is_one_answer(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    async with shop.open_tills(stack) as tills:
        await tills.buy(basket(store_id, customer_id, clock.now() - timedelta(days=8)))
        await tills.buy(basket(store_id, customer_id, clock.now()))
        published = await profile_with(stack, customer_id, purchases=2)
    found = ok(await api.get(f"/v1/profiles/{customer_id}"))
    profile = found["profile"]
    assert profile["purchases"] == 2
    assert profile["segments"] == list(published.segments)
    assert {one["segment_id"] for one in found["segments"]} == {*published.segments}
    assert found["currency"] == shop.CURRENCY
    weeks = found["weeks"]
    assert sum(one["purchases"] for one in weeks) == 2
    assert sum(one["paid"] for one in weeks) == 5_000
    assert len(weeks) in (2, 3)
    hours = [sum(column) for column in zip(*found["heat"], strict=True)]
    assert hours == profile["hours"]
    assert [sum(row) for row in found["heat"]] == profile["weekdays"]
    assert (found["offers"], found["alerts"]) == ([], [])


async def test_of_nobody_nothing_is_known(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"/v1/profiles/{new_customer()}")
    assert faulty_fields(answer, 404) == ["customer_id"]


async def test_customers_are_found_by_how_their_id_begins_page_by_page(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    stem = new_id("p")
    ids = [f"{stem}-{n}" for n in ("10", "2", "Z", "a")]
    async with members(stack, [*ids, f"{stem}X", f"{stem[:-1]}~"]):
        pages, after = [], ""
        for _ in range(2):
            query = {"search": f"{stem}-", "limit": "3", "after": after}
            page = ok(await api.get("/v1/profiles", params=query))
            pages.append([one["customer_id"] for one in page["items"]])
            after = page["next"] or ""
        assert pages == [ids[:3], ids[3:]]
        assert after == ""
        [row] = ok(await api.get("/v1/profiles", params={"search": ids[0]}))["items"]
        assert (row["purchases"], row["paid"], row["currency"]) == (1, 1_000, "EUR")
        nobody = ok(await api.get("/v1/profiles", params={"search": f"{stem}-1x"}))
        assert nobody == {"items": [], "next": None}


async def test_a_segments_customers_are_listed_alone(stack: Stack, api: httpx.AsyncClient) -> None:
    stem = new_id("p")
    async with (
        members(stack, [f"{stem}-{n}" for n in range(4)]) as mine,
        members(stack, [f"{stem}-{n}" for n in range(4, 6)]),
    ):
        query = {"segment_id": mine, "limit": "3"}
        first = ok(await api.get("/v1/profiles", params=query))
        rest = ok(await api.get("/v1/profiles", params=query | {"after": first["next"]}))
        listed = [one["customer_id"] for page in (first, rest) for one in page["items"]]
        assert listed == [f"{stem}-{n}" for n in range(4)]
        assert first["items"][0]["segments"] == [mine]
        one = ok(await api.get("/v1/profiles", params=query | {"search": f"{stem}-2"}))
        assert [row["customer_id"] for row in one["items"]] == [f"{stem}-2"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
async def test_an_export_has_every_customer_once_however_many_portions_it_takes(
    stack: Stack, api: httpx.AsyncClient, kind: str
) -> None:
    stem = new_id("p")
    ids = sorted(f"{stem}-{n}" for n in range(601))
    async with members(stack, ids) as segment_id:
        query = {"format": kind, "segment_id": segment_id}
        answer = await api.get("/v1/profiles/export", params=query)
        assert answer.status_code == 200
        assert answer.headers["tillstream-rows"] == "601"
        assert answer.headers["content-disposition"] == f'attachment; filename="customers.{kind}"'
        if kind == "csv":
            rows = list(csv.DictReader(io.StringIO(answer.text)))
            assert {row["paid"] for row in rows} == {"1000"}
        else:
            rows = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
            assert {row["paid"] for row in rows} == {1_000}
        assert [row["customer_id"] for row in rows] == ids
        everybody = await api.get("/v1/profiles/export", params={"format": kind})
        assert int(everybody.headers["tillstream-rows"]) >= 601
        if kind == "csv":
            all_ids = [row["customer_id"] for row in csv.DictReader(io.StringIO(everybody.text))]
            assert len({*all_ids}) == len(all_ids)
            assert {*ids} <= {*all_ids}
