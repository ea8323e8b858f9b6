"""Quotes: what a cart would get now."""

from dataclasses import dataclass

import asyncpg
import msgspec

from services.evaluator import purchases, receipt
from services.evaluator.answer import Decision
from services.evaluator.facts import Gatherer, demand, incoming
from services.evaluator.purchases import Histories
from services.evaluator.store import ledger
from services.evaluator.store import limits as limit_store
from services.evaluator.store import purchases as purchase_store
from shared.database import Connection
from shared.events.checkout import Cart


@dataclass(frozen=True, slots=True)
class Quotes:
    """Answers carts with advice: what they would get now. Holds nothing, writes nothing."""

    pool: asyncpg.Pool
    gatherer: Gatherer

    async def quote(self, cart: Cart) -> Decision:
        """The decision on the cart, whatever its intent. Raises ``ConflictError``."""
        async with self.pool.acquire() as connection, connection.transaction(readonly=True):
            return await self._quote(connection, _as_quote(cart))

    async def _quote(self, connection: Connection, cart: Cart) -> Decision:
        facts = await self.gatherer.gather(connection, [cart], lock=False)
        objection = facts.objection(cart)
        if objection is not None:
            raise objection
        known = await ledger.receipt(connection, cart.receipt_id)
        known = known or receipt.open_receipt(cart)
        considered = facts.consider(cart)
        wanted = purchases.wanted([considered], returns=0)
        if wanted:
            found = await purchase_store.histories(connection, wanted)
            Histories(found).remind(considered)
        limits = demand([known], [considered])
        counters = await limit_store.read_limits(connection, limits.caps, limits.windows)
        # The same cart asked for again at another time is another quote.
        came = incoming(cart, f"{cart.receipt_id}/{cart.revision}/{facts.now.isoformat()}", b"")
        given = facts.circumstances(cart, came, considered)
        return receipt.quote(cart, known, given, counters)


def _as_quote(cart: Cart) -> Cart:
    """The cart as a quote, be it the contract's model or what ``decode_cart`` makes of a plain one."""
    if cart.intent == "quote":
        return cart
    if isinstance(cart, msgspec.Struct):
        return msgspec.structs.replace(cart, intent="quote")
    return cart.model_copy(update={"intent": "quote"})
