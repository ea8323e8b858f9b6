"""What the statistics are told of codes and control groups, on the real PostgreSQL."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from shared.codec import decode
from shared.codes import digest
from shared.events.checkout import Cart, Return, Sale
from shared.events.outcome import Receipt, Returned
from shared.events.reference import CodeChunk
from shared.topics import RECEIPTS, RETURNS
from tests.builders import CODE_KEY, code, emission, given, instrument, sold_line
from tests.integration.evaluator import NOW, Stream, asks, bought, evaluator, learn, returns, run
from tests.integration.outgoing import waiting


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables with one store; 10% off with WELCOME, and a control group of nearly nobody."""
    async with evaluator(dsn) as pool:
        digests = base64.b64encode(digest("WELCOME", CODE_KEY)).decode()
        posted = CodeChunk(
            emission_id="welcome", kind="mass", chunk=1, posted_at=NOW, digests=digests
        )
        await learn(pool, posted)
        ten_off = instrument(conditions=[code("welcome")])
        await run(pool, [ten_off], emissions=[emission("welcome")], control_group=1)
        yield pool


def paid(number: int = 1, **values: Any) -> Sale:
    """A sale of 10.00 to C1, with 10% off by the code."""
    defaults: dict[str, Any] = {
        "receipt_id": f"cart-{number}",
        "lines": (sold_line(discount=100),),
        "given": (given(discount=100),),
        "codes": ("WELCOME",),
    }
    return bought(number, NOW).model_copy(update={**defaults, **values})


def cart(number: int = 1, **values: Any) -> Cart:
    return asks(number, codes=("WELCOME",), **values)


def back(number: int = 1) -> Return:
    return returns(number, receipt_id=f"cart-{number}", lines=())


async def receipts(pool: asyncpg.Pool) -> list[Receipt]:
    bodies = await waiting(pool, RECEIPTS)
    return [decode(Receipt, body or b"", ignore_unknown=True) for body in bodies]


async def test_a_sale_and_its_return_name_the_emission_of_the_code_used(
    ledger: asyncpg.Pool,
) -> None:
    for event in (cart(), paid(), back()):
        assert await Stream(event).into(ledger) == []
    [receipt] = await receipts(ledger)
    assert [r.emission_id for r in receipt.redemptions] == ["welcome"]
    [body] = await waiting(ledger, RETURNS)
    returned = decode(Returned, body or b"", ignore_unknown=True)
    assert [(r.status, r.emission_id) for r in returned.redemptions] == [("returned", "welcome")]


async def test_a_sale_that_was_decided_offline_names_it_too(ledger: asyncpg.Pool) -> None:
    await Stream(paid()).into(ledger)
    await Stream(back()).into(ledger)
    [receipt] = await receipts(ledger)
    assert [(r.status, r.emission_id) for r in receipt.redemptions] == [("committed", "welcome")]
    [body] = await waiting(ledger, RETURNS)
    assert b'"emission_id":"welcome"' in (body or b"")


async def test_a_receipt_tells_the_campaigns_whose_arms_its_customer_belongs_to(
    ledger: asyncpg.Pool,
) -> None:
    nothing_used: dict[str, Any] = {"codes": (), "given": (), "lines": (sold_line(),)}
    nobody = paid(2, customer_id=None, **nothing_used)
    await Stream(cart(), paid(), nobody, paid(3, **nothing_used)).into(ledger)
    found = {r.receipt_id: (r.exposed, r.held_back) for r in await receipts(ledger)}
    assert found == {
        "cart-1": (("campaign-1",), ()),
        "cart-2": ((), ()),
        "cart-3": (("campaign-1",), ()),
    }
