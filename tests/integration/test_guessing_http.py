"""Anonymous callers over HTTP: a page asks for quotes, with a token that anybody may read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.stack import Stack
from shared import clock
from shared.codec import encode
from shared.web.auth import Scope, sign
from tests.integration import emission, shop
from tests.integration.shop import a_cart
from tests.waiting import until


@asynccontextmanager
async def caller(stack: Stack, *scopes: Scope) -> AsyncIterator[httpx.AsyncClient]:
    """A client with these scopes and no others."""
    token = sign(stack.secrets.signing_key, "page", scopes, timedelta(hours=1), clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=stack.url("evaluator"), headers=headers, timeout=30, trust_env=False
    ) as opened:
        yield opened


@pytest.fixture
async def shopper(stack: Stack) -> tuple[str, str, str]:
    """A store with 10% off with a code, and the code of another store."""
    stores = await shop.open_store(stack, 2)
    words = [emission.new_word() for _ in stores]
    for store_id, word in zip(stores, words, strict=True):
        instrument = emission.instrument_of(await shop.post_word(stack, word))
        await shop.run_campaign(stack, [instrument], stores=[store_id])
    async with caller(stack, "quotes:write") as till:

        async def is_told() -> bool:
            asked = zip(stores, words, strict=True)
            return all([(await quote(till, *one))["discount"] for one in asked])

        await until(is_told, what="quotes know the campaigns")
    return stores[0], words[0], words[1]


async def quote(client: httpx.AsyncClient, store_id: str, *codes: str) -> dict[str, Any]:
    asked = a_cart(store_id, 40_000, codes=codes, channel="web")
    return emission.ok(await client.post("/v1/quotes", content=encode(asked)))


def without_names(decision: dict[str, Any]) -> dict[str, Any]:
    """All but ids and times."""
    named = ("decision_id", "receipt_id", "occurred_at", "decided_at")
    return {name: value for name, value in decision.items() if name not in named}


async def test_a_page_is_told_of_codes_that_apply_and_nothing_of_others(
    stack: Stack, shopper: tuple[str, str, str]
) -> None:
    store_id, good, elsewhere = shopper
    async with caller(stack, "quotes:public") as page, caller(stack, "quotes:write") as till:
        found = await quote(page, store_id, good)
        assert (found["discount"], found.get("unused_codes", [])) == (4_000, [])
        wrong, unknown = [
            without_names(await quote(page, store_id, one)) for one in (elsewhere, "NOBODYS")
        ]
        assert wrong == unknown
        assert wrong["unused_codes"] == [{"code": 0, "reason": "not_applied"}]
        told = [await quote(till, store_id, one) for one in (elsewhere, "NOBODYS")]
        reasons = [one["unused_codes"][0]["reason"] for one in told]
        assert reasons == ["wrong_store", "unknown_code"]


async def test_a_page_may_ask_and_not_check_out(
    stack: Stack, shopper: tuple[str, str, str]
) -> None:
    asked = encode(a_cart(shopper[0], 40_000))
    async with caller(stack, "quotes:public") as page, caller(stack, "ledger:read") as other:
        assert (await page.post("/v1/checkouts", content=asked)).status_code == 403
        refused = await other.post("/v1/quotes", content=asked)
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            "This needs the scope quotes:write or quotes:public.",
        )


async def test_of_the_pages_visitors_hashes_are_kept(
    stack: Stack, shopper: tuple[str, str, str]
) -> None:
    async with caller(stack, "quotes:public") as page:
        await quote(page, shopper[0], emission.new_word())
    connection = await asyncpg.connect(stack.database("evaluator"))
    try:
        names = await connection.fetch("select name from guesses where who = 'address'")
    finally:
        await connection.close()
    assert names
    assert all(len(row["name"]) == 32 for row in names)
