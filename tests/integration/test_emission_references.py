"""Stores, customer groups, birthdays and API keys against real servers."""

import asyncio
from typing import Any

import httpx

from deploy.local.stack import Stack
from shared import topics
from shared.events.values import Location
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


async def test_how_much_of_a_receipt_may_be_paid_with_points_is_the_stores_to_say(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    store = a_store()
    for share in ({}, {"bonus_share": 2_500}, {"bonus_share": 0}):
        ok(await client.put("/v1/stores", json={"stores": [store | share]}))
    wrong = await client.put("/v1/stores", json={"stores": [store | {"bonus_share": 10_001}]})
    assert faulty_fields(wrong, 422) == ["stores.0.bonus_share"]
    sent = await published(stack, topics.STORES, store["store_id"])
    assert [known.bonus_share for _, known in sent] == [5_000, 2_500, 0]


async def test_where_a_store_is_is_kept_published_and_shown(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    store, nowhere = a_store(), a_store()
    there = {"latitude_e6": 50_450_100, "longitude_e6": 30_523_400}
    moved = there | {"longitude_e6": -30_523_400}

    async def put(**fields: Any) -> int:
        body = {"stores": [store | fields, nowhere]}
        return int(ok(await client.put("/v1/stores", json=body))["changed"])

    async def shown() -> Any:
        before = store["store_id"][:-1]  # no other test's store sorts between the two
        page = ok(await client.get("/v1/stores", params={"after": before, "limit": 1}))
        assert page["items"][0]["store_id"] == store["store_id"]
        return page["items"][0]["location"]

    assert await put() == 2
    assert await shown() is None
    assert await put(location=there) == 1
    assert await put(location=there) == 0
    assert await put(location=moved) == 1
    assert await shown() == moved
    assert await put() == 1
    assert await shown() is None
    sent = [sent.location for _, sent in await published(stack, topics.STORES, store["store_id"])]
    assert sent == [None, Location(**there), Location(**moved), None]


async def _put_birthdays(client: httpx.AsyncClient, birthdays: dict[str, str | None]) -> int:
    body = {"customers": [{"customer_id": who, "birthday": day} for who, day in birthdays.items()]}
    answer = ok(await client.put("/v1/customers", json=body))
    assert answer["customers"] == len(birthdays)
    return int(answer["changed"])


async def test_only_customers_whose_birthday_changed_are_published(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    ann, ben, cat = new_id("a"), new_id("b"), new_id("c")
    assert await _put_birthdays(client, {ben: "12-31", ann: "02-29", cat: None}) == 2
    assert await _put_birthdays(client, {ann: "02-29", ben: "01-01"}) == 1
    assert await _put_birthdays(client, {ann: None}) == 1
    assert await _put_birthdays(client, {ann: None}) == 0

    async def days(who: str) -> list[str | None]:
        return [sent.birthday for _, sent in await published(stack, topics.CUSTOMERS, who)]

    assert await days(ann) == ["02-29", None]
    assert await days(ben) == ["12-31", "01-01"]
    assert await days(cat) == []
    assert ok(await client.get(f"/v1/customers/{ben}")) == {
        "customer_id": ben,
        "groups": [],
        "birthday": "01-01",
    }
    for nobody in (ann, cat):
        assert faulty_fields(await client.get(f"/v1/customers/{nobody}"), 404) == ["customer_id"]


async def test_groups_and_birthday_of_a_customer_are_one_state(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    group, ann = new_id("g"), new_id("a")

    async def members(*customers: str) -> None:
        body = {"name": "Group", "customers": customers}
        ok(await client.put(f"/v1/customer-groups/{group}", json=body))

    await _put_birthdays(client, {ann: "06-15"})
    await members(ann)
    await _put_birthdays(client, {ann: "06-16"})
    view = {"customer_id": ann, "groups": [group], "birthday": "06-16"}
    assert ok(await client.get(f"/v1/customers/{ann}")) == view
    await members()
    await members(ann)
    await _put_birthdays(client, {ann: None})
    assert ok(await client.get(f"/v1/customers/{ann}")) == view | {"birthday": None}
    sent = await published(stack, topics.CUSTOMERS, ann)
    assert [(customer.groups, customer.birthday) for _, customer in sent] == [
        ((), "06-15"),
        ((group,), "06-15"),
        ((group,), "06-16"),
        ((), "06-16"),
        ((group,), "06-16"),
        ((group,), None),
    ]


async def test_a_group_and_a_birthday_that_change_at_once_both_stay(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    customers = [new_id("a") for _ in range(20)]
    group = new_id("g")
    await asyncio.gather(
        *(_put_birthdays(client, {who: "06-15"}) for who in customers[:10]),
        client.put(f"/v1/customer-groups/{group}", json={"name": "G", "customers": customers}),
        *(_put_birthdays(client, {who: "06-15"}) for who in customers[10:]),
    )
    for who in customers:
        _, last = (await published(stack, topics.CUSTOMERS, who))[-1]
        assert (last.groups, last.birthday) == ((group,), "06-15")


async def test_twenty_thousand_birthdays_fit_a_request(client: httpx.AsyncClient) -> None:
    prefix = new_id("a").ljust(58, "x")
    birthdays: dict[str, str | None] = {f"{prefix}{n:06}": "06-15" for n in range(20_000)}
    assert await _put_birthdays(client, birthdays) == 20_000
    assert await _put_birthdays(client, birthdays | {f"{prefix}000007": "06-16"}) == 1


async def test_a_customer_given_twice_is_refused_by_position(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    ann = new_id("a")
    days = [{"customer_id": ann, "birthday": "06-15"}, {"customer_id": ann, "birthday": None}]
    answer = await client.put("/v1/customers", json={"customers": days})
    assert faulty_fields(answer, 422) == ["customers.1.customer_id"]
    assert await published(stack, topics.CUSTOMERS, ann) == []


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
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await client.delete(f"/v1/api-keys/{made['key_id']}")).status_code == 204
    assert (await client.post("/v1/tokens", json=exchange)).status_code == 401
    admin = {"api_key": stack.secrets.admin_key}
    assert ok(await client.post("/v1/tokens", json=admin))["scopes"] == sorted(SCOPES)
