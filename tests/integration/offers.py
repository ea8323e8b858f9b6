"""Offers for tests: a shop whose campaign takes personal codes, policies, and what the CRM is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from deploy.local.stack import Stack
from shared import clock
from shared.codec import decode
from shared.events.customers import Offer
from shared.topics import OFFERS
from tests.integration import shop
from tests.integration.customers import database, new_customer, profile_with
from tests.integration.emission import new_id, ok
from tests.integration.requests import on_request, records_of
from tests.integration.shop import Tills, a_cart
from tests.waiting import until

STEPS = (1_000, 1_500)
"""10%, then 15%."""
CAP = {"offers": 2, "days": 7}
"""Of all policies: what a new service has."""


@dataclass(frozen=True)
class Place:
    """A store in which codes of two emissions give 10% and 15%; offers reach nobody who buys elsewhere, or nothing."""

    stack: Stack
    client: httpx.AsyncClient
    store_id: str
    emissions: tuple[str, ...]

    def policy(self, **fields: Any) -> dict[str, Any]:
        """A policy for whoever buys here: at once, by day or night, to everybody."""
        steps = [
            {"emission_id": emission_id, "discount": discount, "valid_days": 7}
            for emission_id, discount in zip(self.emissions, STEPS, strict=True)
        ]
        return {
            "policy_id": new_id("p"),
            "name": "Win back",
            "reason": new_id("reason"),
            "currency": shop.CURRENCY,
            "steps": steps,
            "when": {"purchases": {"at_least": 1}},
            "max_discount": STEPS[-1],
            "sending": {"at": "at_once"},
            "quiet_hours": None,
            "control_share": 0,
        } | fields

    @asynccontextmanager
    async def running(self, **fields: Any) -> AsyncIterator[str]:
        """Such a policy, written and started, once the service knows what its codes give; paused afterwards. Its id."""
        policy = self.policy(**fields)
        path = f"/v1/policies/{policy['policy_id']}"
        ok(await self.client.post("/v1/policies", json=policy), 201)

        async def promised() -> bool:
            notes = ok(await self.client.get(path))["notes"]
            return not any(note["stops"] for note in notes)

        await until(promised, what="the service knows the campaign")
        ok(await self.client.post(f"{path}/start"))
        try:
            yield str(policy["policy_id"])
        finally:
            ok(await self.client.post(f"{path}/pause"))

    async def customer(self, tills: Tills, customer_id: str = "", amount: int = 40_000) -> str:
        """Somebody who bought here once, for 400.00, three days ago."""
        customer_id = customer_id or new_customer()
        at = clock.now() - timedelta(days=3)
        cart = a_cart(self.store_id, amount, customer_id=customer_id, occurred_at=at)
        await tills.buy(cart)
        await profile_with(self.stack, customer_id, purchases=1)
        return customer_id

    async def told(self, customer_id: str) -> list[Offer]:
        """What the CRM was told of a customer's offers, in order."""
        found = await records_of(self.stack, OFFERS.name, customer_id)
        return [decode(Offer, record.value) for record in found]

    async def offer(self, customer_id: str, status: str, step: int = 1) -> Offer:
        """The customer's offer of a step, once the CRM is told that it stands so."""

        async def said() -> Offer | None:
            told = [one for one in await self.told(customer_id) if one.step == step]
            return told[-1] if told and told[-1].status == status else None

        try:
            found = await until(said, within_s=60, what=f"{status} (step {step})")
        except AssertionError as error:
            known = ok(await self.client.get(f"/v1/customers/{customer_id}/offers"))["items"]
            error.add_note(f"the service has {known}")
            raise
        assert found is not None
        return found

    async def end(self, customer_id: str) -> None:
        """Let the customer's offers have been sent a while ago, and end now."""
        async with database(self.stack) as connection:
            await connection.execute(
                "update offers set valid_until = now(), due_at = now(), send_at = now() - interval '2 days'"
                " where customer_id = $1 and open",
                customer_id,
            )


@asynccontextmanager
async def opened(stack: Stack) -> AsyncIterator[Place]:
    """Such a place, with its campaign running."""
    [store_id] = await shop.open_store(stack)
    async with shop.client(stack, "emission") as author:
        emissions = tuple([await on_request(author) for _ in STEPS])
    instruments = [
        {
            "instrument_id": new_id("i"),
            "name": "Code of one's own",
            "conditions": [{"kind": "promo_code", "emission_id": emission_id, "own": True}],
            "benefit": {"kind": "percent_off", "percent": percent},
        }
        for emission_id, percent in zip(emissions, STEPS, strict=True)
    ]
    await shop.run_campaign(stack, instruments, stores=[store_id])
    async with shop.client(stack, "customers") as client:
        # Requests that were generated for its API may have left any other one.
        ok(await client.put("/v1/offer-cap", json=CAP))
        yield Place(stack, client, store_id, emissions)
