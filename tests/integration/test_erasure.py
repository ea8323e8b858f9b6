"""A customer is erased: out of every table, by tombstone out of compacted topics, and stays so."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from deploy.local.stack import Stack
from services.analytics.insight.folding import customer_of
from services.customers.feed.forgotten import forgotten_among, hold_off_erasure
from shared import clock
from shared.topics import BLOCKS, PROFILES, SEGMENTS, TOPICS
from tests.integration import shop, traces
from tests.integration.customers import database, new_customer, profile_with
from tests.integration.emission import new_id, ok
from tests.integration.erasing import basket, erase, report_of
from tests.waiting import until

pytestmark = pytest.mark.slow

ANSWERING = ("customers", "emission", "evaluator")


async def kept_for(stack: Stack, receipt_id: str) -> list[str | None]:
    """Whose the receipt is, once the service has it."""
    async with database(stack) as connection:

        async def kept() -> list[str | None]:
            rows = await connection.fetch(
                "select customer_id from receipts where receipt_id = $1", receipt_id
            )
            return [row["customer_id"] for row in rows]

        return await until(kept, what="the receipt")


async def test_nothing_of_an_erased_customer_is_left_and_nothing_old_brings_them_back(
    stack: Stack,
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id, other_id = new_customer(), new_customer()
    yesterday = clock.now() - timedelta(days=1)
    async with shop.open_tills(stack) as tills:
        await tills.buy(basket(store_id, customer_id, yesterday))
        await tills.buy(basket(store_id, other_id, yesterday))
        await profile_with(stack, customer_id, purchases=1)
        await profile_with(stack, other_id, purchases=1)
        assert {"profiles", "receipts"} <= {
            *await traces.in_tables(stack, "customers", customer_id)
        }

        erasure_id = await erase(stack, customer_id)
        report = await report_of(stack, erasure_id, "customers")
        tables = {one["table"]: (one["deleted"], one["anonymised"]) for one in report["tables"]}
        assert tables["profiles"] == (1, 0)
        assert tables["receipts"] == (0, 1)
        assert report["tombstones"][:2] == [PROFILES.name, BLOCKS.name]
        assert customer_id not in str(report)
        assert await traces.in_tables(stack, "customers", customer_id) == {}
        assert await traces.in_tables(stack, "customers", other_id) != {}
        said = await traces.latest(stack, PROFILES)
        assert said[customer_id.encode()] is None
        assert said[other_id.encode()] is not None

        # A till that was offline sends what was bought before.
        late = basket(store_id, customer_id, yesterday + timedelta(hours=1))
        await tills.buy(late)
        assert await kept_for(stack, late.receipt_id) == [None]
        assert await traces.in_tables(stack, "customers", customer_id) == {}

        await tills.buy(basket(store_id, customer_id, clock.now()))
        profile = await profile_with(stack, customer_id, purchases=1)
        assert profile.version == 1


async def test_whether_somebody_was_erased_is_known_by_the_id_alone(stack: Stack) -> None:
    customer_id = new_customer()
    erasure_id = await erase(stack, customer_id)
    async with shop.client(stack, "customers") as client:
        found = ok(await client.get("/v1/erasures", params={"customer_id": customer_id}))
        others = ok(await client.get("/v1/erasures", params={"customer_id": new_customer()}))
        all_of_them = ok(await client.get("/v1/erasures", params={"limit": 100}))
    assert [one["erasure_id"] for one in found["items"]] == [erasure_id]
    assert others["items"] == []
    assert erasure_id in [one["erasure_id"] for one in all_of_them["items"]]


async def test_erasures_are_read_page_by_page_the_latest_first(stack: Stack) -> None:
    customer_id = new_customer()
    asked = [await erase(stack, customer_id) for _ in range(3)]
    of = {"customer_id": customer_id, "limit": "2"}
    async with shop.client(stack, "customers") as client:
        first = ok(await client.get("/v1/erasures", params=of))
        second = ok(await client.get("/v1/erasures", params=of | {"after": first["next"]}))
    pages = [[one["erasure_id"] for one in page["items"]] for page in (first, second)]
    assert pages == [[asked[2], asked[1]], [asked[0]]]
    assert second["next"] is None


async def test_an_erasure_waits_for_who_may_be_writing_what_it_would_erase(stack: Stack) -> None:
    """Else a batch that has read the profile before it would write it back behind it."""
    customer_id = new_customer()
    async with database(stack) as connection, connection.transaction():
        await hold_off_erasure(connection)
        erasing = asyncio.create_task(erase(stack, customer_id))
        async with database(stack) as beside:

            async def is_waiting() -> bool:
                query = "select exists(select from pg_locks where locktype = 'advisory' and not granted)"
                return bool(await beside.fetchval(query))

            await until(is_waiting, what="an erasure that waits")
        await connection.execute(
            "insert into profiles (customer_id, version, state) values ($1, 1, '')", customer_id
        )
    erasure_id = await erasing
    report = await report_of(stack, erasure_id, "customers")
    assert {"table": "profiles", "deleted": 1, "anonymised": 0} in report["tables"]
    assert await traces.in_tables(stack, "customers", customer_id) == {}


async def test_who_was_erased_is_known_by_the_time_of_the_last_erasure(stack: Stack) -> None:
    customer_id = new_customer()
    before = clock.now()
    await erase(stack, customer_id)
    between = clock.now()
    await erase(stack, customer_id)
    key = bytes.fromhex(stack.secrets.customers_key)
    async with database(stack) as connection, connection.transaction():
        found = await forgotten_among(connection, key, [customer_id, new_customer()])
        assert await forgotten_among(connection, bytes(32), [customer_id]) == {}
    assert found.keys() == {customer_id}
    assert before < between < found[customer_id] < clock.now()


async def test_every_service_forgets_a_customer_and_says_what_it_erased(stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id, segment_id = new_customer(), new_id("seg")
    async with shop.client(stack, "emission") as author:
        group = {"name": "Regulars", "customers": [customer_id, new_customer()]}
        ok(await author.put(f"/v1/customer-groups/{new_id('g')}", json=group))
    async with shop.open_tills(stack) as tills:
        await tills.buy(basket(store_id, customer_id, clock.now()))
        await profile_with(stack, customer_id, purchases=1)
    async with database(stack) as connection:
        await connection.execute(
            "insert into memberships (customer_id, segment_id, member, changed_at)"
            " values ($1, $2, true, $3)",
            customer_id,
            segment_id,
            clock.now(),
        )
    for service in ANSWERING:
        assert await traces.in_tables(stack, service, customer_id) != {}, service
    erasure_id = await erase(stack, customer_id)
    for service in ANSWERING:
        report = await report_of(stack, erasure_id, service)
        assert any(one["deleted"] or one["anonymised"] for one in report["tables"]), service
        assert customer_id not in str(report)
        assert await traces.in_tables(stack, service, customer_id) == {}, service
    compacted = [one for one in TOPICS if one.config.get("cleanup.policy") == "compact"]
    for topic in compacted:
        said = await traces.latest(stack, topic)
        left = {key for key, value in said.items() if customer_id.encode() in key and value}
        assert left == set(), topic.name
    assert f"{customer_id}:{segment_id}".encode() in await traces.latest(stack, SEGMENTS)


async def test_statistics_know_an_erased_customer_no_more(stack: Stack) -> None:
    """They have no id, but a hash that whoever has the id could look for."""
    customer_id, hashed = (
        new_customer(),
        "select count(*) from customer_refunds where customer = $1",
    )
    connection = await asyncpg.connect(stack.database("analytics"))
    try:
        await connection.execute(
            "insert into customer_refunds (customer, sold_at, refunded, currency) values ($1, $2, 5, 'UAH')",
            customer_of(customer_id),
            clock.now(),
        )
        report = await report_of(stack, await erase(stack, customer_id), "analytics")
        assert {"table": "customer_refunds", "deleted": 0, "anonymised": 1} in report["tables"]
        assert await connection.fetchval(hashed, customer_of(customer_id)) == 0
    finally:
        await connection.close()
