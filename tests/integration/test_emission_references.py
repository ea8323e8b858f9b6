"""Stores, customer groups and API keys against real servers."""

import asyncio

import httpx

from deploy.local.stack import Stack
from shared import topics
from shared.web.auth import SCOPES
from tests.integration.emission import (
    a_store,
    faulty_fields,
    new_id,
    ok,
    published,
)


async def test_only_stores_that_changed_are_published(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    one, other = a_store(), a_store()
    assert ok(await client.put("/v1/stores", json={"stores": [one, other]}))["changed"] == 2
    moved = one | {"region": "South"}
    assert ok(await client.put("/v1/stores", json={"stores": [moved, other]}))["changed"] == 1
    sent = await published(stack, topics.STORES, one["store_id"])
    assert [store.region for _, store in sent] == ["North", "South"]
    assert len(await published(stack, topics.STORES, other["store_id"])) == 1


async def test_customers_are_published_with_all_their_groups(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    first, second = sorted((new_id("g"), new_id("g")))
    ann, ben = new_id("a"), new_id("b")

    async def put(group_id: str, *customers: str) -> int:
        body = {"name": "Group", "customers": customers}
        answer = ok(await client.put(f"/v1/customer-groups/{group_id}", json=body))
        return int(answer["changed"])

    assert await put(first, ann, ben) == 2
    assert await put(second, ann) == 1
    assert await put(second, ann) == 0
    assert await put(first, ben) == 1
    sent = await published(stack, topics.CUSTOMERS, ann)
    assert [customer.groups for _, customer in sent] == [
        (first,),
        (first, second),
        (second,),
    ]
    assert len(await published(stack, topics.CUSTOMERS, ben)) == 1
    view = ok(await client.get(f"/v1/customer-groups/{first}"))
    assert view["customers"] == [ben]


async def test_groups_changed_at_once_leave_a_customer_with_all_of_them(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    ann, groups = new_id("a"), sorted(new_id("g") for _ in range(10))
    body = {"name": "Group", "customers": [ann]}
    await asyncio.gather(*(client.put(f"/v1/customer-groups/{g}", json=body) for g in groups))
    sent = await published(stack, topics.CUSTOMERS, ann)
    assert sent[-1][1].groups == tuple(groups)


async def test_a_key_is_exchanged_for_a_token_until_it_is_revoked(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    new = {"name": "till", "scopes": ["campaigns:read"]}
    made = ok(await client.post("/v1/api-keys", json=new), 201)
    exchange = {"api_key": made["api_key"]}
    token = ok(await client.post("/v1/tokens", json=exchange))
    assert token["scopes"] == ["campaigns:read"]
    bearer = {"Authorization": f"Bearer {token['token']}"}
    assert (await client.get("/v1/campaigns", headers=bearer)).status_code == 200
    assert (await client.get("/v1/api-keys", headers=bearer)).status_code == 403
    assert made["api_key"] not in (await client.get("/v1/api-keys")).text
    for wrong in (made["api_key"] + "x", f"ts_none_{'x' * 40}", "nonsense"):
        answer = await client.post("/v1/tokens", json={"api_key": wrong})
        assert faulty_fields(answer, 401) == ["api_key"]
    assert (await client.delete(f"/v1/api-keys/{made['key_id']}")).status_code == 204
    assert (await client.post("/v1/tokens", json=exchange)).status_code == 401
    admin = {"api_key": stack.secrets.admin_key}
    assert ok(await client.post("/v1/tokens", json=admin))["scopes"] == sorted(SCOPES)
