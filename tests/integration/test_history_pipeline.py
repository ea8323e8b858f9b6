"""History through the real services: what was bought counts at the next till, also after kill -9."""

import asyncio
import os
import signal
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.stack import Stack
from shared import clock
from shared.codec import cloud_event_headers, encode
from shared.events.checkout import Cart, Return
from shared.events.outcome import Decision
from shared.events.reference import SegmentChange
from shared.topics import SEGMENTS
from tests.integration import emission, shop
from tests.integration.shop import Tills, a_cart, open_tills
from tests.waiting import until

CUSTOMERS = 20
ROUNDS = 12
THIRD = {"kind": "purchase_count", "compare": {"op": ">=", "value": 2}}


async def third_purchase(stack: Stack) -> str:
    """10% from a customer's third purchase on, in a store of its own."""
    [store_id] = await shop.open_store(stack)
    instrument = emission.instrument_of() | {"conditions": [THIRD]}
    await shop.run_campaign(stack, [instrument], stores=[store_id])
    return store_id


async def test_what_was_bought_counts_and_what_came_back_does_not(stack: Stack) -> None:
    store_id = await third_purchase(stack)
    customer = emission.new_id("cust")

    def mine() -> Cart:
        return a_cart(store_id, 1_000, customer_id=customer)

    async with open_tills(stack) as tills:
        carts = [mine() for _ in range(3)]
        bought = [(await tills.buy(cart)).discount for cart in carts]
        await _until_bought(stack, customer, 3)
        for cart in carts[1:]:
            await tills.send(_return_of(cart))
        await until(lambda: _is_left(stack, customer, 1), what="two receipts came back")
        again = await tills.ask(mine())
    assert bought == [0, 0, 100]
    assert again.discount == 0
    assert (again.near_misses[0].missing, again.near_misses[0].unit) == (1, "purchases")


def _return_of(cart: Cart) -> Return:
    """All of it comes back."""
    return Return(
        intent="return",
        receipt_id=cart.receipt_id,
        store_id=cart.store_id,
        terminal_id=cart.terminal_id,
        occurred_at=clock.now(),
    )


async def test_a_segment_that_a_customer_enters_decides_the_next_cart(stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    segment, customer = emission.new_id("seg"), emission.new_id("cust")
    instrument = emission.instrument_of() | {
        "conditions": [{"kind": "customer_segment", "segments": [segment]}]
    }
    await shop.run_campaign(stack, [instrument], stores=[store_id])
    async with open_tills(stack) as tills:
        cart = a_cart(store_id, 1_000, customer_id=customer, intent="quote")
        before = await tills.ask(cart)
        await _enter(tills, customer, segment)

        async def decided_by_it() -> bool:
            return (await tills.ask(cart)).discount == 100

        await until(decided_by_it, what="the evaluator knows the segment's member")
    assert [refused.reason for refused in before.not_applied] in ([], ["condition_not_met"])
    assert before.discount == 0


async def _enter(tills: Tills, customer: str, segment: str) -> None:
    now = clock.now()
    change = SegmentChange(customer_id=customer, segment_id=segment, member=True, changed_at=now)
    headers = cloud_event_headers(str(uuid4()), SEGMENTS.event_type, "test/customers", now)
    key = f"{customer}:{segment}".encode()
    await tills.producer.send_and_wait(SEGMENTS.name, encode(change), key=key, headers=headers)


@pytest.mark.slow
async def test_every_purchase_counts_once_although_the_evaluator_is_killed(stack: Stack) -> None:
    store_id = await third_purchase(stack)
    customers = [emission.new_id("cust") for _ in range(CUSTOMERS)]
    async with open_tills(stack) as tills:
        buying = asyncio.gather(
            *(_keep_buying(stack, tills, store_id, n, c) for n, c in enumerate(customers))
        )
        await until(lambda: _answered(tills, CUSTOMERS * ROUNDS // 4), what="the stream has begun")
        await _kill(stack)
        bought = await asyncio.wait_for(buying, 150)
    expected = [0, 0] + [100] * (ROUNDS - 2)
    assert [[decision.discount for decision in each] for each in bought] == [expected] * CUSTOMERS


async def _keep_buying(
    stack: Stack, tills: Tills, store_id: str, number: int, customer: str
) -> list[Decision]:
    """A customer who comes back as soon as the last purchase is booked."""
    found = []
    for n in range(ROUNDS):
        found.append(await tills.buy(a_cart(store_id, 1_000, number=number, customer_id=customer)))
        await _until_bought(stack, customer, n + 1)
    return found


async def _answered(tills: Tills, count: int) -> bool:
    return len(tills.decisions) >= count


async def _kill(stack: Stack) -> None:
    """SIGKILL; the supervisor starts it again."""
    before = stack.pid("evaluator")
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        return stack.ready("evaluator", before)

    await until(back, within_s=90, what="the evaluator is back")


async def _until_bought(stack: Stack, customer: str, count: int) -> None:
    connection = await asyncpg.connect(stack.database("evaluator"))
    query = "select count(*) from purchases where customer_id = $1"

    async def booked() -> bool:
        return bool(await connection.fetchval(query, customer) >= count)

    try:
        await until(booked, within_s=90, what=f"{count} purchases are booked")
    finally:
        await connection.close()


async def _is_left(stack: Stack, customer: str, count: int) -> bool:
    connection = await asyncpg.connect(stack.database("evaluator"))
    query = "select count(*) from purchases where customer_id = $1 and remaining is null"
    found = await connection.fetchval(query, customer)
    await connection.close()
    return bool(found == count)
