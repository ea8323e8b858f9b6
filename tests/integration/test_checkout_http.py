"""The life of a receipt over HTTP: hold, confirm, cancel, sale, return; once each, whatever is sent again."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest

from deploy.local.stack import Stack
from shared.codec import encode
from shared.events.checkout import Cart
from tests.integration import shop
from tests.integration.shop import a_cart
from tests.integration.test_pipeline import Welcome, welcome

JSON = {"Content-Type": "application/json"}


class Till(NamedTuple):
    """A till that speaks HTTP, in a store where WELCOME runs."""

    http: httpx.AsyncClient
    promotion: Welcome

    def cart(self, **values: Any) -> Cart:
        """A cart of 300.00 with the code."""
        promotion = self.promotion
        return a_cart(promotion.store_id, 30_000, **{"codes": [promotion.word], **values})

    async def post(
        self, path: str, body: bytes | dict[str, Any] = b"", key: str | None = None
    ) -> httpx.Response:
        """Ask the evaluator; a ``key`` makes it idempotent."""
        headers = {**JSON, **({"Idempotency-Key": key} if key else {})}
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(f"/v1{path}", content=sent, headers=headers)

    async def check_out(self, cart: Cart, key: str | None = None) -> dict[str, Any]:
        """The decision on a cart."""
        response = await self.post("/checkouts", encode(cart), key)
        assert response.status_code == HTTPStatus.OK, response.text
        decision: dict[str, Any] = response.json()
        return decision

    async def confirm(self, cart: Cart, key: str | None = None) -> httpx.Response:
        """The receipt is paid as decided."""
        return await self.post(f"/checkouts/{cart.receipt_id}/confirm", key=key)


@pytest.fixture
async def till(stack: Stack) -> AsyncIterator[Till]:
    """A till in a store of its own."""
    promotion = await welcome(stack)
    async with shop.client(stack, "evaluator") as http:
        yield Till(http, promotion)


@pytest.fixture
async def ledger(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The evaluator's tables."""
    connection = await asyncpg.connect(stack.database("evaluator"))
    yield connection
    await connection.close()


async def slots(ledger: asyncpg.Connection, till: Till) -> tuple[int, int]:
    """How many slots of WELCOME are held and used."""
    row = await ledger.fetchrow(
        "select held, used from limits where limit_id like $1", f"{till.promotion.campaign_id}/%"
    )
    return (row["held"], row["used"]) if row else (0, 0)


async def test_a_checkout_holds_and_its_confirmation_commits(
    till: Till, ledger: asyncpg.Connection
) -> None:
    cart = till.cart()
    decision = await till.check_out(cart)
    assert (decision["outcome"], decision["discount"]) == ("decided", 3_000)
    assert await slots(ledger, till) == (1, 0)
    receipt = (await till.confirm(cart)).json()
    assert (receipt["paid"], receipt["decision_id"]) == (27_000, decision["decision_id"])
    assert [r["status"] for r in receipt["redemptions"]] == ["committed"]
    assert await slots(ledger, till) == (0, 1)


async def test_a_confirmation_that_comes_again_is_answered_the_same_and_counts_once(
    till: Till, ledger: asyncpg.Connection
) -> None:
    cart = till.cart()
    await till.check_out(cart)
    first, *others = await asyncio.gather(*(till.confirm(cart) for _ in range(10)))
    assert first.status_code == HTTPStatus.OK
    assert {other.content for other in others} == {first.content}
    assert await slots(ledger, till) == (0, 1)


async def test_receipts_of_one_till_are_confirmed_and_cancelled_each_by_itself(
    till: Till, ledger: asyncpg.Connection
) -> None:
    """Without keys and bodies the orders say the same: only their receipts tell them apart."""
    carts = [till.cart() for _ in range(4)]
    for cart in carts:
        await till.check_out(cart)
    confirmed = [await till.confirm(cart) for cart in carts[:2]]
    assert [one.json()["receipt_id"] for one in confirmed] == [c.receipt_id for c in carts[:2]]
    for cart in carts[2:]:
        cancelled = await till.post(f"/checkouts/{cart.receipt_id}/cancel")
        assert cancelled.json()["receipt_id"] == cart.receipt_id
    assert await slots(ledger, till) == (0, 2)


