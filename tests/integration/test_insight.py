"""Unique customers, categories and caps, from events to the answer, on the real PostgreSQL."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from services.analytics.insight.customers_store import merge
from shared import clock
from shared.codec import encode
from shared.events.conditions import AnyOf
from shared.events.outcome import RecordedLine
from shared.events.promotion import Instrument, LimitRule
from shared.events.reference import Product
from shared.events.values import Currency
from shared.topics import CAMPAIGNS, PRODUCTS
from tests.builders import campaign, code, instrument, total
from tests.integration.statistics import Api, opened
from tests.unit.analytics.records import (
    NOON,
    receipt,
    record,
    redemption,
    returned,
    taken_back,
)

NOW = clock.now()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Api]:
    """The API over tables that nothing is in."""
    async with opened(dsn) as one:
        yield one


def bought(customer: int | None, campaign_id: str | None = None, **values: Any) -> ConsumerRecord:
    used = (redemption(campaign_id=campaign_id),) if campaign_id else ()
    who = None if customer is None else f"c-{customer}"
    return receipt(customer_id=who, **({"redemptions": used} | values))


async def estimates(api: Api, **parameters: str) -> tuple[int, dict[str, int], dict[str, int]]:
    """Of all, by campaign, by day."""
    answer = await api.ask("customers", **parameters)
    return (
        answer["customers"]["estimate"],
        {row["campaign_id"]: row["customers"]["estimate"] for row in answer["campaigns"]},
        {row["day"]: row["customers"]["estimate"] for row in answer["days"]},
    )


async def test_customers_are_counted_once_however_often_they_buy(api: Api) -> None:
    before = NOON - DAY
    await api.apply(
        [bought(1), bought(1, "a"), bought(2, "b"), bought(None, "a")],
        [bought(1, "b", occurred_at=before), bought(3, occurred_at=before)],
    )
    expected = (3, {"b": 2, "a": 1}, {"2026-12-09": 2, "2026-12-10": 2})
    assert await estimates(api) == expected
    while await merge(api.pool, most=1):
        assert await estimates(api) == expected
    assert await api.pool.fetchval("select count(*) from customer_marks") == 0
    await api.apply([bought(1), bought(4, "a")])
    assert await estimates(api) == (4, {"a": 2, "b": 2}, {"2026-12-09": 2, "2026-12-10": 3})


@pytest.mark.parametrize("merged", [False, True])
async def test_customers_of_places_days_and_campaigns_are_told_apart(
    api: Api, merged: bool
) -> None:
    web: dict[str, Any] = {"store_id": "web", "device": "mobile", "region": "South"}
    await api.apply(
        [bought(1, "a"), bought(2), bought(1, **web), bought(3, "a", **web)],
        bought(4, occurred_at=NOON - DAY, currency="PLN"),
    )
    if merged:
        assert await merge(api.pool) == 2
    assert (await estimates(api, store_id="web"))[:2] == (2, {"a": 1})
    assert (await estimates(api, device="till"))[0] == 3
    assert (await estimates(api, region="South", device="mobile"))[0] == 2
    assert (await estimates(api, currency="PLN"))[0] == 1
    assert (await estimates(api, region="East"))[0] == 0
    assert await estimates(api, campaign_id="a") == (2, {"a": 2}, {"2026-12-10": 2})
    day = {"from": "2026-12-09T00:00:00Z", "to": "2026-12-10T00:00:00Z"}
    assert (await estimates(api, **day))[0] == 1


def basket(*lines: tuple[str, str | None, int], **values: Any) -> ConsumerRecord:
    """A receipt of these goods (sku, group, paid), each at 1.00 off, with a code of WELCOME."""
    sold = tuple(
        RecordedLine(line=n, sku=sku, group=group, quantity=1_500, amount=paid + 100, discount=100)
        for n, (sku, group, paid) in enumerate(lines, 1)
    )
    return receipt(lines=sold, **({"redemptions": (redemption(emission_id="WELCOME"),)} | values))


def costing(sku: str, cost: int | None, group: str | None = None) -> ConsumerRecord:
    currency = None if cost is None else Currency("EUR")
    product = Product(sku=sku, name=sku, group=group, cost=cost, currency=currency)
    return record(PRODUCTS.name, encode(product))


async def test_what_is_bought_with_a_code_is_told_by_group_with_its_margin(api: Api) -> None:
    await api.apply([costing("tea", 201, "drinks"), costing("cup", None)])
    await api.apply(
        basket(("tea", None, 900), ("cake", "sweets", 400)),
        basket(("tea", "hot", 900), ("tea", None, 900), ("cup", None, 50)),
        basket(("tea", "hot", 1), redemptions=()),
    )
    answer = await api.ask("categories", emission_id="WELCOME")
    rows = {row["group"]: row for row in answer["rows"]}
    assert [row["group"] for row in answer["rows"]] == ["drinks", "hot", "sweets", None]
    # 1.5 units of tea cost 301.5, which is 302; with another of the same batch it would be 603.
    assert rows["drinks"] == {
        "campaign_id": "campaign-1",
        "campaign": "campaign-1",
        "instrument_id": "instrument-1",
        "instrument": "instrument-1",
        "emission_id": "WELCOME",
        "group": "drinks",
        "lines": 2,
        "quantity": 3_000,
        "amount": 2_000,
        "discount": 200,
        "revenue": 1_800,
        "covered_revenue": 1_800,
        "cost": 604,
        "margin": 1_196,
        "margin_share": 6_644,
        "covered": 10_000,
    }
    assert (rows["sweets"]["margin"], rows["sweets"]["covered"]) == (None, 0)
    assert rows["hot"]["lines"] == 1
    assert (await api.ask("categories", emission_id=""))["rows"] == []
    assert (await api.ask("categories", campaign_id="other"))["rows"] == []


async def test_costs_in_another_currency_are_no_costs(api: Api) -> None:
    await api.apply(costing("tea", 200), basket(("tea", "hot", 900), currency="PLN"))
    [row] = (await api.ask("categories"))["rows"]
    assert (row["revenue"], row["cost"], row["margin"]) == (900, 0, None)


async def test_rows_are_as_many_as_asked_for(api: Api) -> None:
    await api.apply(basket(("a", "x", 500), ("b", "y", 400)))
    answer = await api.ask("categories", limit="1")
    assert ([row["group"] for row in answer["rows"]], answer["truncated"]) == (["x"], True)


def running(*instruments: Instrument, **values: Any) -> ConsumerRecord:
    span = {"starts_at": NOW - 10 * DAY, "ends_at": NOW + 60 * DAY, "time_zone": "UTC"}
    stated = campaign("campaign-1", instruments or None, **(span | values))
    return record(CAMPAIGNS.name, encode(stated))


def used(hours_ago: int, discount: int = 100, **values: Any) -> ConsumerRecord:
    return receipt(
        occurred_at=NOW - hours_ago * HOUR,
        discount=discount,
        redemptions=(redemption(discount=discount, **values),),
    )


async def caps(api: Api, **parameters: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await api.ask("caps", **parameters))["rows"]
    return rows


async def test_a_cap_is_told_with_what_is_used_and_when_it_will_be_used_up(api: Api) -> None:
    welcome = instrument("instrument-1", [total(1), code("WELCOME", cap=300)])
    await api.apply(running(welcome), [used(n, emission_id="WELCOME") for n in range(1, 200)])
    back = taken_back(emission_id="WELCOME", discount=100)
    await api.apply(returned(occurred_at=NOW, redemptions=(back,)))
    [cap] = await caps(api)
    assert {name: cap[name] for name in ("kind", "emission_id", "condition_id", "counts")} == {
        "kind": "code",
        "emission_id": "WELCOME",
        "condition_id": "code",
        "counts": "redemptions",
    }
    assert (cap["cap"], cap["used"], cap["remaining"]) == (300, 198, 102)
    assert cap["period"]["kind"] == "campaign"
    told = cap["forecast"]
    assert told["state"] == "expected"
    assert told["per_day"] == pytest.approx(24, abs=2)
    assert (NOW + 3 * DAY).isoformat() < told["at"] < (NOW + 6 * DAY).isoformat()
    assert told["earliest"] < told["at"] < told["latest"]


async def test_each_kind_of_cap_counts_what_is_its_own(api: Api) -> None:
    either = AnyOf(conditions=(code("A", cap=5, condition_id="a"), total(1)))
    weekly = {"kind": "rolling", "days": 1}
    money, each = LimitRule(money=1_000), LimitRule(redemptions=1, per=("customer",))
    await api.apply(
        running(
            instrument("instrument-1", [either], limits=(each,)),
            instrument("instrument-2", max_redemptions=2, processing_period=weekly),
            instrument("instrument-3", max_redemptions=2, on_return="keep"),
            limits=(money,),
        ),
        [used(2, emission_id="A"), used(3), used(4, instrument_id="instrument-2")],
        [used(50, instrument_id="instrument-2"), used(300, instrument_id="instrument-2")],
        [used(5, instrument_id="instrument-3"), used(6, instrument_id="instrument-3")],
    )
    kept = taken_back(instrument_id="instrument-3", released=False, discount=100)
    await api.apply(returned(occurred_at=NOW, redemptions=(kept,)))
    found = {(c["kind"], c["instrument_id"], c["counts"], *c["per"]): c for c in await caps(api)}
    told = {key: (c["used"], (c["forecast"] or {}).get("state")) for key, c in found.items()}
    assert told == {
        ("campaign", None, "money"): (500, "too_little_data"),
        ("instrument", "instrument-1", "redemptions", "customer"): (None, None),
        ("code", "instrument-1", "redemptions"): (1, "too_little_data"),
        ("instrument", "instrument-2", "redemptions"): (1, "sliding"),
        ("instrument", "instrument-3", "redemptions"): (2, "used_up"),
    }
    assert found["campaign", None, "money"]["currency"] == "EUR"


async def test_caps_of_what_does_not_run_are_not_foretold(api: Api) -> None:
    limited = instrument("instrument-1", max_redemptions=1_000)
    await api.apply(running(limited, status="paused"), [used(n) for n in range(1, 50)])
    [cap] = await caps(api, campaign_id="campaign-1")
    assert (cap["status"], cap["used"], cap["forecast"]["state"]) == ("paused", 49, "not_running")
    assert await caps(api, campaign_id="other") == []
    await api.apply(running(limited, status="finished", version=2))
    assert await caps(api) == []


async def table(api: Api, path: str) -> list[dict[str, str]]:
    answer = await api.client.get(f"/v1/statistics/{path}", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv"), answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_every_answer_is_there_as_a_table(api: Api) -> None:
    each = LimitRule(redemptions=1, per=("customer", "day"))
    limited = instrument("instrument-1", max_redemptions=10, limits=(each,))
    await api.apply(running(limited, control_group=1_000))
    await api.apply([bought(1, "campaign-1", exposed=("campaign-1",)), bought(2, "other")])
    rows = await table(api, "caps")
    assert [(row["Limit"], row["For each"], row["Used"]) for row in rows] == [
        ("10", "", "1"),
        ("1", "customer, day", ""),
    ]
    assert [row["Forecast: State"] for row in rows] == ["too_little_data", ""]
    assert all(row["Period: From (UTC)"] for row in rows)
    told = {row["Campaign"]: row for row in await table(api, "effectiveness")}
    assert told["campaign-1"]["Uplift: Treated: Customers"] == "1"
    assert told["other"]["Uplift: Treated: Customers"] == ""
    customers = await table(api, "customers")
    assert [(row["Campaign"], row["Day"], row["Customers: Estimate"]) for row in customers] == [
        ("", "", "2"),
        ("campaign-1", "", "1"),
        ("other", "", "1"),
        ("", "2026-12-10", "2"),
    ]
    assert len(await table(api, "categories")) == 2
