"""Erasing customers in tests, and baskets of theirs."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from deploy.local.stack import Stack
from shared.events.checkout import Cart
from tests.builders import cart, line
from tests.integration import shop
from tests.integration.emission import ok
from tests.waiting import until


def basket(store_id: str, customer_id: str | None, occurred_at: datetime) -> Cart:
    """A basket that is paid without any promotion."""
    return cart(
        [line(1, sku="milk", group="dairy", amount=2_500)],
        receipt_id=f"r-{uuid4().hex[:12]}",
        store_id=store_id,
        customer_id=customer_id,
        occurred_at=occurred_at,
        currency=shop.CURRENCY,
    )


async def erase(stack: Stack, customer_id: str) -> str:
    """Have a customer erased; returns the erasure's id."""
    async with shop.client(stack, "customers") as client:
        answer = await client.post(f"/v1/customers/{customer_id}/erasure")
    return str(ok(answer, HTTPStatus.ACCEPTED)["erasure_id"])


async def report_of(stack: Stack, erasure_id: str, service: str) -> dict[str, Any]:
    """What a service has reported of an erasure."""
    async with shop.client(stack, "customers") as client:

        async def reported() -> dict[str, Any] | None:
            found = ok(await client.get(f"/v1/erasures/{erasure_id}"))
            return next((one for one in found["reports"] if one["service"] == service), None)

        found = await until(reported, what=f"the report of {service}")
        assert found is not None
        return found
