"""Abuse, from a till's carts to the alert that a person closes, on real Kafka and PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local.stack import Stack
from shared import clock
from tests.builders import cart, line
from tests.integration import shop
from tests.integration.customers import new_customer
from tests.integration.emission import ok
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the customers service."""
    async with shop.client(stack, "customers") as client:
        yield client


async def guess(stack: Stack, store_id: str, customer_id: str, carts: int, each: int = 2) -> None:
    """A customer's carts with codes that nobody has."""
    async with shop.open_tills(stack) as tills:
        for number in range(carts):
            asked = cart(
                [line(1, amount=1_000)],
                receipt_id=f"r-{customer_id}-{number}",
                store_id=store_id,
                customer_id=customer_id,
                currency=shop.CURRENCY,
                occurred_at=clock.now() - timedelta(minutes=5),
                codes=[f"GUESS{uuid4().hex[:8]}" for _ in range(each)],
            )
            await tills.ask(asked)


async def alerts_of(api: httpx.AsyncClient, subject: str, **wanted: Any) -> list[dict[str, Any]]:
    """The alerts about a subject."""
    answer = ok(await api.get("/v1/alerts", params={"subject": subject, **wanted}))
    found: list[dict[str, Any]] = answer["items"]
    return found


async def alert_of(api: httpx.AsyncClient, subject: str, **expected: object) -> dict[str, Any]:
    """The one alert about a subject, once it says what is expected."""

    async def as_expected() -> dict[str, Any] | None:
        found = await alerts_of(api, subject)
        right = [one for one in found if {name: one[name] for name in expected} == expected]
        return right[0] if right else None

    alert = await until(as_expected, what=f"an alert of {subject} with {expected}")
    assert alert is not None
    return alert


async def test_guessed_codes_raise_one_alert_with_its_evidence(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    await guess(stack, store_id, customer_id, carts=4)
    alert = await alert_of(api, customer_id, times=2)
    assert (alert["rule"], alert["subject_kind"], alert["status"]) == (
        "code_guessing",
        "customer",
        "open",
    )
    [evidence] = alert["evidence"]
    assert (evidence["measure"], evidence["value"]) == ("unknown_codes", 8)
    assert set(evidence["receipts"]) == {f"r-{customer_id}-{n}" for n in range(4)}
    assert len(await alerts_of(api, customer_id)) == 1
