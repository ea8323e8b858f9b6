"""Evaluator and analytics forget a customer, from the topic to the proof, on real servers."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.stack import Stack
from services.analytics.insight.folding import customer_of
from shared import clock
from shared.codec import cloud_event_headers, decode, encode
from shared.events.checkout import Return
from shared.events.customers import Erased, Erasure
from shared.topics import ERASED, ERASURES
from tests.integration import emission, shop, traces
from tests.integration.requests import records_of
from tests.integration.shop import a_cart, open_tills, sale_of
from tests.waiting import until

DAY = timedelta(days=1)


async def buy(stack: Stack, store_id: str, customer_id: str) -> None:
    """Over Kafka and over HTTP: bought, returned, held, and abandoned."""
    async with open_tills(stack) as tills, shop.client(stack, "evaluator") as http:
        first = a_cart(store_id, 40_000, customer_id=customer_id)
        await tills.buy(first)
        await tills.ask(a_cart(store_id, 50_000, customer_id=customer_id))
        kept = a_cart(store_id, 60_000, customer_id=customer_id)
        headers = {"Idempotency-Key": emission.new_id("k"), "Content-Type": "application/json"}
        emission.ok(await http.post("/v1/checkouts", content=encode(kept), headers=headers))
        emission.ok(await http.post(f"/v1/checkouts/{kept.receipt_id}/confirm"))
        back = Return(
            intent="return",
            receipt_id=first.receipt_id,
            store_id=store_id,
            terminal_id="desk",
            occurred_at=clock.now(),
        )
        emission.ok(await http.post("/v1/returns", content=encode(back)))
        offline = a_cart(store_id, 70_000, customer_id=customer_id)
        decided = await tills.ask(offline)
        await tills.send(sale_of(offline, decided))

    async def all_counted() -> bool:
        return await _counted(stack, store_id) == 3

    await until(all_counted, what="all sales are counted")


async def _counted(stack: Stack, store_id: str) -> int:
    connection = await asyncpg.connect(stack.database("analytics"))
    try:
        return int(
            await connection.fetchval(
                "select coalesce(sum(receipts), 0) from receipt_minutes where store_id = $1",
                store_id,
            )
        )
    finally:
        await connection.close()


async def erase(stack: Stack, customer_id: str) -> dict[str, Erased]:
    """What evaluator and analytics report."""
    asked = Erasure(
        erasure_id=emission.new_id("x"), customer_id=customer_id, requested_at=clock.now()
    )
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        headers = cloud_event_headers(asked.erasure_id, ERASURES.event_type, "/test", clock.now())
        key = customer_id.encode()
        await producer.send_and_wait(ERASURES.name, encode(asked), key=key, headers=headers)
    found: dict[str, Erased] = {}

    async def both() -> bool:
        for record in await records_of(stack, ERASED.name, asked.erasure_id):
            report = decode(Erased, record.value or b"", ignore_unknown=True)
            found[report.service] = report
        return {"evaluator", "analytics"} <= found.keys()

    await until(both, within_s=60, what="both have reported")
    return found


def proof(stack: Stack, campaign_id: str) -> tuple[list[str], Any]:
    """What differs of the campaign and of the points of everybody, and the campaign's figures.

    Tests of other services make up receipts of campaigns that no ledger has: theirs differ.
    """
    arguments = ["verify", "--json", "--wait", "60", "--state", str(stack.state)]
    result = CliRunner().invoke(app, arguments)
    told = json.loads(result.stdout)
    differences = [
        words for words in told["differences"] if words.startswith((f"{campaign_id}/", "bonuses:"))
    ]
    figures = [one["figures"] for one in told["instruments"] if one["campaign_id"] == campaign_id]
    return differences, figures


async def test_no_table_has_the_customer_and_all_sources_still_say_the_same(stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    ten = emission.instrument_of(percent=1_000)
    ten["limits"] = [{"per": ["customer"], "redemptions": 5}, {"per": ["customer"], "money": 10**6}]
    begun = clock.now()
    campaign_id = await shop.run_campaign(stack, [ten], stores=[store_id], control_group=1)
    customer_id = emission.new_id("forget")
    await buy(stack, store_id, customer_id)
    before = await asyncio.to_thread(proof, stack, campaign_id)
    assert before[0] == []
    assert before[1]
    reports = await erase(stack, customer_id)
    assert await traces.in_tables(stack, "evaluator", customer_id) == {}
    assert await traces.in_tables(stack, "analytics", str(customer_of(customer_id))) == {}
    told = {one.table: one.deleted + one.anonymised for one in reports["evaluator"].tables}
    assert (told["checkout_events"], told["purchases"], told["limits"]) == (8, 3, 2)
    assert sum(one.anonymised for one in reports["analytics"].tables) > 0
    assert await asyncio.to_thread(proof, stack, campaign_id) == before
    period = ("--from", begun.isoformat(), "--to", (clock.now() + DAY).isoformat())
    arguments = ["replay", *period, "--state", str(stack.state)]
    again = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert again.exit_code == 0, again.output
    async with open_tills(stack) as tills:
        anew = await tills.ask(a_cart(store_id, 40_000, customer_id=customer_id))
    assert anew.discount == 4_000
