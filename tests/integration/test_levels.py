"""What is read of the levels is what the minutes add up to, whatever is asked."""

from collections.abc import AsyncIterator
from itertools import product
from random import Random
from typing import Any

import asyncpg
import pytest

from services.analytics.cells import KINDS, Kind
from services.analytics.messages import minute_of
from services.analytics.rollup import (
    InstrumentSums,
    ReceiptSums,
    ReturnSums,
    Rollup,
    TakeBackSums,
)
from tests.builders import utc
from tests.integration.statistics import Api, opened

_FIRST = utc(2026, 10, 23, 20)  # over the change of clocks in Europe
_STORES = {"s1": "North", "s2": "North", "s3": "South"}
_PLACES = [
    (store, device, region, currency)
    for (store, region), device, currency in product(
        _STORES.items(), ("till", "app"), ("EUR", "CZK")
    )
]
_OFFERS = [("c1", "i1", ""), ("c1", "i1", "e1"), ("c1", "i2", "e2"), ("c2", "i1", "e1")]
_KINDS = [("c1", "i1", "limit_reached"), ("c1", "i2", "code_missing"), ("c2", "i1", "code_missing")]


def _some(chance: Random) -> Rollup:
    """A batch of random sums over three days and a half."""
    rollup = Rollup()
    for _ in range(300):
        minute = minute_of(_FIRST) + chance.randrange(84 * 60)
        place, n = chance.choice(_PLACES), chance.randrange(1, 1_000)
        offer = chance.choice(_OFFERS)
        rollup.receipts[minute, place] = ReceiptSums(n, 3 * n, n, 2 * n, n, n // 2, n)
        rollup.returns[minute, place] = ReturnSums(n, n)
        rollup.instruments[minute, place, offer] = InstrumentSums(n, n, n, n, n, n, n, n)
        rollup.take_backs[minute, place, offer] = TakeBackSums(n, n, n, n)
        rollup.refusals[minute, place, chance.choice(_KINDS)] = n
    return rollup


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Api]:
    async with opened(dsn) as made:
        chance = Random(7)  # noqa: S311 - the same each time
        for _ in range(3):
            await made.count(_some(chance))
        yield made


_WINDOWS: list[dict[str, str]] = [
    {},
    {"from": "2026-10-24T03:17:00Z"},
    {"to": "2026-10-26T03:17:00Z"},
    {"from": "2026-10-24T00:00:00Z", "to": "2026-10-26T00:00:00Z"},
    {"from": "2026-10-23T22:30:00Z", "to": "2026-10-26T18:13:00Z"},
    {"from": "2026-10-24T10:20:00Z", "to": "2026-10-24T10:50:00Z"},
]
_FILTERS: list[dict[str, str]] = [
    {},
    {"store_id": "s1"},
    {"device": "app"},
    {"region": "North", "device": "till"},
    {"campaign_id": "c1"},
    {"emission_id": "e1", "store_id": "s2"},
    {"campaign_id": "c1", "instrument_id": "i1", "region": "South"},
    {"store_id": "nowhere"},
]


class Minutes:
    """What the minutes add up to."""

    def __init__(self, pool: asyncpg.Pool, filters: dict[str, str], window: dict[str, str]) -> None:
        self.pool = pool
        self.filters = filters | {"currency": "EUR"}
        self.window = window

    async def sums(self, view: str, columns: set[str], measures: str, by: str = "1") -> Any:
        """The sums of a view of minutes that has these columns."""
        wanted = {name: value for name, value in self.filters.items() if name in columns}
        conditions = [f"{name} = '{value}'" for name, value in wanted.items()]
        conditions += [f"minute >= '{value}'" for value in [self.window.get("from")] if value]
        conditions += [f"minute < '{value}'" for value in [self.window.get("to")] if value]
        sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in measures.split())
        sql = f"select {by}, {sums} from {view} where {' and '.join(conditions)} group by 1"  # noqa: S608 - a test's own
        rows = await self.pool.fetch(sql)
        return {row[0]: tuple(row)[1:] for row in rows}


_PLACE = {"store_id", "device", "region", "currency"}
_OFFER = _PLACE | {"campaign_id", "instrument_id", "emission_id"}
_KIND = _PLACE | {"campaign_id", "instrument_id"}
_RECEIPTS = "receipts total discount paid bonuses promo_receipts promo_paid"
_USES = "carts decided gross_activations discount revenue bonuses unauthorised"


