"""The messages of a till: a basket as a cart, and as the sale that follows the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import orjson

from deploy.demo.campaigns import WELCOME, WELCOME_FROM_TOTAL, Plan, customer, store_id
from deploy.demo.dataset import Basket, Year
from deploy.demo.mapping import CURRENCY, TIME_ZONE, comes_back, lines_of, terminal, total, visit
from shared.topics import terminal_key

_PAID_AFTER = timedelta(seconds=30)
_RETURNED_AFTER = timedelta(minutes=20)
_ZONE = ZoneInfo(TIME_ZONE)


class DecidedLine(msgspec.Struct):
    """What a till reads of a decided line."""

    line: int
    discount: int


class Gift(msgspec.Struct):
    """Goods to hand over."""

    sku: str
    quantity: int = 1000


class Applied(msgspec.Struct):
    """What a till reads of a benefit."""

    campaign_id: str
    instrument_id: str
    discount: int = 0
    bonuses: int = 0
    gifts: tuple[Gift, ...] = ()


class Decision(msgspec.Struct):
    """What a till reads of a decision; the rest is skipped undecoded."""

    decision_id: str
    receipt_id: str
    outcome: str
    discount: int
    bonuses: int
    lines: tuple[DecidedLine, ...]
    applied: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A basket at its terminal: the cart as sent, kept for the sale.

    ``qualifies``: the till itself finds WELCOME's conditions met, the cap aside. ``comes_back``: how much
    of it is returned after the day's last receipt; of one line no part is.
    """

    receipt_id: str
    key: bytes
    occurred_at: datetime
    cart: dict[str, Any]
    qualifies: bool
    comes_back: Literal["whole", "part"] | None

    def body(self) -> bytes:
        """The cart as JSON."""
        return orjson.dumps(self.cart)


@dataclass(frozen=True)
class Opening:
    """Opens the baskets of a replay."""

    year: Year
    plan: Plan
    shift: timedelta

    def terminal_of(self, basket: Basket) -> tuple[int, str]:
        """The store and terminal that a basket belongs to."""
        channel = visit(basket.household, basket.store).channel
        return basket.store, terminal(basket.store, basket.basket_id, channel)

    def open(self, basket: Basket) -> Opened:
        """The cart of a basket, with the codes that it presents."""
        kind = visit(basket.household, basket.store)
        presented = self.year.presented.get(basket.basket_id, [])
        rows = self.year.rows_of(basket)
        lines = lines_of(rows, self.year.products_of(rows), self._replayed(presented))
        at = (basket.at + self.shift).astimezone(_ZONE)
        campaign = self.plan.campaign("welcome")
        welcome = (
            campaign.starts_at <= at < campaign.ends_at
            and sum(line["amount"] for line in lines) >= WELCOME_FROM_TOTAL
        )
        words = [self.plan.words.get((one.campaign_id, one.coupon)) for one in presented]
        codes = [word for word in words if word is not None]
        till = terminal(basket.store, basket.basket_id, kind.channel)
        cart: dict[str, Any] = {
            "receipt_id": f"r-{basket.basket_id}",
            "store_id": store_id(basket.store),
            "terminal_id": till,
            "occurred_at": at.isoformat(),
            "currency": CURRENCY,
            "customer_id": customer(basket.household),
            "channel": kind.channel,
            "codes": [WELCOME, *codes] if welcome else codes,
            "intent": "checkout",
            "lines": lines,
        }
        if kind.user_agent is not None:
            cart["user_agent"] = kind.user_agent
        return Opened(
            receipt_id=cart["receipt_id"],
            key=terminal_key(cart["store_id"], till),
            occurred_at=at,
            cart=cart,
            qualifies=welcome and total(lines) >= WELCOME_FROM_TOTAL,
            comes_back=comes_back(basket.basket_id),
        )

    def _replayed(self, presented: Sequence[Any]) -> frozenset[int]:
        """The products of the coupons that a basket presents."""
        if not presented:
            return frozenset()
        goods = {one.campaign_id: one.coupons for one in self.year.campaigns}
        return frozenset(
            item for one in presented for item in goods.get(one.campaign_id, {}).get(one.coupon, ())
        )


def sale_of(opened: Opened, decision: Decision) -> dict[str, Any]:
    """The paid receipt: the cart with every discount that the decision states, paid by card."""
    discounts = {line.line: line.discount for line in decision.lines}
    lines = [{**line, "discount": discounts.get(line["line"], 0)} for line in opened.cart["lines"]]
    paid = sum(line["amount"] - line["discount"] for line in lines)
    return {
        **opened.cart,
        "intent": "sale",
        "occurred_at": (opened.occurred_at + _PAID_AFTER).isoformat(),
        "decision_id": decision.decision_id,
        "lines": lines,
        "given": [_given(applied) for applied in decision.applied],
        "payments": [{"method": "card", "amount": paid}],
    }


@dataclass(frozen=True, slots=True)
class Returned:
    """A return as sent, and what the till expects of it: refund and discount taken back in cents.

    ``applied`` are the benefits that are lost.
    """

    key: bytes
    occurred_at: datetime
    body: dict[str, Any]
    refund: int
    discount: int
    applied: tuple[Applied, ...]


def return_of(opened: Opened, decision: Decision, sale: dict[str, Any]) -> Returned | None:
    """What comes back of a sale: all of it with its gifts, or its first line; None if nothing does."""
    lines = sale["lines"]
    whole = opened.comes_back == "whole"
    if opened.comes_back is None or (not whole and len(lines) < 2):  # noqa: PLR2004 - one stays
        return None
    back = lines if whole else lines[:1]
    at = opened.occurred_at + _RETURNED_AFTER
    body = {
        "intent": "return",
        "receipt_id": opened.receipt_id,
        "store_id": sale["store_id"],
        "terminal_id": sale["terminal_id"],
        "occurred_at": at.isoformat(),
    }
    if whole:
        body["gifts"] = [gift for given in sale["given"] for gift in given.get("gifts", ())]
    else:
        body["lines"] = [{"line": line["line"], "quantity": line["quantity"]} for line in back]
    return Returned(
        key=opened.key,
        occurred_at=at,
        body=body,
        refund=sum(line["amount"] - line["discount"] for line in back),
        discount=sum(line["discount"] for line in back),
        applied=decision.applied if whole else (),
    )


def _given(applied: Applied) -> dict[str, Any]:
    given: dict[str, Any] = {
        "campaign_id": applied.campaign_id,
        "instrument_id": applied.instrument_id,
        "discount": applied.discount,
    }
    if applied.gifts:
        given["gifts"] = [{"sku": gift.sku, "quantity": gift.quantity} for gift in applied.gifts]
    return given
