"""A cart is decided with a draft campaign, before anything of it is published."""

import json
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.stack import Stack
from shared import clock
from shared.codec import encode
from tests.integration import emission, shop
from tests.integration.emission import faulty_fields, ok

EMISSION = "never-posted"
SUMMARY = {"emission_id": EMISSION, "kind": "mass", "single_use": False, "posted_codes": 1}


def draft(**fields: Any) -> dict[str, Any]:
    """10% from 300.00 with a code of an emission that nobody has posted."""
    instrument = emission.instrument_of(EMISSION)
    today = clock.now().date()
    days = {"first_day": str(today - timedelta(days=1)), "last_day": str(today + timedelta(days=1))}
    plan = emission.plan_of(instrument, **(days | fields))
    return plan | {"instruments": [instrument], "emissions": [SUMMARY]}


def cart(store_id: str, amount: int, **fields: Any) -> dict[str, Any]:
    """A cart of one line, as JSON."""
    found: dict[str, Any] = json.loads(encode(shop.a_cart(store_id, amount)))
    return found | fields


@pytest.fixture(scope="module")
async def store_id(stack: Stack) -> str:
    """A store that the evaluator knows."""
    [opened] = await shop.open_store(stack)
    return opened


async def test_a_draft_gives_what_it_would_give(stack: Stack, store_id: str) -> None:
    trial = {"campaign": draft(), "cart": cart(store_id, 30_000, codes=[EMISSION])}
    async with shop.client(stack, "evaluator") as client:
        decision = ok(await client.post("/v1/trials", json=trial))
        assert decision["discount"] == 3_000
        assert decision["applied"][0]["campaign_id"] == trial["campaign"]["campaign_id"]
        # Nothing of it has happened: the same again gives the same, and a quote knows no such campaign.
        assert ok(await client.post("/v1/trials", json=trial))["discount"] == 3_000
        quoted = ok(await client.post("/v1/quotes", json=trial["cart"] | {"intent": "quote"}))
        assert quoted["discount"] == 0


async def test_what_is_missing_is_said(stack: Stack, store_id: str) -> None:
    campaign = draft()
    async with shop.client(stack, "evaluator") as client:
        near = {"campaign": campaign, "cart": cart(store_id, 29_000, codes=[EMISSION])}
        decision = ok(await client.post("/v1/trials", json=near))
        assert decision["discount"] == 0
        [miss] = decision["near_misses"]
        assert (miss["missing"], miss["unit"]) == (1_000, "money")
        codeless = {"campaign": campaign, "cart": cart(store_id, 30_000)}
        decision = ok(await client.post("/v1/trials", json=codeless))
        # Only a code leads to the instrument.
        assert (decision["discount"], decision["not_applied"]) == (0, [])


async def test_a_campaign_of_next_year_is_tried_next_year(stack: Stack, store_id: str) -> None:
    now = clock.now()
    then = now + timedelta(days=400)
    days = {"first_day": f"{then:%Y-%m-%d}", "last_day": f"{then:%Y-%m-%d}"}
    trial = {
        "campaign": draft(**days, time_zone="UTC"),
        "cart": cart(store_id, 30_000, codes=[EMISSION], occurred_at=then.isoformat()),
    }
    async with shop.client(stack, "evaluator") as client:
        assert ok(await client.post("/v1/trials", json=trial))["discount"] == 3_000
        early = trial | {"cart": trial["cart"] | {"occurred_at": now.isoformat()}}
        decision = ok(await client.post("/v1/trials", json=early))
        assert decision["discount"] == 0


async def test_what_cannot_be_tried_names_its_field(stack: Stack, store_id: str) -> None:
    campaign = draft()
    async with shop.client(stack, "evaluator") as client:
        nowhere = {"campaign": campaign, "cart": cart("no-such-store", 30_000)}
        refused = await client.post("/v1/trials", json=nowhere)
        assert faulty_fields(refused, 422) == ["cart.store_id"]
        unknown = {"campaign": campaign | {"emissions": []}, "cart": cart(store_id, 30_000)}
        refused = await client.post("/v1/trials", json=unknown)
        fields = faulty_fields(refused, 422)
        assert len(fields) == 1
        assert fields[0].endswith(".emission_id")
        backwards = campaign | {"first_day": "2030-01-02", "last_day": "2030-01-01"}
        refused = await client.post(
            "/v1/trials", json={"campaign": backwards, "cart": cart(store_id, 30_000)}
        )
        assert faulty_fields(refused, 422) == ["campaign.last_day"]
