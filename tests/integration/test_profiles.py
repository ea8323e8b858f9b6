"""Profiles: from a till's sale to the topic that a CRM reads, on real Kafka and PostgreSQL."""

from datetime import timedelta

import pytest

from deploy.local.stack import Stack
from shared import clock
from shared.events.checkout import Return
from tests.builders import cart, line
from tests.integration import shop
from tests.integration.customers import new_customer, profile_with

pytestmark = pytest.mark.slow


async def test_what_a_customer_buys_and_brings_back_is_in_the_published_profile(
    stack: Stack,
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    now = clock.now()
    first = cart(
        [
            line(1, sku="milk", group="dairy", quantity=2_000, price=4_000, amount=8_000),
            line(2, sku="bread", group="bakery", amount=2_500),
        ],
        receipt_id=f"r-{customer_id}-1",
        store_id=store_id,
        customer_id=customer_id,
        occurred_at=now - timedelta(hours=30),
        currency=shop.CURRENCY,
    )
    second = first.model_copy(
        update={"receipt_id": f"r-{customer_id}-2", "occurred_at": now - timedelta(hours=3)}
    )
    async with shop.open_tills(stack) as tills:
        await tills.buy(first)
        await tills.buy(second)
        profile = await profile_with(stack, customer_id, purchases=2)
        [spending] = profile.spending
        assert (spending.purchases, spending.paid, spending.refunded) == (2, 21_000, 0)
        favourites = [(f.group, f.purchases, f.quantity, f.paid) for f in profile.favourites]
        assert favourites == [("dairy", 2, 4_000, 16_000), ("bakery", 2, 2_000, 5_000)]
        assert [(s.store_id, s.purchases) for s in profile.stores] == [(store_id, 2)]
        assert profile.last_purchase_at == second.occurred_at.replace(microsecond=0)
        back = Return(
            intent="return",
            receipt_id=second.receipt_id,
            store_id=store_id,
            terminal_id=second.terminal_id,
            occurred_at=clock.now(),
        )
        await tills.send(back)
        profile = await profile_with(stack, customer_id, purchases=1, returns=1)
        [spending] = profile.spending
        assert (spending.purchases, spending.paid, spending.refunded) == (1, 21_000, 10_500)
        assert profile.last_purchase_at == first.occurred_at.replace(microsecond=0)
        assert [f.purchases for f in profile.favourites] == [1, 1]
        assert sum(profile.hours) == sum(profile.weekdays) == 1
