"""Quotes over HTTP."""

from http import HTTPStatus

from services.evaluator import answer
from services.evaluator.cart import decode_cart
from services.evaluator.quoting import Quotes, UnknownError
from services.evaluator.receipt import ConflictError
from shared.events import outcome
from shared.events.checkout import Cart
from shared.web.plain import Asked, PlainRoute
from shared.web.problems import Problem


def route(quotes: Quotes) -> PlainRoute:
    """``POST /v1/quotes``."""

    async def quote(asked: Asked) -> bytes:
        cart = decode_cart(asked.body)
        try:
            return answer.encode(await quotes.quote(cart))
        except ConflictError as error:
            field, _, message = str(error).partition(": ")
            raise Problem.of_field(
                HTTPStatus.UNPROCESSABLE_ENTITY, "The cart cannot be used", field, message
            ) from error
        except UnknownError as error:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The ledger is away",
                "This store has not been met before. Ask again in a moment.",
                headers={"Retry-After": "1"},
            ) from error

    return PlainRoute(
        "/v1/quotes",
        "quotes:write",
        quote,
        takes=Cart,
        gives=outcome.Decision,
        summary="What a cart would get now; holds nothing",
    )
