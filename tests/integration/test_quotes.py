"""Quotes come from memory: while PostgreSQL is away they go on, marked stale."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from shared.codec import encode
from shared.events.checkout import Cart
from shared.events.conditions import CustomerKnown, FirstPurchase
from tests.integration import emission, shop
from tests.integration.shop import a_cart
from tests.waiting import until


@dataclass
class Till:
    """A till that asks over HTTP, and the promotion of its store."""

    client: httpx.AsyncClient
    store_id: str
    word: str

    async def ask(self, cart: Cart) -> httpx.Response:
        """The answer to a quote, whatever it is."""
        return await self.client.post("/v1/quotes", content=encode(cart))

    async def quote(self, amount: int = 40_000, **values: Any) -> dict[str, Any]:
        """The decision on a quote."""
        found: dict[str, Any] = emission.ok(await self.ask(a_cart(self.store_id, amount, **values)))
        return found

    async def is_fresh(self) -> bool:
        """Whether quotes are not stale."""
        return not (await self.quote()).get("stale")


@pytest.fixture
async def till(stack: Stack) -> AsyncIterator[Till]:
    """A till of a store with 10% off receipts of 300 with a code, and 5% off a first purchase."""
    [store_id] = await shop.open_store(stack)
    word = emission.new_word()
    welcome = emission.instrument_of(await shop.post_word(stack, word))
    first = {
        "instrument_id": emission.new_id("first"),
        "name": "5% off the first purchase",
        "conditions": [
            CustomerKnown(kind="customer_known").model_dump(mode="json"),
            FirstPurchase(kind="first_purchase").model_dump(mode="json"),
        ],
        "benefit": {"kind": "percent_off", "percent": 500},
    }
    await shop.run_campaign(stack, [welcome, first], stores=[store_id])
    async with shop.client(stack, "evaluator") as client:
        opened = Till(client, store_id, word)

        async def decided() -> bool:
            answer = await opened.ask(a_cart(store_id, 40_000, codes=[word]))
            return answer.status_code == 200 and answer.json()["discount"] == 4_000

        await until(decided, what="the promotion is in the evaluator's memory")
        yield opened


def _family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


@asynccontextmanager
async def paused(stack: Stack, server: str) -> AsyncIterator[None]:
    """All processes of the server stand still: connections are there, and nothing answers."""
    stopped = list(_family(stack.pid(server)))
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


async def test_while_postgresql_stands_still_quotes_go_on_marked_stale(
    stack: Stack, till: Till
) -> None:
    customer = emission.new_id("c")
    first = await till.quote(customer_id=customer)
    assert (first["discount"], first.get("stale")) == (2_000, None)
    async with paused(stack, "postgres"):
        await until(lambda: _not(till.is_fresh), within_s=5, what="quotes are stale")
        by_memory = await till.quote(codes=[till.word])
        assert (by_memory["discount"], by_memory["stale"]) == (4_000, True)
        assert (await till.quote(customer_id=customer))["discount"] == 2_000
        assert (await till.client.get("/readyz")).status_code == 200, "quotes are still sent here"
    await until(till.is_fresh, within_s=10, what="quotes are fresh again")
    assert (await till.quote(codes=[till.word]))["discount"] == 4_000


async def _not(condition: Any) -> bool:
    return not await condition()


async def test_what_nobody_met_before_postgresql_went_counts_for_nothing(
    stack: Stack, till: Till
) -> None:
    nowhere = emission.new_id("nowhere")
    async with paused(stack, "postgres"):
        await until(lambda: _not(till.is_fresh), within_s=5, what="quotes are stale")
        stranger = await till.quote(customer_id=emission.new_id("c"), codes=["NEVER-MET"])
        assert stranger["discount"] == 0, "a first purchase is not promised"
        assert {x["reason"] for x in stranger["not_applied"]} == {"customer_unknown"}
        assert stranger["unknown_codes"] == [0]
        elsewhere = await till.ask(a_cart(nowhere, 1_000))
        assert (elsewhere.status_code, elsewhere.headers["retry-after"]) == (503, "1")
    await until(till.is_fresh, within_s=10, what="quotes are fresh again")
    answer = await till.ask(a_cart(nowhere, 1_000))
    assert emission.faulty_fields(answer, 422) == ["store_id"]


@pytest.mark.slow
async def test_quotes_go_on_while_postgresql_is_killed_and_comes_back(
    stack: Stack, till: Till
) -> None:
    before = stack.pid("postgres")
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        assert (await till.quote(codes=[till.word]))["discount"] == 4_000
        return stack.ready("postgres", before)

    await until(back, within_s=90, what="PostgreSQL is back")
    await until(till.is_fresh, within_s=10, what="quotes are fresh again")
    await until(lambda: _authors_again(stack), what="emission has lost its dead connections")


async def _authors_again(stack: Stack) -> bool:
    """Each dead connection of a pool is noticed by the request that meets it."""
    async with shop.client(stack, "emission") as author:
        answers = [await author.get("/v1/campaigns") for _ in range(10)]
    return all(answer.status_code == httpx.codes.OK for answer in answers)


async def test_a_quote_counts_what_its_own_receipt_holds_as_free(stack: Stack) -> None:
    """The last slot is held by a checkout: whoever asks again for that receipt would get it."""
    [store_id] = await shop.open_store(stack)
    word = emission.new_word()
    instrument = emission.instrument_of(await shop.post_word(stack, word))
    instrument["conditions"][1]["cap"] = 1
    await shop.run_campaign(stack, [instrument], stores=[store_id])
    mine, another = (a_cart(store_id, 40_000, codes=[word]) for _ in range(2))
    async with shop.open_tills(stack) as tills, shop.client(stack, "evaluator") as client:
        assert (await tills.ask(mine)).discount == 4_000
        till = Till(client, store_id, word)

        async def refused() -> bool:
            found = (await till.ask(another)).json()["not_applied"]
            return [each["reason"] for each in found] == ["limit_reached"]

        await until(refused, what="the hold is known")
        assert (await till.ask(mine)).json()["discount"] == 4_000