async def test_a_cancel_frees_what_was_held_and_the_receipt_can_be_checked_out_again(
    till: Till, ledger: asyncpg.Connection
) -> None:
    cart = till.cart()
    await till.check_out(cart)
    for _ in range(2):
        cancelled = await till.post(f"/checkouts/{cart.receipt_id}/cancel")
        assert cancelled.json()["outcome"] == "cancelled"
    assert await slots(ledger, till) == (0, 0)
    refused = await till.confirm(cart)
    assert refused.status_code == HTTPStatus.CONFLICT
    again = cart.model_copy(update={"revision": 5})
    assert (await till.check_out(again))["discount"] == 3_000
    assert await slots(ledger, till) == (1, 0)


async def test_what_is_not_there_cannot_be_confirmed_and_what_is_paid_cannot_be_cancelled(
    till: Till,
) -> None:
    cart = till.cart()
    unknown = await till.confirm(cart)
    assert unknown.status_code == HTTPStatus.NOT_FOUND
    assert unknown.json()["errors"][0]["field"] == "receipt_id"
    await till.check_out(cart)
    await till.confirm(cart)
    late = await till.post(f"/checkouts/{cart.receipt_id}/cancel")
    assert late.status_code == HTTPStatus.CONFLICT
    assert (await till.check_out(cart.model_copy(update={"revision": 1})))["outcome"] == "paid"


async def test_a_key_names_a_request_whose_answer_is_given_again(
    till: Till, ledger: asyncpg.Connection
) -> None:
    """As Stripe documents it: docs.stripe.com/api/idempotent_requests."""
    cart, key = till.cart(), str(uuid4())
    first = await till.post("/checkouts", encode(cart), key)
    again = await till.post("/checkouts", encode(cart), key)
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await till.post("/checkouts", encode(till.cart()), key)
    assert other.status_code == HTTPStatus.BAD_REQUEST
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert await slots(ledger, till) == (1, 0)


async def test_a_refusal_is_kept_with_its_key_but_a_bad_body_is_not(till: Till) -> None:
    cart, key = till.cart(), str(uuid4())
    refused = await till.confirm(cart, key)
    assert refused.status_code == HTTPStatus.NOT_FOUND
    await till.check_out(cart)
    assert (await till.confirm(cart, key)).content == refused.content
    assert (await till.confirm(cart, str(uuid4()))).status_code == HTTPStatus.OK
    key = str(uuid4())
    bad = await till.post("/checkouts", b"{}", key)
    assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert (await till.post("/checkouts", encode(till.cart()), key)).status_code == HTTPStatus.OK


async def test_a_sale_without_a_cart_is_decided_and_commits_at_once(
    till: Till, ledger: asyncpg.Connection
) -> None:
    cart = till.cart()
    body = {
        **cart.model_dump(
            mode="json", exclude={"intent", "payment_methods", "price_groups", "pay_bonuses"}
        ),
        "given": [
            {
                "campaign_id": till.promotion.campaign_id,
                "instrument_id": till.promotion.instrument_id,
                "discount": 3_000,
            }
        ],
    }
    body["lines"][0]["discount"] = 3_000
    sold = await till.post("/sales", body)
    assert [r["status"] for r in sold.json()["redemptions"]] == ["committed"], sold.text
    assert await slots(ledger, till) == (0, 1)
    assert (await till.post("/sales", body)).content == sold.content


async def test_a_full_return_refunds_what_was_paid_and_frees_the_slot(
    till: Till, ledger: asyncpg.Connection
) -> None:
    cart = till.cart()
    await till.check_out(cart)
    await till.confirm(cart)
    body = {
        "intent": "return",
        "receipt_id": cart.receipt_id,
        "store_id": cart.store_id,
        "terminal_id": "desk",
        "occurred_at": cart.occurred_at.isoformat(),
    }
    back = (await till.post("/returns", body)).json()
    assert (back["refund"], back["complete"]) == (27_000, True)
    assert [(r["status"], r["released"]) for r in back["redemptions"]] == [("returned", True)]
    assert await slots(ledger, till) == (0, 0)
    assert (await till.post("/returns", body)).json() == back
    too_much = await till.post("/returns", {**body, "terminal_id": "other-desk"})
    assert too_much.status_code == HTTPStatus.CONFLICT


async def test_a_hundred_callers_share_ten_slots_exactly(stack: Stack) -> None:
    promotion = await welcome(stack, cap=10)
    async with shop.client(stack, "evaluator") as http:
        till = Till(http, promotion)

        async def buy() -> int:
            cart = till.cart()
            decision = await till.check_out(cart)
            assert (await till.confirm(cart)).status_code == HTTPStatus.OK
            return int(decision["discount"] > 0)

        assert sum(await asyncio.gather(*(buy() for _ in range(100)))) == 10
