"""Who changed what: of one thing, and of all; and copies, which begin a history of their own."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.stack import Stack
from shared import clock
from shared.web.auth import SCOPES, sign
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
)

Json = dict[str, Any]


def as_user(stack: Stack, login: str) -> dict[str, str]:
    """The header of somebody who is signed in."""
    lifetime = timedelta(minutes=5)
    token = sign(stack.secrets.signing_key, f"user:{login}", SCOPES, lifetime, clock.now())
    return {"Authorization": f"Bearer {token}"}


async def history(client: httpx.AsyncClient, path: str, **query: Any) -> Json:
    return ok(await client.get(f"/v1/{path}/history", params=query))


async def test_a_campaign_tells_who_did_what_to_it(client: httpx.AsyncClient, stack: Stack) -> None:
    instrument = instrument_of()
    ok(await client.post("/v1/instruments", json=instrument), 201)
    plan = plan_of(instrument)
    at = f"/v1/campaigns/{plan['campaign_id']}"
    anna, borys = as_user(stack, "anna"), as_user(stack, "borys")
    ok(await client.post("/v1/campaigns", json=plan, headers=anna), 201)
    ok(await client.post("/v1/campaigns", json=plan, headers=borys))  # the same: changes nothing
    ok(await client.put(at, json=plan | {"priority": 3, "comment": "now"}, headers=borys))
    ok(await client.post(f"{at}/start", headers=anna))
    ok(await client.post(f"{at}/start", headers=borys))
    edited = instrument | {"benefit": {"kind": "percent_off", "percent": 500}}
    path = f"/v1/instruments/{instrument['instrument_id']}"
    ok(await client.put(path, json=edited, headers=borys))

    found = await history(client, f"campaigns/{plan['campaign_id']}")
    assert [
        (one["version"], one["by"], one["action"], one.get("published")) for one in found["items"]
    ] == [
        (4, "user:borys", "renewed", 2),
        (3, "user:anna", "started", 1),
        (2, "user:borys", "edited", None),
        (1, "user:anna", "created", None),
    ]
    assert found["items"][2]["changes"] == [
        {"field": "comment", "before": plan["comment"], "after": "now"},
        {"field": "priority", "before": 0, "after": 3},
    ]
    assert found["items"][1]["changes"] == [
        {"field": "status", "before": "draft", "after": "running"}
    ]
    assert found["items"][0]["changes"] == []
    first = {one["field"]: one["after"] for one in found["items"][3]["changes"]}
    assert first["instruments"] == [instrument["instrument_id"]]
    [second] = (await history(client, f"campaigns/{plan['campaign_id']}", offset=2, limit=1))[
        "items"
    ]
    assert second == found["items"][2]
    [newest, _] = (await history(client, f"instruments/{instrument['instrument_id']}"))["items"]
    assert newest["changes"] == [{"field": "benefit.percent", "before": 1000, "after": 500}]

    view = ok(await client.get(at))
    assert (view["created_by"], view["changed_by"]) == ("user:anna", "user:borys")
    assert view["created_at"] < view["changed_at"]


async def test_nothing_changed_is_nothing_kept_also_when_it_is_refused(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    instrument = instrument_of()
    ok(await client.post("/v1/instruments", json=instrument), 201)
    plan = plan_of(instrument)
    ok(await client.post("/v1/campaigns", json=plan), 201)
    never = instrument | {"processing_period": {"kind": "consecutive", "days": 366}}
    refused = await client.put(f"/v1/instruments/{instrument['instrument_id']}", json=never)
    assert refused.status_code == 422
    found = await history(client, f"instruments/{instrument['instrument_id']}")
    assert found["total"] == 1
    missing = await client.get("/v1/campaigns/none-such/history")
    assert faulty_fields(missing, 404) == ["campaign_id"]


async def test_no_code_no_word_and_no_customer_is_in_a_change(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    word, customer = new_word(), new_id("customer")
    secret = mass(word, name="Welcome")
    batch: Json = {"emission_id": new_id("e"), "name": "Batch", "kind": "personal"}
    batch["customers"] = [customer]
    for body in (secret, batch):
        ok(await client.post("/v1/emissions", json=body), 201)
        await post(client, body["emission_id"])
    group_id = new_id("g")
    group = {"name": "Regulars", "customers": [customer]}
    ok(await client.put(f"/v1/customer-groups/{group_id}", json=group))
    birthday = {"customers": [{"customer_id": customer, "birthday": "02-29"}]}
    ok(await client.put("/v1/customers", json=birthday))
    exported = (await client.get(f"/v1/emissions/{batch['emission_id']}/codes")).text
    code = exported.splitlines()[1].partition(",")[0]

    emissions = [secret["emission_id"], batch["emission_id"]]
    found = [ok(await client.get("/v1/changes", params={"id": one})) for one in emissions]
    assert [[one["action"] for one in page["items"]] for page in found] == [
        ["posted", "created"],
        ["exported", "posted", "created"],
    ]
    assert found[1]["items"][0]["detail"] == {"codes": 1}
    assert found[1]["items"][2]["detail"]["bound"] == 1
    group_change = ok(await client.get("/v1/changes", params={"id": group_id}))["items"][0]
    assert group_change["detail"] == {"name": "Regulars", "members": 1, "changed": 1}
    everything = json.dumps(ok(await client.get("/v1/changes", params={"limit": 1000})))
    for hidden in (word, customer, code, "02-29"):
        assert hidden not in everything
    versions = (await history(client, f"emissions/{batch['emission_id']}"))["items"]
    assert versions[0]["changes"] == []  # an export changes nothing
    assert versions[1]["changes"] == [{"field": "status", "before": "draft", "after": "posting"}]


async def test_changes_are_found_by_who_what_and_when(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    login = new_id("user")
    header = as_user(stack, login)
    before = clock.now()
    stores = [a_store(), a_store()]
    ok(await client.put("/v1/stores", json={"stores": stores}, headers=header))
    instrument = instrument_of()
    ok(await client.post("/v1/instruments", json=instrument, headers=header), 201)

    async def found(**query: Any) -> list[str]:
        query = {"by": f"user:{login}"} | query
        return [one["id"] for one in ok(await client.get("/v1/changes", params=query))["items"]]

    one, two = (store["store_id"] for store in stores)
    assert await found() == [instrument["instrument_id"], two, one]
    assert await found(kind=["store", "group"]) == [two, one]
    assert await found(action="created") == [instrument["instrument_id"]]
    assert await found(id=one) == [one]
    assert await found(by="user:nobody") == []
    assert await found(to=before.isoformat()) == []
    assert len(await found(**{"from": before.isoformat()})) == 3
    page = ok(await client.get("/v1/changes", params={"by": f"user:{login}", "limit": 2}))
    assert await found(before=page["next"]) == [one]
    reader = sign(
        stack.secrets.signing_key, "user:m", ["campaigns:read"], timedelta(minutes=5), clock.now()
    )
    refused = await client.get("/v1/changes", headers={"Authorization": f"Bearer {reader}"})
    assert refused.status_code == 403


@pytest.mark.parametrize("statement", ["update changes set actor = 'me'", "delete from changes"])
async def test_the_service_cannot_alter_what_was_kept(stack: Stack, statement: str) -> None:
    connection = await asyncpg.connect(stack.database("emission"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_copies_are_drafts_of_their_own(client: httpx.AsyncClient) -> None:
    word, instrument = mass(new_word(), valid_until="2096-01-01T00:00:00Z"), instrument_of()
    ok(await client.post("/v1/emissions", json=word), 201)
    await post(client, word["emission_id"])
    ok(await client.post("/v1/instruments", json=instrument), 201)
    plan = plan_of(instrument)
    ok(await client.post("/v1/campaigns", json=plan), 201)
    ok(await client.post(f"/v1/campaigns/{plan['campaign_id']}/start"))

    new = {"campaign_id": new_id("c"), "name": "January"}
    at = f"/v1/campaigns/{plan['campaign_id']}/copy"
    copy = ok(await client.post(at, json=new), 201)
    assert (copy["status"], copy["version"], copy["name"]) == ("draft", 0, "January")
    assert copy["instruments"] == plan["instruments"]
    assert ok(await client.post(at, json=new)) == copy  # the same again
    clash = {"campaign_id": plan["campaign_id"], "name": "January"}
    assert faulty_fields(await client.post(at, json=clash), 409) == ["campaign_id"]
    versions = (await history(client, f"campaigns/{new['campaign_id']}"))["items"]
    assert [one["action"] for one in versions] == ["copied"]

    of_instrument = {"instrument_id": new_id("i")}
    at = f"/v1/instruments/{instrument['instrument_id']}/copy"
    copied = ok(await client.post(at, json=of_instrument), 201)
    assert (copied["name"], copied["conditions"]) == (instrument["name"], copied["conditions"])

    at = f"/v1/emissions/{word['emission_id']}/copy"
    of_word = {"emission_id": new_id("e")}
    assert faulty_fields(await client.post(at, json=of_word), 422) == ["word"]
    taken = of_word | {"word": word["word"]}
    assert faulty_fields(await client.post(at, json=taken), 409) == ["word"]
    view = ok(await client.post(at, json=of_word | {"word": new_word()}), 201)
    assert (view["status"], view["posted_codes"]) == ("draft", 0)
    assert view["valid_until"] == "2096-01-01T00:00:00Z"


async def test_a_copied_batch_gets_codes_of_its_own_for_the_same_customers(
    client: httpx.AsyncClient,
) -> None:
    batch: Json = {"emission_id": new_id("e"), "name": "Batch", "kind": "personal", "count": 3}
    batch |= {"customers": ["c-1", "c-2"], "pattern": "SPRING-########"}
    ok(await client.post("/v1/emissions", json=batch), 201)
    await post(client, batch["emission_id"])
    copy = {"emission_id": new_id("e")}
    at = f"/v1/emissions/{batch['emission_id']}/copy"
    view = ok(await client.post(at, json=copy), 201)
    assert (view["count"], view["bound"], view["pattern"]) == (3, 2, batch["pattern"])
    await post(client, copy["emission_id"])

    async def codes(emission_id: str) -> dict[str, str]:
        text = (await client.get(f"/v1/emissions/{emission_id}/codes")).text
        pairs = (line.split(",") for line in text.splitlines()[1:])
        return dict(pairs)

    before, after = await codes(batch["emission_id"]), await codes(copy["emission_id"])
    assert sorted(before.values()) == sorted(after.values()) == ["", "c-1", "c-2"]
    assert before.keys().isdisjoint(after)
    unasked = {"emission_id": new_id("e"), "word": "WORD"}
    assert faulty_fields(await client.post(at, json=unasked), 422) == ["word"]
