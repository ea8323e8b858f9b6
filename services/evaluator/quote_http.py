"""Quotes over HTTP."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

from services.evaluator import answer, discretion
from services.evaluator.cart import decode_cart
from services.evaluator.metrics import STALE_QUOTES
from services.evaluator.quoting import Quotes, UnknownError
from services.evaluator.receipt import ConflictError
from services.evaluator.regions import Regions
from services.evaluator.requests import CUSTOMER_ADDRESS, seen_in
from shared import clock
from shared.events import outcome
from shared.events.checkout import Cart
from shared.web.plain import Asked, PlainRoute
from shared.web.problems import Problem


def problem(error: ConflictError | UnknownError, within: str = "") -> Problem:
    """Why there is no quote; ``within`` is where the cart is in what was sent."""
    if isinstance(error, ConflictError):
        field, _, message = str(error).partition(": ")
        title = "The cart cannot be used"
        return Problem.of_field(HTTPStatus.UNPROCESSABLE_ENTITY, title, f"{within}{field}", message)
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The ledger is away",
        "This store has not been met before. Ask again in a moment.",
        headers={"Retry-After": "1"},
    )


def route(quotes: Quotes, regions: Regions) -> PlainRoute:
    """``POST /v1/quotes``."""

    async def quote(asked: Asked) -> bytes:
        came = clock.monotonic()
        cart = decode_cart(asked.body)
        anonymous = "quotes:write" not in asked.caller.scopes
        try:
            decision = await (
                quotes.quote_discreetly(cart, asked.address)
                if anonymous
                else quotes.quote(cart, seen_in(regions, cart, asked))
            )
        except (ConflictError, UnknownError) as error:
            raise problem(error) from error
        if decision.stale:
            STALE_QUOTES.inc()
        if anonymous and cart.codes:
            took = timedelta(seconds=clock.monotonic() - came)
            await asyncio.sleep(discretion.release(took).total_seconds())
        return answer.encode(decision)

    return PlainRoute(
        "/v1/quotes",
        ("quotes:write", "quotes:public"),
        quote,
        takes=Cart,
        gives=outcome.Decision,
        summary="What a cart would get now; holds nothing",
        header=CUSTOMER_ADDRESS,
    )
