"""The catalogue: kept whole or not at all, published where it changed, found by any part of a name."""

from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.stack import Stack
from shared import topics
from shared.cluster import partitions_of
from shared.events.reference import Product
from tests.integration.emission import (
    a_product,
    faulty_fields,
    instrument_of,
    new_id,
    ok,
    published,
)
from tests.waiting import until

Json = dict[str, Any]
CSV = {"Content-Type": "text/csv; charset=utf-8"}


async def upload(client: httpx.AsyncClient, text: str) -> httpx.Response:
    return await client.put("/v1/products", content=text.encode(), headers=CSV)


async def skus(client: httpx.AsyncClient, **query: Any) -> list[str]:
    found = ok(await client.get("/v1/products", params=query))
    return [one["sku"] for one in found["items"]]


async def test_products_are_published_where_they_changed(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    one, other = a_product(attributes={"season": "winter"}), a_product()
    body = {"products": [one, other]}
    assert ok(await client.put("/v1/products", json=body)) == {"products": 2, "changed": 2}
    body = {"products": [one | {"cost": 2400}, other]}
    assert ok(await client.put("/v1/products", json=body)) == {"products": 2, "changed": 1}
    sent = [event.cost for _, event in await published(stack, topics.PRODUCTS, one["sku"])]
    assert sent == [2350, 2400]
    [(_, event)] = await published(stack, topics.PRODUCTS, other["sku"])
    assert event == Product.model_validate(other)
    twice = {"products": [one, other, one]}
    assert faulty_fields(await client.put("/v1/products", json=twice), 422) == ["products.2.sku"]


async def test_a_table_is_kept_as_the_same_products_are(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    one, plain = a_product(attributes={"season": "winter"}), {"sku": new_id("p"), "name": "Хліб"}
    ok(await client.put("/v1/products", json={"products": [one]}))
    text = (
        "\ufeffsku;name;group;brand;cost;currency;attr:season\r\n"
        f"{one['sku']};Bounty 57 g;sweets;Bounty;23,50;UAH;winter\r\n"
        f"{plain['sku']};Хліб;;;;;\r\n"
    )
    assert ok(await upload(client, text)) == {"products": 2, "changed": 1}
    [(_, event)] = await published(stack, topics.PRODUCTS, plain["sku"])
    assert event == Product.model_validate(plain)


async def test_a_table_with_a_fault_is_not_kept_at_all(client: httpx.AsyncClient) -> None:
    mark = new_id("p")
    good = [f"{mark}-{n},Name,1.00" for n in range(2_500)]  # more than are looked at together
    bad = [f"{mark}-bad-{n},,1.005" for n in range(40)]
    text = "\n".join(["sku,name,cost,currency", *(f"{row},UAH" for row in (*good, *bad))])
    answer = await upload(client, text)
    fields = faulty_fields(answer, 422)
    assert len(fields) == 50
    assert set(fields[:2]) == {"rows.2502.name", "rows.2502.cost"}
    assert answer.json()["detail"].startswith("80 in all, nothing was kept")
    assert await skus(client, search=mark) == []
    assert faulty_fields(await upload(client, "sku\n1\n"), 422) == ["rows.1.name"]


async def test_products_are_found_by_parts_of_what_they_are_called(
    client: httpx.AsyncClient,
) -> None:
    mark = new_id("x")
    body = [
        a_product(sku=f"{mark}/482 a", name="Шоколад Чорний", group=f"{mark} sweets"),
        a_product(sku=f"{mark}-483", name="Cola", group=f"{mark} drinks", brand=f"{mark} Coca"),
        a_product(sku=f"{mark}-484", name="Water", group=f"{mark} drinks", brand=f"{mark} Aqua"),
    ]
    ok(await client.put("/v1/products", json={"products": body}))
    chocolate, cola, water = (one["sku"] for one in body)
    assert await skus(client, search=f"{mark} чорн") == [chocolate]
    assert await skus(client, search=f"DRINKS {mark}") == [cola, water]
    assert await skus(client, search=f"{mark} aqua") == [water]
    assert await skus(client, search=mark, sort="-name") == [chocolate, water, cola]
    assert await skus(client, search=mark, sort="sku", offset=1, limit=1) == [water]
    assert await skus(client, group=f"{mark} drinks", brand=f"{mark} Aqua") == [water]
    assert await skus(client, sku=[chocolate, water]) == [water, chocolate]
    page = ok(await client.get("/v1/products", params={"search": mark, "limit": 2}))
    assert page["total"] == 3
    assert await skus(client, search=mark, limit=2, after=page["next"]) == [chocolate]
    groups = ok(await client.get("/v1/products/groups", params={"search": mark}))
    assert groups == {
        "items": [
            {"name": f"{mark} drinks", "products": 2},
            {"name": f"{mark} sweets", "products": 1},
        ],
        "total": 2,
    }
    brands = ok(await client.get("/v1/products/brands", params={"search": f"{mark} COCA"}))
    assert [one["name"] for one in brands["items"]] == [f"{mark} Coca"]

    named = instrument_of() | {
        "benefit": {"kind": "percent_off", "percent": 1000, "products": {"skus": [cola]}}
    }
    checked = ok(await client.post("/v1/instruments/check", json=named))
    assert checked["sentence"] == "10% off goods Cola on receipts from 300.00"


async def test_a_product_that_is_taken_out_is_forgotten_by_the_topic(
    client: httpx.AsyncClient, stack: Stack
) -> None:
    product = a_product(sku=f"{new_id('p')}/a b%")
    ok(await client.put("/v1/products", json={"products": [product]}))
    path = f"/v1/products/{product['sku'].replace('%', '%25')}"
    assert (await client.delete(path)).status_code == 204
    assert faulty_fields(await client.delete(path), 404) == ["sku"]
    assert await skus(client, sku=product["sku"]) == []
    changes = ok(await client.get("/v1/changes", params={"id": product["sku"]}))["items"]
    assert [one["action"] for one in changes] == ["deleted", "saved"]

    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(await partitions_of(stack.kafka, [topics.PRODUCTS.name]))
        values: list[bytes | None] = []

        async def forgotten() -> bool:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                values.extend(r.value for r in records if r.key == product["sku"].encode())
            return values[-1:] == [None]

        await until(forgotten)
    finally:
        await consumer.stop()
    assert len(values) == 2


@pytest.mark.parametrize("kind", ["text/plain", "application/xml"])
async def test_a_catalogue_comes_as_json_or_csv(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.put("/v1/products", content=b"x", headers={"Content-Type": kind})
    assert answer.status_code == 415
