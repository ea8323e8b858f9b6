"""What authors write against real servers: kept, published in order, refused by field."""

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest

from deploy.local.stack import Stack
from services.emission.authoring import Authoring
from services.emission.cipher import CodeCipher
from services.emission.codes import NewEmission
from shared import clock, database, topics
from shared.codes import digest, unpack
from shared.web.problems import Problem
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


async def test_the_worked_example_is_published_whole(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission, store = mass(new_word()), a_store()
    instrument = instrument_of(emission["emission_id"])
    plan = plan_of(instrument, stores=[store["store_id"]])
    assert ok(await client.post("/v1/emissions", json=emission), 201)["status"] == "draft"
    await post(client, emission["emission_id"])
    assert ok(await client.put("/v1/stores", json={"stores": [store]}))["changed"] == 1
    assert ok(await client.post("/v1/instruments", json=instrument), 201)["name"]
    assert ok(await client.post("/v1/campaigns", json=plan), 201)["status"] == "draft"
    view = ok(await client.post(f"/v1/campaigns/{plan['campaign_id']}/start"))
    assert (view["status"], view["version"]) == ("running", 1)

    ((_, chunk),) = await published(stack, topics.CODES, emission["emission_id"])
    key = bytes.fromhex(stack.secrets.code_key)
    assert unpack(chunk.digests) == [digest(emission["word"].lower(), key)]
    ((event_id, campaign),) = await published(stack, topics.CAMPAIGNS, plan["campaign_id"])
    assert event_id == f"{plan['campaign_id']}:1"
    assert campaign.starts_at.isoformat() == "2096-12-04T22:00:00+00:00"
    assert campaign.ends_at.isoformat() == "2096-12-31T22:00:00+00:00"
    assert campaign.stores == (store["store_id"],)
    assert campaign.instruments[0].conditions[1].cap == 1000
    assert campaign.emissions[0].posted_codes == 1


async def test_a_campaign_does_not_start_on_an_emission_that_is_not_posted(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    emission = mass(new_word())
    instrument = instrument_of(emission["emission_id"])
    plan = plan_of(instrument)
    start = f"/v1/campaigns/{plan['campaign_id']}/start"
    for path, body in (("emissions", emission), ("instruments", instrument), ("campaigns", plan)):
        ok(await client.post(f"/v1/{path}", json=body), 201)
    assert faulty_fields(await client.post(start), 409) == [
        "instruments.0.conditions.1.emission_id"
    ]
    assert await published(stack, topics.CAMPAIGNS, plan["campaign_id"]) == []
    await post(client, emission["emission_id"])
    assert ok(await client.post(start))["status"] == "running"


async def test_every_change_of_a_started_campaign_is_a_new_version(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    instrument = instrument_of()
    plan = plan_of(instrument)
    at = f"/v1/campaigns/{plan['campaign_id']}"
    edited = instrument | {"benefit": {"kind": "percent_off", "percent": 2000}}
    ok(await client.post("/v1/instruments", json=instrument), 201)
    ok(await client.post("/v1/campaigns", json=plan), 201)
    ok(await client.put(at, json=plan | {"name": "Winter"}))  # a draft: nothing is published
    ok(await client.post(f"{at}/start"))
    ok(await client.post(f"{at}/start"))
    ok(await client.put(f"/v1/instruments/{instrument['instrument_id']}", json=edited))
    ok(await client.put(f"/v1/instruments/{instrument['instrument_id']}", json=edited))
    ok(await client.put(at, json=plan | {"priority": 7}))
    ok(await client.post(f"{at}/pause"))
    ok(await client.post(f"{at}/start"))
    ok(await client.post(f"{at}/finish"))
    assert faulty_fields(await client.post(f"{at}/start"), 409) == ["status"]
    assert faulty_fields(await client.put(at, json=plan), 409) == ["status"]
    versions = await published(stack, topics.CAMPAIGNS, plan["campaign_id"])
    assert [
        (c.version, c.name, c.status, c.priority, c.instruments[0].benefit.percent)
        for _, c in versions
    ] == [
        (1, "Winter", "running", 0, 1000),
        (2, "Winter", "running", 0, 2000),
        (3, "December", "running", 7, 2000),
        (4, "December", "paused", 7, 2000),
        (5, "December", "running", 7, 2000),
        (6, "December", "finished", 7, 2000),
    ]


async def test_a_campaign_that_is_over_is_written_but_started_only_for_sales_that_come_late(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    instrument = instrument_of()
    over = plan_of(instrument, first_day="2020-01-01", last_day="2020-01-31")
    at = f"/v1/campaigns/{over['campaign_id']}"
    ok(await client.post("/v1/instruments", json=instrument), 201)
    ok(await client.post("/v1/campaigns", json=over), 201)
    refused = await client.post(f"{at}/start")
    assert faulty_fields(refused, 409) == ["last_day"]
    assert "?past=true" in refused.json()["errors"][0]["message"]
    assert await published(stack, topics.CAMPAIGNS, over["campaign_id"]) == []
    ok(await client.post(f"{at}/start", params={"past": True}))
    ok(await client.post(f"{at}/start"))  # it runs already
    ok(await client.put(at, json=over | {"name": "It was over when it was started"}))
    assert len(await published(stack, topics.CAMPAIGNS, over["campaign_id"])) == 2


async def test_a_running_campaign_is_finished_not_edited_to_be_over(
    client: httpx.AsyncClient,
) -> None:
    instrument = instrument_of()
    plan = plan_of(instrument)
    over = plan | {"first_day": "2020-01-01", "last_day": "2020-01-31"}
    at = f"/v1/campaigns/{plan['campaign_id']}"
    ok(await client.post("/v1/instruments", json=instrument), 201)
    ok(await client.post("/v1/campaigns", json=plan), 201)
    ok(await client.post(f"{at}/start"))
    refused = await client.put(at, json=over)
    assert faulty_fields(refused, 409) == ["last_day"]
    assert "finish the campaign" in refused.json()["errors"][0]["message"]
    ok(await client.post(f"{at}/pause"))
    ok(await client.put(at, json=over))
    assert faulty_fields(await client.post(f"{at}/start"), 409) == ["last_day"]


async def test_changes_at_once_leave_in_the_order_of_their_versions(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    instrument = instrument_of()
    plan = plan_of(instrument)
    at = f"/v1/campaigns/{plan['campaign_id']}"
    ok(await client.post("/v1/instruments", json=instrument), 201)
    ok(await client.post("/v1/campaigns", json=plan), 201)
    ok(await client.post(f"{at}/start"))
    await asyncio.gather(
        *(client.put(at, json=plan | {"priority": priority}) for priority in range(1, 21))
    )
    versions = await published(stack, topics.CAMPAIGNS, plan["campaign_id"])
    assert [campaign.version for _, campaign in versions] == list(range(1, 22))


async def test_the_same_again_is_the_same_and_another_body_is_a_conflict(
    client: httpx.AsyncClient,
) -> None:
    emission, instrument = mass(new_word()), instrument_of()
    for path, body, other, field in (
        ("emissions", emission, emission | {"word": new_word()}, "emission_id"),
        ("instruments", instrument, instrument | {"name": "other"}, "instrument_id"),
        ("campaigns", plan_of(instrument), {"name": "other"}, "campaign_id"),
    ):
        ok(await client.post(f"/v1/{path}", json=body), 201)
        again = ok(await client.post(f"/v1/{path}", json=body), 200)
        assert again[field] == body[field]
        assert faulty_fields(await client.post(f"/v1/{path}", json=body | other), 409) == [field]


async def test_a_word_is_unique_among_live_emissions_however_it_is_written(
    client: httpx.AsyncClient,
) -> None:
    word = new_id("MAC")
    ok(await client.post("/v1/emissions", json=mass(word)), 201)
    # Cyrillic look-alikes, other case, a hyphen.
    for same in (word.lower(), f"МАС{word[3:]}"):
        assert faulty_fields(await client.post("/v1/emissions", json=mass(same)), 409) == ["word"]


async def test_the_word_of_an_emission_that_is_over_is_free_again(
    client: httpx.AsyncClient,
) -> None:
    word = new_word()
    over = mass(word, valid_until="2020-01-01T00:00:00Z")
    ok(await client.post("/v1/emissions", json=over), 201)
    live = mass(word)
    ok(await client.post("/v1/emissions", json=live), 201)
    assert faulty_fields(await client.post("/v1/emissions", json=mass(word)), 409) == ["word"]
    await post(client, live["emission_id"])


async def test_an_emission_that_is_over_is_not_posted_and_takes_no_word_away(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    word = new_word()
    over, live = mass(word, valid_until="2020-01-01T00:00:00Z"), mass(word)
    for body in (over, live):
        ok(await client.post("/v1/emissions", json=body), 201)
    answer = await client.post(f"/v1/emissions/{over['emission_id']}/post")
    assert faulty_fields(answer, 409) == ["valid_until"]
    await post(client, live["emission_id"])
    assert await published(stack, topics.CODES, over["emission_id"]) == []
    assert faulty_fields(await client.post("/v1/emissions", json=mass(word)), 409) == ["word"]


async def test_a_word_is_claimed_again_when_it_is_posted(stack: Stack) -> None:
    ends = clock.now() + timedelta(hours=1)
    word = new_word()
    first = NewEmission.model_validate(mass(word, valid_until=ends))
    second = NewEmission.model_validate(mass(word))
    async with await database.pool(stack.database("emission"), size=1) as pool:

        def at(now: datetime) -> Authoring:
            cipher = CodeCipher.of(stack.secrets.code_cipher_key)
            key = bytes.fromhex(stack.secrets.code_key)
            return Authoring(pool, cipher, key, frozenset(), now=lambda: now)

        before, after = ends - timedelta(minutes=1), ends + timedelta(minutes=1)
        await at(before).add_emission(first, "author")
        await at(after).add_emission(second, "author")
        with pytest.raises(Problem) as refused:  # by a server whose clock is behind
            await at(before).post_emission(first.emission_id, "author")
    assert [error["field"] for error in refused.value.errors] == ["word"]


async def test_unknown_references_are_named(client: httpx.AsyncClient) -> None:
    instrument = instrument_of("no-such-emission")
    assert faulty_fields(await client.post("/v1/instruments", json=instrument), 422) == [
        "conditions.1.emission_id"
    ]
    plan = plan_of(
        instrument, stores=["nowhere"], customer_groups=["nobody"], time_zone="Mars/Base"
    )
    assert faulty_fields(await client.post("/v1/campaigns", json=plan), 422) == [
        "stores.0",
        "customer_groups.0",
        "instruments.0",
        "time_zone",
    ]
    zone = {"stores": [a_store(), a_store(time_zone="Mars/Base")]}
    assert faulty_fields(await client.put("/v1/stores", json=zone), 422) == ["stores.1.time_zone"]
    for path in ("emissions", "instruments", "campaigns", "customer-groups"):
        assert (await client.get(f"/v1/{path}/none")).status_code == 404
    for call in ("emissions/none/post", "campaigns/none/start"):
        assert (await client.post(f"/v1/{call}")).status_code == 404


async def test_lists_come_in_pages(client: httpx.AsyncClient) -> None:
    made = [instrument_of() for _ in range(5)]
    for one in made:
        ok(await client.post("/v1/instruments", json=one), 201)
    seen, after = [], ""
    while after is not None:
        page = ok(await client.get("/v1/instruments", params={"limit": 2, "after": after}))
        seen += [one["instrument_id"] for one in page["items"]]
        after = page["next"]
    assert seen == sorted(seen)
    assert {one["instrument_id"] for one in made} <= set(seen)
