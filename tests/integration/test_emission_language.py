"""Definitions against real servers: what can never apply is refused by field, and nothing is kept."""

import json
from typing import Any

import asyncpg
import httpx

from deploy.local.stack import Stack
from shared import topics
from tests.integration.emission import (
    a_store,
    faulty_fields,
    instrument_of,
    mass,
    new_id,
    new_word,
    ok,
    plan_of,
    post,
    published,
)

Json = dict[str, Any]


def with_conditions(*conditions: Json, **fields: Any) -> Json:
    """10% off where the conditions are met."""
    return instrument_of() | {"conditions": list(conditions)} | fields


def in_stores(*stores: str) -> Json:
    """One of the stores."""
    return {"kind": "store", "stores": list(stores)}


async def stores(client: httpx.AsyncClient, count: int) -> list[str]:
    """Ids of new stores."""
    made = [a_store() for _ in range(count)]
    ok(await client.put("/v1/stores", json={"stores": made}))
    return [one["store_id"] for one in made]


async def test_what_can_never_apply_is_refused_by_its_field_and_not_kept(
    client: httpx.AsyncClient,
) -> None:
    never = with_conditions(
        {"kind": "receipt_total", "compare": {"op": ">=", "value": 50_000}},
        {
            "kind": "all",
            "conditions": [{"kind": "receipt_total", "compare": {"op": "<", "value": 30_000}}],
        },
        benefit={
            "kind": "tiers",
            "tiers": [
                {"at_least": 60_000, "below": 80_000, "benefit": {"kind": "bonuses", "fixed": 5}},
                {"at_least": 70_000, "benefit": {"kind": "bonuses", "fixed": 9}},
            ],
        },
    )
    answer = await client.post("/v1/instruments", json=never)
    assert faulty_fields(answer, 422) == [
        "conditions.1.conditions.0.compare.value",
        "benefit.tiers.1.at_least",
    ]
    assert "contradicts conditions.0" in answer.json()["errors"][0]["message"]
    kept = await client.get(f"/v1/instruments/{never['instrument_id']}")
    assert kept.status_code == 404


async def test_references_are_checked_however_deep_they_are(client: httpx.AsyncClient) -> None:
    (store,) = await stores(client, 1)
    nested = with_conditions(
        {
            "kind": "any",
            "conditions": [
                in_stores(store, "nowhere"),
                {"kind": "not", "condition": {"kind": "customer_group", "groups": ["nobody"]}},
                {"kind": "promo_code", "emission_id": "no-such-emission"},
            ],
        }
    )
    assert faulty_fields(await client.post("/v1/instruments", json=nested), 422) == [
        "conditions.0.conditions.0.stores.1",
        "conditions.0.conditions.1.condition.groups.0",
        "conditions.0.conditions.2.emission_id",
    ]


async def test_a_campaign_is_refused_in_which_an_instrument_can_never_apply(
    client: httpx.AsyncClient,
) -> None:
    here, there = await stores(client, 2)
    late = mass(new_word(), valid_from="2097-01-01T00:00:00+02:00")
    ok(await client.post("/v1/emissions", json=late), 201)
    code = {"kind": "promo_code", "emission_id": late["emission_id"]}
    either = with_conditions({"kind": "any", "conditions": [in_stores(there), code]})
    long = with_conditions(processing_period={"kind": "consecutive", "days": 28})
    for one in (either, long):
        ok(await client.post("/v1/instruments", json=one), 201)
    plan = plan_of(either, long, stores=[here])
    assert faulty_fields(await client.post("/v1/campaigns", json=plan), 422) == [
        "instruments.0.conditions.0.conditions.0.stores",
        "instruments.0.conditions.0.conditions.1.emission_id",
        "instruments.1.processing_period.days",
    ]
    longer = plan | {"stores": [there], "last_day": "2097-01-01"}
    ok(await client.post("/v1/campaigns", json=longer), 201)
    shorter = await client.put(f"/v1/campaigns/{plan['campaign_id']}", json=plan)
    assert len(faulty_fields(shorter, 422)) == 3


