"""``tillstream verify`` on real servers: all agrees after buyers at once, and a broken row is named."""

import asyncio
import json
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import orjson
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local import stack as local
from deploy.local.errors import StackError
from deploy.local.stack import Stack
from shared.codec import encode
from shared.events.checkout import Cart, GivenBenefit, Sale, SoldLine
from tests.integration import emission, shop
from tests.integration.shop import a_cart

CAP = 20
LEASED = 2
BUYERS = 30


class World(NamedTuple):
    """A stack of its own, since others break ledgers too; a promotion that is used up."""

    stack: Stack
    campaign_id: str
    instrument_id: str
    limit_id: str
    lease_id: str


@pytest.fixture(scope="module")
def alone() -> Iterator[Stack]:
    """A stack that no other test has written to."""
    running = os.environ.get("TILLSTREAM_TEST_STATE")
    if running:
        yield local.load(Path(running))
        return
    with tempfile.TemporaryDirectory(prefix="tillstream-verify-") as directory:
        try:
            yield local.up(Path(directory))
        finally:
            local.down(Path(directory), delete=True)


@pytest.fixture(scope="module")
async def world(alone: Stack) -> World:
    """More buyers at once than there are slots; one cancels, one never pays, one returns, one buys offline of a lease."""
    [store_id] = await shop.open_store(alone)
    word = emission.new_word()
    instrument = emission.instrument_of(await shop.post_word(alone, word))
    instrument["conditions"][1]["cap"] = CAP
    instrument["limits"] = [{"money": 1_000_000}]
    campaign_id = await shop.run_campaign(alone, [instrument], stores=[store_id])
    async with shop.client(alone, "evaluator") as http:

        async def post(path: str, body: bytes = b"") -> Any:
            answer = await http.post(
                f"/v1{path}", content=body, headers={"Content-Type": "application/json"}
            )
            return emission.ok(answer)

        async def buy(number: int) -> None:
            cart = a_cart(store_id, 30_000 + number, number=number, codes=[word])
            decision = await post("/checkouts", encode(cart))
            if not decision["applied"] or number == 1:
                return
            if number == 0:
                await post(f"/checkouts/{cart.receipt_id}/cancel")
                return
            await post(f"/checkouts/{cart.receipt_id}/confirm")
            if number == 2:
                back = {
                    "receipt_id": cart.receipt_id,
                    "store_id": store_id,
                    "terminal_id": "desk",
                    "occurred_at": cart.occurred_at,
                    "intent": "return",
                }
                await post("/returns", orjson.dumps(back))

        await asyncio.gather(*(buy(number) for number in range(4)))
        lease = {
            "lease_id": emission.new_id("lease"),
            "store_id": store_id,
            "campaign_id": campaign_id,
            "instrument_id": instrument["instrument_id"],
            "condition": "code",
            "amount": LEASED + 1,
            "seconds": 3_600,
        }
        await post("/leases", orjson.dumps(lease))
        await post("/sales", encode(sold_offline(a_cart(store_id, 30_000, codes=[word]), lease)))
        await asyncio.gather(*(buy(number) for number in range(4, BUYERS)))
    return World(
        alone,
        campaign_id,
        instrument["instrument_id"],
        f"{campaign_id}/{instrument['instrument_id']}/code",
        lease["lease_id"],
    )


def sold_offline(cart: Cart, lease: dict[str, Any]) -> Sale:
    """The sale of a till without a network, which gave the 10% of its store's lease."""
    given = {name: lease[name] for name in ("campaign_id", "instrument_id", "lease_id")}
    return Sale(
        **cart.model_dump(
            exclude={"lines", "intent", "payment_methods", "price_groups", "pay_bonuses"}
        ),
        lines=tuple(SoldLine(**dict(line), discount=3_000) for line in cart.lines),
        given=(GivenBenefit(**given, discount=3_000),),
    )


def verify(world: World, *more: str) -> tuple[int, dict[str, Any]]:
    """The exit status, and what it says."""
    arguments = ["verify", "--json", "--wait", "60", "--state", str(world.stack.state), *more]
    result = CliRunner().invoke(app, arguments)
    assert result.stdout.startswith("{"), result.output
    return result.exit_code, json.loads(result.stdout)


@asynccontextmanager
async def broken(world: World, service: str, break_it: str, mend_it: str) -> AsyncIterator[None]:
    """The database of a service while one of its rows is wrong."""
    connection = await asyncpg.connect(world.stack.database(service))
    try:
        assert await connection.execute(break_it.format(*world[1:])) == "UPDATE 1"
        yield
    finally:
        await connection.execute(mend_it.format(*world[1:]))
        await connection.close()


async def test_after_buyers_at_once_every_source_says_the_same(world: World) -> None:
    status, proof = await asyncio.to_thread(verify, world)
    assert proof["differences"] == []
    assert status == 0
    [mine] = [one for one in proof["instruments"] if one["campaign_id"] == world.campaign_id]
    # One is held, and one that was used came back.
    assert set(mine["figures"]["activations"].values()) == {CAP - LEASED}