def _of(figures: dict[str, Any], measures: str) -> tuple[int, ...]:
    return tuple(figures[name] for name in measures.split())


@pytest.mark.parametrize("filters", _FILTERS)
async def test_answers_are_what_the_minutes_add_up_to(api: Api, filters: dict[str, str]) -> None:
    for window in _WINDOWS:
        await _compare(api, window, filters)


async def _compare(api: Api, window: dict[str, str], filters: dict[str, str]) -> None:
    minutes = Minutes(api.pool, filters, window)
    asked = filters | window | {"currency": "EUR"}
    uses = _USES.replace("gross_activations", "activations")
    nothing = (0,) * 7

    totals = (await api.ask("totals", **asked))["totals"]
    receipts = await minutes.sums("receipt_minutes", _PLACE, _RECEIPTS)
    used = await minutes.sums("instrument_minutes", _OFFER, uses)
    assert _of(totals["receipts"], _RECEIPTS) == receipts.get(1, nothing)
    assert _of(totals["instruments"], _USES) == used.get(1, nothing)
    returned = await minutes.sums("return_minutes", _PLACE, "returns refunded")
    assert _of(totals["receipts"], "returns refunded") == returned.get(1, (0, 0))
    taken = await minutes.sums("take_back_minutes", _OFFER, "returned returned_discount")
    assert _of(totals["instruments"], "returned returned_discount") == taken.get(1, (0, 0))
    refused = await minutes.sums("refusal_minutes", _KIND, "refusals", "reason")
    reasons = totals["instruments"]["reasons"]
    assert {row["reason"]: (row["refusals"],) for row in reasons} == refused

    for name, column in (("store", "store_id"), ("device", "device"), ("region", "region")):
        rows = (await api.ask(f"by/{name}", **asked))["rows"]
        found = {row["id"]: _of(row["receipts"], _RECEIPTS) for row in rows}
        expected = await minutes.sums("receipt_minutes", _PLACE, _RECEIPTS, column)
        assert {id_: found[id_] for id_ in expected} == expected
        found = {row["id"]: _of(row["instruments"], _USES) for row in rows}
        expected = await minutes.sums("instrument_minutes", _OFFER, uses, column)
        assert {id_: found[id_] for id_ in expected} == expected

    for name, column in (("campaigns", "campaign_id"), ("codes", "emission_id")):
        rows = (await api.ask(name, **asked))["rows"]
        expected = await minutes.sums("instrument_minutes", _OFFER, uses, column)
        assert {row[column]: _of(row, _USES) for row in rows} == expected


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "Asia/Kolkata"])
async def test_points_are_what_their_minutes_add_up_to(api: Api, zone: str) -> None:
    for step, filters, window in product(("hour", "day"), _FILTERS[:5], _WINDOWS[:5]):
        asked = filters | window | {"currency": "EUR", "time_zone": zone, "step": step}
        points = (await api.ask("series", **asked))["points"]
        expected = await Minutes(api.pool, filters, window).sums(
            "receipt_minutes", _PLACE, _RECEIPTS, f"date_trunc('{step}', minute, '{zone}')"
        )
        found = {point["at"]: _of(point["receipts"], _RECEIPTS) for point in points}
        assert {at: sums for at, sums in found.items() if sums[0]} == {
            at.strftime("%Y-%m-%dT%H:%M:%SZ"): sums for at, sums in expected.items()
        }


async def test_the_levels_of_what_was_counted_before_them_are_filled_by_the_migration(
    api: Api, pool: asyncpg.Pool
) -> None:
    kept = {kind: await _rows(pool, kind) for kind in KINDS}
    assert all(kept.values())
    for kind in KINDS:
        await pool.execute(f"truncate {kind.levels}")
    await pool.execute("select fill_levels()")
    assert {kind: await _rows(pool, kind) for kind in KINDS} == kept


async def _rows(pool: asyncpg.Pool, kind: Kind) -> set[tuple[Any, ...]]:
    return set(map(tuple, await pool.fetch(f"select * from {kind.levels}")))  # noqa: S608
