"""The life of a receipt over HTTP: checkouts, confirmed or cancelled, sales, returns.

Every answer is the one that would come over Kafka: the decision on a cart or on its cancelling, the receipt of a
sale, what is refunded for a return. A group commits at once (``group_commit``).
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from services.evaluator.cart import decode_cart
from services.evaluator.desk import Brought, Ordered
from services.evaluator.facts import incoming
from services.evaluator.group_commit import GroupCommit
from services.evaluator.orders import Cancel, Confirm
from services.evaluator.regions import Regions
from services.evaluator.requests import (
    CUSTOMER_ADDRESS,
    Reply,
    Request,
    digest_of,
    key_of,
    seen_in,
    submit,
)
from services.evaluator.sale import decode_sale
from shared.codec import decode
from shared.events import outcome
from shared.events.checkout import Cart, Confirmation, Return, Sale
from shared.web.plain import Answered, Asked, PlainRoute
from shared.web.problems import Problem

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Routes, whose requests are applied by ``group``; ``regions`` tell where customers are."""

    group: GroupCommit[Request[Brought], Reply]
    regions: Regions

    def routes(self) -> Iterable[PlainRoute]:
        """All of them."""
        return (
            _route(
                "/v1/checkouts",
                self.check_out,
                Cart,
                outcome.Decision,
                "Decide a cart and hold",
                header=CUSTOMER_ADDRESS,
            ),
            _route(
                "/v1/checkouts/{receipt_id}/confirm",
                self.confirm,
                Confirmation,
                outcome.Receipt,
                "The receipt is paid, as it was decided",
                needs_body=False,
            ),
            _route(
                "/v1/checkouts/{receipt_id}/cancel",
                self.cancel,
                None,
                outcome.Decision,
                "The receipt will not be paid: free what it holds",
            ),
            _route(
                "/v1/sales",
                self.sell,
                Sale,
                outcome.Receipt,
                "Record a sale as it was paid",
                header=CUSTOMER_ADDRESS,
            ),
            _route("/v1/returns", self.take_back, Return, outcome.Returned, "Take goods back"),
        )

    async def check_out(self, asked: Asked) -> Answered:
        """Decide a cart; hold what it is granted."""
        cart = decode_cart(asked.body)
        if cart.intent != "checkout":
            message = "is for POST /v1/quotes, or …/cancel; a checkout says checkout, or nothing"
            raise Problem.of_field(
                HTTPStatus.UNPROCESSABLE_ENTITY, "The body has invalid fields", "intent", message
            )
        where = seen_in(self.regions, cart, asked)
        came = incoming(cart, _event_id(asked), asked.body, waiting=True, seen_in=where)
        return await self._apply(asked, "checkouts", came)

    async def sell(self, asked: Asked) -> Answered:
        """Record a sale."""
        sale = decode_sale(asked.body)
        where = seen_in(self.regions, sale, asked)
        came = incoming(sale, _event_id(asked), asked.body, waiting=True, seen_in=where)
        return await self._apply(asked, "sales", came)

    async def take_back(self, asked: Asked) -> Answered:
        """Take goods back."""
        event = decode(Return, asked.body)
        came = incoming(event, _event_id(asked), asked.body, waiting=True)
        return await self._apply(asked, "returns", came)

    async def confirm(self, asked: Asked) -> Answered:
        """Commit what was decided."""
        receipt_id = _receipt_id(asked)
        confirmation = decode(Confirmation, asked.body or b"{}")
        order = Ordered(Confirm(receipt_id, confirmation), _event_id(asked), asked.body)
        return await self._apply(asked, f"confirm/{receipt_id}", order)

    async def cancel(self, asked: Asked) -> Answered:
        """Free what is held."""
        receipt_id = _receipt_id(asked)
        order = Ordered(Cancel(receipt_id), _event_id(asked), asked.body)
        return await self._apply(asked, f"cancel/{receipt_id}", order)

    async def _apply(self, asked: Asked, what: str, brought: Brought) -> Answered:
        key = key_of(asked.caller.subject, asked.headers.get("idempotency-key"))
        digest = digest_of(what.encode(), b"/", asked.body)
        reply = await submit(self.group, Request(brought, key, digest))
        return Answered(reply.body, reply.status, reply.headers)


def _route(
    path: str,
    answer: Callable[[Asked], Awaitable[Answered]],
    takes: type[Cart | Confirmation | Sale | Return] | None,
    gives: type[outcome.Decision | outcome.Receipt | outcome.Returned],
    summary: str,
    *,
    needs_body: bool = True,
    header: Mapping[str, Any] | None = None,
) -> PlainRoute:
    return PlainRoute(
        path,
        ("checkouts:write",),
        answer,
        takes,
        gives,
        summary,
        needs_body=needs_body,
        idempotent=True,
        header=header,
        refuses=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )


def _event_id(asked: Asked) -> str:
    """Names the event: by the caller's key, or else by what it says. Not what events of Kafka are called."""
    stated = asked.headers.get("idempotency-key")
    if stated is not None:
        return f"key/{asked.caller.subject}/{stated}"
    return f"body/{digest_of(asked.body).hex()}"


def _receipt_id(asked: Asked) -> str:
    receipt_id = asked.parameters["receipt_id"]
    if not _ID.fullmatch(receipt_id):
        raise Problem.of_field(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "The request has invalid parameters",
            "receipt_id",
            "1 to 64 characters of A–Z a–z 0–9 . _ : -",
        )
    return receipt_id