async def test_a_limits_certificate_has_its_slots_with_their_history(world: World) -> None:
    status, proof = await asyncio.to_thread(verify, world, "--limit", world.limit_id)
    slots = proof["certificate"]["slots"]
    assert status == 0
    assert [slot["number"] for slot in slots] == list(range(1, CAP - LEASED + 1))
    assert [slot["state"] for slot in slots].count("held") == 1
    # What was sold offline was never held.
    histories = Counter(len(slot["history"]) for slot in slots if slot["state"] == "used")
    assert histories == {2: CAP - LEASED - 2, 1: 1}
    [leased] = proof["certificate"]["leased_slots"]
    assert (leased["first"], leased["last"]) == (CAP - LEASED + 1, CAP)
    assert proof["certificate"]["free_slots"] is None


async def test_the_same_certificate_is_read_over_http_in_pages_and_as_csv(world: World) -> None:
    path = f"/v1/limits/{world.limit_id}/certificate"
    async with shop.client(world.stack, "evaluator") as http:
        listed = emission.ok(await http.get("/v1/limits", params={"search": world.campaign_id}))
        first = emission.ok(await http.get(path, params={"limit": 15}))
        rest = emission.ok(await http.get(path, params={"first": first["next"], "limit": 15}))
        table = await http.get(path, headers={"Accept": "text/csv"})
        missing = await http.get("/v1/limits/none/certificate")
    by_id = {one["limit_id"]: one for one in listed["limits"]}
    welcome = by_id[world.limit_id]
    assert [welcome[name] for name in ("cap", "free", "held", "leased", "used")] == [
        *(CAP, 0, 1, LEASED),
        CAP - LEASED - 1,
    ]
    assert {one["consistent"] for one in listed["limits"]} == {True}
    assert [one["money"] for one in listed["limits"]] == [False, True]
    numbers = [slot["number"] for slot in (*first["slots"], *rest["slots"])]
    assert numbers == list(range(1, CAP - LEASED + 1))
    assert (first["taken"], rest["next"], rest["free"]) == (CAP - LEASED, None, None)
    lines = table.text.splitlines()
    assert len(lines) == 1 + (CAP - LEASED) + 1
    assert lines[-1].startswith(f"{CAP - LEASED + 1}–{CAP},leased,{LEASED}")
    assert missing.status_code == HTTPStatus.NOT_FOUND


async def test_a_limit_that_is_not_there_is_an_error_in_one_line(world: World) -> None:
    arguments = ["verify", "--state", str(world.stack.state), "--limit", "none"]
    result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert isinstance(result.exception, StackError)


class Broken(NamedTuple):
    """A row that is made wrong, put right again, and what names it."""

    service: str
    breaks: str
    mends: str
    named: str


_ONE = "(select redemption_id from redemptions where campaign_id = '{0}' and status = 'committed' order by redemption_id limit 1)"
_CELL = (
    "update {table} set {column} = {column} {{sign}} 1 where ctid = (select ctid from {table} c"
    " join offers using (offer_id) where campaign_id = '{{0}}' limit 1)"
)


def _cell(table: str, column: str, named: str) -> Broken:
    text = _CELL.format(table=table, column=column).replace("select ctid", "select c.ctid")
    return Broken("analytics", text.replace("{sign}", "+"), text.replace("{sign}", "-"), named)


@pytest.mark.parametrize(
    "case",
    [
        Broken(
            "evaluator",
            "update limits set used = used + 1 where limit_id = '{0}/{1}/code'",
            "update limits set used = used - 1 where limit_id = '{0}/{1}/code'",
            "limit {0}/{1}/code: used",
        ),
        Broken(
            "evaluator",
            "update limits set held = held - 1 where limit_id = '{0}/{1}/code'",
            "update limits set held = held + 1 where limit_id = '{0}/{1}/code'",
            "limit {0}/{1}/code: held",
        ),
        Broken(
            "evaluator",
            "update leases set used = used - 1, amount = amount - 1 where lease_id = '{3}'",
            "update leases set used = used + 1, amount = amount + 1 where lease_id = '{3}'",
            "lease {3}: used",
        ),
        Broken(
            "evaluator",
            f"update redemptions set discount = discount + 1 where redemption_id = {_ONE}",  # noqa: S608
            f"update redemptions set discount = discount - 1 where redemption_id = {_ONE}",  # noqa: S608
            "{0}/{1}, discount",
        ),
        Broken(
            "evaluator",
            "update receipts set status = 'open' where receipt_id = (select receipt_id from redemptions"
            " where campaign_id = '{0}' and status = 'returned')",
            "update receipts set status = 'paid' where receipt_id = (select receipt_id from redemptions"
            " where campaign_id = '{0}' and status = 'returned')",
            "receipts paid",
        ),
        _cell("instrument_cells", "activations", "{0}/{1}, activations"),
        _cell("take_back_cells", "returned_discount", "{0}/{1}, discount returned"),
    ],
    ids=lambda case: case.named,
)
async def test_a_row_that_is_wrong_is_named(world: World, case: Broken) -> None:
    async with broken(world, case.service, case.breaks, case.mends):
        status, proof = await asyncio.to_thread(verify, world)
    assert status == 1
    named = case.named.format(*world[1:])
    assert any(words.startswith(named) for words in proof["differences"]), proof["differences"]
