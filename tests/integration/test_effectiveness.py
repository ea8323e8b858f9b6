"""Effectiveness, from events to the answer, on the real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from shared.codec import encode
from shared.events.outcome import RecordedLine
from shared.topics import CAMPAIGNS
from tests.builders import campaign, utc
from tests.integration.statistics import DAY, Api, opened
from tests.unit.analytics.records import (
    NOON,
    applied,
    decision,
    receipt,
    record,
    redemption,
    returned,
    taken_back,
)


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Api]:
    """The API over tables that nothing is in."""
    async with opened(dsn) as one:
        yield one


def running(campaign_id: str = "campaign-1", **values: Any) -> ConsumerRecord:
    defaults: dict[str, Any] = {"starts_at": utc(2026, 12, 1), "name": campaign_id.upper()}
    return record(CAMPAIGNS.name, encode(campaign(campaign_id, **(defaults | values))))


def bought(customer_id: str | None = None, **values: Any) -> ConsumerRecord:
    """A receipt of 10.00, two pieces and 1.5 kg, 1.00 off by the campaign."""
    lines = (
        RecordedLine(line=1, sku="a", quantity=2_000, amount=600, discount=100),
        RecordedLine(line=2, sku="b", quantity=1_500, amount=500, discount=0),
    )
    defaults: dict[str, Any] = {
        "total": 1_100,
        "discount": 100,
        "lines": lines,
        "customer_id": customer_id,
        "redemptions": (redemption(discount=100),),
    }
    return receipt(**(defaults | values))


async def test_a_campaign_is_told_by_its_receipts_each_once(api: Api) -> None:
    both = (redemption(discount=60), redemption(instrument_id="instrument-2", discount=40))
    back = returned(
        refund=300,
        occurred_at=NOON + timedelta(hours=1),
        redemptions=(taken_back(discount=30, status="committed", released=False),),
    )
    decided = decision(applied=(applied(),))
    await api.apply(running(), decided, decided, bought(), bought(redemptions=both), back)
    await api.apply(bought(redemptions=()), bought(occurred_at=NOON - timedelta(days=1)))
    answer = await api.ask("effectiveness", **DAY)
    [row] = answer["rows"]
    assert (answer["first_day"], answer["last_day"]) == ("2026-12-10", "2026-12-10")
    assert (answer["average_receipt"], answer["currency"]) == (1_000, "EUR")
    assert row == {
        "campaign_id": "campaign-1",
        "campaign": "CAMPAIGN-1",
        "status": "running",
        "carts": 2,
        "decided": 2,
        "activations": 3,
        "receipts": 2,
        "conversion": 15_000,
        "average_receipt": 1_000,
        "units": 7_000,
        "units_per_receipt": 3_500,
        "discount": 200,
        "returned_discount": 30,
        "net_discount": 170,
        "revenue": 2_000,
        "refunded": 300,
        "net_revenue": 1_700,
        "revenue_per_discount": 10.0,
        "uplift": None,
    }
    assert (answer["suggestion"], answer["no_suggestion"]) == (None, "too_few_campaigns")


async def test_days_are_those_with_the_dates_of_the_window_in_its_zone(api: Api) -> None:
    await api.apply(bought(), bought(occurred_at=NOON - timedelta(days=1)))
    answer = await api.ask(
        "effectiveness",
        **{"from": "2026-12-09T22:00:00Z", "to": "2026-12-10T22:00:00Z"},
        time_zone="Europe/Kyiv",
    )
    assert (answer["first_day"], answer["last_day"]) == ("2026-12-10", "2026-12-10")
    assert [row["receipts"] for row in answer["rows"]] == [1]


async def test_places_are_told_apart(api: Api) -> None:
    await api.apply(bought(), bought(store_id="store-2", device="mobile", currency="PLN"))
    for narrowed in ({"store_id": "store-2"}, {"device": "mobile"}, {"currency": "PLN"}):
        answer = await api.ask("effectiveness", **DAY, **narrowed)
        assert (answer["currency"], [r["receipts"] for r in answer["rows"]]) == ("PLN", [1])
    assert (await api.ask("effectiveness", **DAY, region="South"))["rows"] == []
    assert (await api.ask("effectiveness", **DAY, campaign_id="other"))["rows"] == []


def paid_by(treated: int, held_back: int) -> list[ConsumerRecord]:
    """Customers of both arms buy once, for 10.00 each, and all but the held back with 1.00 off."""
    arm: dict[str, Any] = {"exposed": ("campaign-1",)}
    other = arm | {"held_back": ("campaign-1",), "redemptions": ()}
    customers = range(treated + held_back)
    return [bought(f"c-{n}", **(arm if n < treated else other)) for n in customers]


async def test_uplift_is_of_both_arms_whatever_was_bought_with_the_campaign(api: Api) -> None:
    await api.apply(running(control_group=5_000))
    await api.apply(paid_by(132, 100))
    await api.apply(bought("c-0", exposed=("campaign-1",), redemptions=()))
    await api.apply(bought("c-0"), bought())  # of a store it is not for, and of nobody
    [row] = (await api.ask("effectiveness", **DAY))["rows"]
    uplift = row["uplift"]
    assert uplift["treated"] == {"customers": 132, "receipts": 133, "revenue": 133_000}
    assert uplift["held_back"] == {"customers": 100, "receipts": 100, "revenue": 100_000}
    assert (uplift["uplift"], uplift["incremental_revenue"]) == (3_300, 33_000)
    assert uplift["lower"] < 3_300 < uplift["upper"]
    assert uplift["net_discount"] == 13_400
    assert uplift["incremental_per_discount"] == round(33_000 / 13_400, 4)
    assert (uplift["control_group"], uplift["missing"]) == (5_000, None)


async def test_arms_are_what_their_customers_add_up_to(api: Api) -> None:
    await api.apply(running(control_group=5_000))
    for batch in ((1, 2, 3), (2, 3, 3, 4), (1,)):
        await api.apply(
            *[
                bought(f"c-{n}", exposed=("campaign-1",), held_back=("campaign-1",) * (n % 2))
                for n in batch
            ]
        )
    rows = await api.pool.fetch(
        "select customers, receipts, revenue, squares from arms order by held_back"
    )
    assert [tuple(row) for row in rows] == [
        (2, 3, 3_000, 2_000**2 + 1_000**2),
        (2, 5, 5_000, 2_000**2 + 3_000**2),
    ]
    assert rows == await api.pool.fetch(
        "select count(*) as customers, sum(receipts) as receipts, sum(revenue) as revenue,"
        " sum(revenue::numeric * revenue) as squares"
        " from participants group by held_back order by held_back"
    )


async def test_refunds_are_taken_off_also_of_a_return_that_was_counted_before_its_sale(
    api: Api,
) -> None:
    back = returned(customer_id="c-1", refund=400, sold_at=NOON)
    earlier = returned(customer_id="c-1", refund=700, sold_at=utc(2026, 11, 30))
    await api.apply(running(control_group=1_000), back, earlier)
    await api.apply(bought("c-1", exposed=("campaign-1",)))
    [row] = (await api.ask("effectiveness", **DAY))["rows"]
    assert row["uplift"]["treated"] == {"customers": 1, "receipts": 1, "revenue": 600}
    assert (row["uplift"]["uplift"], row["uplift"]["missing"]) == (None, "too_few_customers")


async def test_another_share_begins_the_comparison_anew(api: Api) -> None:
    paid = bought("c-1", exposed=("campaign-1",))
    await api.apply(running(control_group=1_000), paid, running(control_group=1_000, version=2))
    [row] = (await api.ask("effectiveness", **DAY))["rows"]
    assert row["uplift"]["treated"]["receipts"] == 1
    assert row["uplift"]["since"] == "2026-12-01T00:00:00Z"
    await api.apply(running(control_group=2_000, version=3))
    [row] = (await api.ask("effectiveness", **DAY))["rows"]
    assert row["uplift"]["treated"]["receipts"] == 0
    assert (row["receipts"], row["uplift"]["control_group"]) == (1, 2_000)


async def test_customers_are_kept_as_hashes_only(api: Api) -> None:
    await api.apply(running(control_group=1), bought("c-secret", exposed=("campaign-1",)))
    await api.apply(returned(customer_id="c-secret", refund=1))
    for table in ("participants", "customer_refunds"):
        rows = await api.pool.fetch(f"select * from {table}")  # noqa: S608 - a name of ours
        assert len(rows) == 1
        assert "secret" not in str(rows)


async def test_budget_is_to_go_where_more_came_back(api: Api) -> None:
    other = (redemption(campaign_id="dear", discount=500),)
    await api.apply(running("campaign-1"), running("dear"))
    await api.apply([bought(), bought(redemptions=other)] * 30)
    suggestion = (await api.ask("effectiveness", **DAY))["suggestion"]
    assert suggestion["from"] == {"campaign_id": "dear", "campaign": "DEAR"}
    assert suggestion["to"]["campaign_id"] == "campaign-1"
    assert (suggestion["basis"], suggestion["certain"]) == ("revenue", False)
    assert [r["code"] for r in suggestion["reasons"]] == [
        "brings_less",
        "brings_more",
        "no_control_group",
        "no_control_group",
    ]
    assert "2.00" in suggestion["sentence"]
    assert "10.00" in suggestion["sentence"]