async def test_an_instrument_is_not_edited_into_what_never_applies_in_its_campaigns(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    here, there = await stores(client, 2)
    one = with_conditions(in_stores(here, there))
    draft, running, over = (plan_of(one, stores=[here]) for _ in range(3))
    ok(await client.post("/v1/instruments", json=one), 201)
    for plan in (draft, running, over):
        ok(await client.post("/v1/campaigns", json=plan), 201)
    for plan, action in ((running, "start"), (over, "start"), (over, "finish")):
        ok(await client.post(f"/v1/campaigns/{plan['campaign_id']}/{action}"))
    at = f"/v1/instruments/{one['instrument_id']}"
    edited = one | {"conditions": [in_stores(there)]}
    answer = await client.put(at, json=edited)
    assert faulty_fields(answer, 422) == ["conditions.0.stores"]
    named = {plan["campaign_id"] for plan in (draft, running, over)} & set(
        answer.json()["errors"][0]["message"].replace(",", " ").split()
    )
    assert named in ({draft["campaign_id"]}, {running["campaign_id"]})
    assert ok(await client.get(at))["conditions"][0]["stores"] == [here, there]

    for plan in (draft, running):  # then they run there, too
        moved = plan | {"stores": [here, there]}
        ok(await client.put(f"/v1/campaigns/{plan['campaign_id']}", json=moved))
    ok(await client.put(at, json=edited))
    versions = await published(stack, topics.CAMPAIGNS, running["campaign_id"])
    assert [(c.version, c.instruments[0].conditions[0].stores) for _, c in versions] == [
        (1, (here, there)),
        (2, (here, there)),
        (3, (there,)),
    ]
    finished = await published(stack, topics.CAMPAIGNS, over["campaign_id"])
    assert [c.version for _, c in finished] == [1, 2]


async def test_a_campaign_asks_for_what_its_stores_are(client: httpx.AsyncClient) -> None:
    region, location = new_id("region"), {"latitude_e6": 50_450_000, "longitude_e6": 30_520_000}
    hryvnia = a_store(region=region)
    zloty = a_store(currency="PLN", location=location)
    ok(await client.put("/v1/stores", json={"stores": [hryvnia, zloty]}))
    one = with_conditions(
        {"kind": "currency", "currencies": ["PLN"]},
        {"kind": "near", **location, "radius_m": 500},
        {"kind": "channel", "channels": ["till"]},
    )
    other = with_conditions({"kind": "region", "regions": [region]})
    for body in (one, other):
        ok(await client.post("/v1/instruments", json=body), 201)
    plan = plan_of(one, other, stores=[hryvnia["store_id"]])
    assert faulty_fields(await client.post("/v1/campaigns", json=plan), 422) == [
        "instruments.0.conditions.0.currencies",
        "instruments.0.conditions.2.channels",
    ]
    plan["stores"] = [zloty["store_id"]]
    assert faulty_fields(await client.post("/v1/campaigns", json=plan), 422) == [
        "instruments.1.conditions.0.regions"
    ]
    # Of all stores, one is enough.
    ok(await client.post("/v1/campaigns", json=plan | {"stores": []}), 201)
    gone = other | {"conditions": [{"kind": "region", "regions": [f"{region}-gone"]}]}
    answer = await client.put(f"/v1/instruments/{other['instrument_id']}", json=gone)
    assert faulty_fields(answer, 422) == ["conditions.0.regions"]


async def test_segments_control_group_and_limits_are_kept_published_and_versioned(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    one = instrument_of()
    whole = {
        "segments": ["rare-buyers"],
        "control_group": 500,
        "limits": [{"per": ["customer", "day"], "redemptions": 1}, {"money": 100_000}],
    }
    plan = plan_of(one, **whole)
    at = f"/v1/campaigns/{plan['campaign_id']}"
    ok(await client.post("/v1/instruments", json=one), 201)
    view = ok(await client.post("/v1/campaigns", json=plan), 201)
    assert {name: view[name] for name in ("segments", "control_group")} == {
        "segments": ["rare-buyers"],
        "control_group": 500,
    }
    ok(await client.post(f"{at}/start"))
    ok(await client.put(at, json=plan | {"control_group": 0}))
    versions = await published(stack, topics.CAMPAIGNS, plan["campaign_id"])
    assert [(c.version, c.segments, c.control_group) for _, c in versions] == [
        (1, ("rare-buyers",), 500),
        (2, ("rare-buyers",), 0),
    ]
    (_, last) = versions[-1]
    assert [(rule.per, rule.redemptions, rule.money) for rule in last.limits] == [
        (("customer", "day"), 1, None),
        ((), None, 100_000),
    ]


async def test_what_an_earlier_version_kept_still_runs(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission = mass(new_word())
    ok(await client.post("/v1/emissions", json=emission), 201)
    await post(client, emission["emission_id"])
    instrument_id, campaign_id = new_id("i"), new_id("c")
    # As issue 3 wrote its rows: whole, with the fields that there were.
    instrument = {
        "instrument_id": instrument_id,
        "name": "10% off the receipt",
        "conditions": [
            {"kind": "receipt_total", "compare": {"op": ">=", "value": 30000}},
            {
                "kind": "promo_code",
                "condition_id": "code",
                "emission_id": emission["emission_id"],
                "cap": 1000,
            },
        ],
        "benefit": {
            "kind": "percent_off",
            "percent": 1000,
            "of": "remaining",
            "products": {"skus": [], "groups": [], "brands": []},
        },
        "processing_period": "campaign",
        "trigger": "on_sale",
        "priority": 0,
        "include_discounted": False,
        "max_redemptions": 1000,
    }
    plan = {
        "campaign_id": campaign_id,
        "name": "December",
        "priority": 0,
        "time_zone": "Europe/Kyiv",
        "first_day": "2096-12-05",
        "last_day": "2096-12-31",
        "stores": [],
        "customer_groups": [],
        "instruments": [instrument_id],
    }
    connection = await asyncpg.connect(stack.database("emission"))
    try:
        await connection.execute(
            "insert into instruments (instrument_id, body) values ($1, $2)",
            instrument_id,
            json.dumps(instrument),
        )
        await connection.execute(
            "insert into campaigns (campaign_id, body, status, version) values ($1, $2, 'draft', 0)",
            campaign_id,
            json.dumps(plan),
        )
    finally:
        await connection.close()
    assert ok(await client.get(f"/v1/instruments/{instrument_id}"))["max_redemptions"] == 1000
    ok(await client.post(f"/v1/campaigns/{campaign_id}/start"))
    ((_, campaign),) = await published(stack, topics.CAMPAIGNS, campaign_id)
    assert campaign.instruments[0].conditions[1].cap == 1000
    assert (campaign.control_group, campaign.limits) == (0, ())


async def test_every_example_of_the_language_is_accepted_by_the_service(
    client: httpx.AsyncClient,
) -> None:
    language = ok(await client.get("/v1/language"))
    emission = mass(new_word())
    ok(await client.post("/v1/emissions", json=emission), 201)
    (store,) = await stores(client, 1)
    group = new_id("g")
    ok(await client.put(f"/v1/customer-groups/{group}", json={"name": "g", "customers": []}))

    def ours(part: Any) -> Any:
        """The example with references to what exists here."""
        if isinstance(part, list):
            return [ours(one) for one in part]
        if not isinstance(part, dict):
            return part
        known = {"emission_id": emission["emission_id"]}
        lists: Json = {"store": {"stores": [store]}, "customer_group": {"groups": [group]}}
        found = {key: known.get(key, ours(value)) for key, value in part.items()}
        return found | lists.get(str(part.get("kind")), {})

    conditions = [with_conditions(ours(one["example"])) for one in language["conditions"]]
    benefits = [instrument_of() | {"benefit": one["example"]} for one in language["benefits"]]
    whole = [
        ours(one["example"]) | {"instrument_id": new_id("i")} for one in language["instruments"]
    ]
    for body in (*conditions, *benefits, *whole):
        ok(await client.post("/v1/instruments", json=body), 201)
