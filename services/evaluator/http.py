"""The evaluator over HTTP: quotes."""

from dataclasses import dataclass
from http import HTTPStatus

import asyncpg
from fastapi import APIRouter, Depends, Request, Response

from services.evaluator import answer, purchases, receipt
from services.evaluator.answer import Decision
from services.evaluator.facts import Gatherer, demand, incoming
from services.evaluator.purchases import Histories
from services.evaluator.receipt import ConflictError
from services.evaluator.store import ledger
from services.evaluator.store import limits as limit_store
from services.evaluator.store import purchases as purchase_store
from shared.database import Connection
from shared.events import outcome
from shared.events.checkout import Cart
from shared.supervision import TRANSIENT
from shared.web.auth import require
from shared.web.body import json_body
from shared.web.problems import Problem

_AGAIN_SECONDS = "1"


@dataclass(frozen=True, slots=True)
class Quotes:
    """Answers carts with advice: what they would get now. Holds nothing, writes nothing."""

    pool: asyncpg.Pool
    gatherer: Gatherer

    async def quote(self, cart: Cart, body: bytes) -> Decision:
        """The decision on the cart, whatever its intent. Raises ``ConflictError``."""
        async with self.pool.acquire() as connection, connection.transaction(readonly=True):
            return await self._quote(connection, cart, body)

    async def _quote(self, connection: Connection, cart: Cart, body: bytes) -> Decision:
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
        came = incoming(cart, f"{cart.receipt_id}/{cart.revision}/{facts.now.isoformat()}", body)
        given = facts.circumstances(cart, came, considered)
        return receipt.quote(cart, known, given, counters)


def routes(quotes: Quotes) -> APIRouter:
    """The evaluator's routes."""
    router = APIRouter(prefix="/v1")

    @router.post(
        "/quotes",
        dependencies=[Depends(require("quotes:write"))],
        response_model=outcome.Decision,
        summary="What a cart would get now; holds nothing",
    )
    async def quote(request: Request, cart: Cart = Depends(json_body(Cart))) -> Response:  # noqa: B008, FAST002
        try:
            decision = await quotes.quote(_as_quote(cart), await request.body())
        except ConflictError as error:
            field, _, message = str(error).partition(": ")
            raise Problem.of_field(
                HTTPStatus.UNPROCESSABLE_ENTITY, "The cart cannot be used", field, message
            ) from error
        except TRANSIENT as error:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The ledger is away",
                "Ask again in a moment.",
                headers={"Retry-After": _AGAIN_SECONDS},
            ) from error
        return Response(answer.encode(decision), media_type="application/json")

    return router


def _as_quote(cart: Cart) -> Cart:
    return cart if cart.intent == "quote" else cart.model_copy(update={"intent": "quote"})
