"""Tills that carry out the commands of ``counter_model`` on the real counter, and read its answers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from shared.events.benefits import Bonuses
from shared.events.checkout import Cart, GivenBenefit, Payment, Return, ReturnedLine, Sale
from shared.events.promotion import Campaign, LimitRule
from tests import counter_commands as commands
from tests.builders import campaign, cart, code, given, instrument, line, sale, sold_line
from tests.counter_commands import (
    BOUGHT,
    POINTS,
    REWARD,
    TEN,
    Answer,
    Ask,
    Back,
    Decided,
    Plan,
    Sold,
)
from tests.counter_model import CounterModel
from tests.counter_receipt import Receipt

Intent = Literal["checkout", "quote", "cancel"]
IN_FORCE = ("committed", "returned")


def campaign_of(plan: Plan, version: int, at: datetime, *, running: bool = True) -> Campaign:
    """The plan as a campaign around an instant."""
    limits = [LimitRule(money=plan.budget)]
    if plan.each is not None:
        limits.append(LimitRule(per=("customer",), redemptions=plan.each))
    ten = instrument(
        TEN,
        conditions=[code("WELCOME", cap=plan.code)],
        max_redemptions=plan.in_all,
        limits=tuple(limits),
        on_return="keep" if plan.keeps else "release",
    )
    points = instrument(POINTS, benefit=Bonuses(fixed=REWARD), max_redemptions=plan.rewards)
    return campaign(
        instruments=[ten, points],
        limits=(LimitRule(redemptions=plan.altogether),),
        status="running" if running else "paused",
        version=version,
        starts_at=at - timedelta(days=9),
        ends_at=at + timedelta(days=9),
        time_zone="UTC",
    )


def event_of(
    command: commands.Checkout | commands.Sale | commands.Return, at: datetime
) -> Cart | Sale | Return:
    """What a till sends; of an order, see ``order_of``."""
    if isinstance(command, commands.Return):
        return Return(
            intent="return",
            receipt_id=command.receipt,
            store_id="store-1",
            terminal_id="till-1",
            occurred_at=at,
            lines=tuple(ReturnedLine(line=n, quantity=q) for n, q in command.lines),
        )
    ask = command.ask
    values: dict[str, Any] = {
        "receipt_id": command.receipt,
        "customer_id": ask.customer,
        "codes": ["WELCOME"] if ask.code else [],
        "occurred_at": at,
    }
    if isinstance(command, commands.Checkout):
        lines = [line(n, amount=a, quantity=BOUGHT) for n, a in enumerate(ask.lines, start=1)]
        more = {"intent": command.intent, "revision": command.revision, "pay_bonuses": ask.pay}
        return cart(lines, **values, **more)
    gave = commands.spread(command.gave or 0, ask)
    sold = [
        sold_line(n, amount=a, quantity=BOUGHT, discount=d)
        for n, (a, d) in enumerate(zip(ask.lines, gave, strict=True), start=1)
    ]
    named: list[GivenBenefit] = []
    if command.gave is not None:
        named = [given("campaign-1", TEN, command.gave)]
    return sale(sold, named, **values, payments=payments(ask.pay))


def payments(points: int) -> tuple[Payment, ...]:
    """Points as a means of payment."""
    return (Payment(method="bonuses", amount=points),) if points else ()


def read(told: bytes) -> dict[str, Any]:
    """A JSON document."""
    body: dict[str, Any] = orjson.loads(told)
    return body


def answer_of(told: bytes) -> Answer:
    """An answer of the counter, in the model's terms."""
    body = read(told)
    if "refund" in body:
        return _back(body)
    if "outcome" in body:
        return _decided(body)
    uses = frozenset(
        (r["instrument_id"], r["status"], r["discount"], r["bonuses"], r.get("mismatch", 0))
        for r in body["redemptions"]
    )
    return Sold(uses, body.get("bonuses_paid", 0), body.get("bonuses_unauthorised", 0))


def _decided(body: Mapping[str, Any]) -> Decided:
    refused = {
        r["instrument_id"]: frozenset([(r["reason"], *_limit(r))]) for r in body["not_applied"]
    }
    return Decided(
        body["outcome"],
        body["discount"],
        body["bonuses"],
        body.get("bonuses_held", 0),
        body.get("bonuses_payable", 0),
        refused if body["outcome"] == "decided" else {},
    )


def _limit(refused: Mapping[str, Any]) -> tuple[str | None, int | None]:
    if refused["reason"] != "limit_reached":
        return None, None
    return refused.get("condition"), refused["left"]


def _back(body: Mapping[str, Any]) -> Back:
    assert body["money"] + body["bonuses"] == body["refund"]
    uses = [
        (r["instrument_id"], r["status"], r["released"], r["discount"], r["bonuses"])
        for r in body["redemptions"]
        if r["status"] in IN_FORCE
    ]
    assert body["bonuses_taken_back"] == sum(use[4] for use in uses)
    return Back(body["refund"], body["bonuses"], body["complete"], frozenset(uses))


def agree(expected: Answer, found: Answer) -> bool:
    """Whether the counter answers what the model does; of several full limits it may name any."""
    if isinstance(expected, Decided) and isinstance(found, Decided):
        same = (expected.outcome, expected.discount, expected.points, expected.held)
        return (
            same == (found.outcome, found.discount, found.points, found.held)
            and expected.payable == found.payable
            and expected.refused.keys() == found.refused.keys()
            and all(found.refused[name] <= expected.refused[name] for name in found.refused)
        )
    return expected == found


Gave = Literal["decided", "less", "more", "nothing", "zero", "something"]


def checkout_of(
    counter: CounterModel, receipt: str, ask: Ask, step: int, intent: Intent = "checkout"
) -> commands.Checkout:
    """The next revision (``step`` 1), one that was sent before (0, −1), or a later one."""
    known = counter.receipts.get(receipt, Receipt())
    return commands.Checkout(receipt, max(0, known.revision + step), ask, intent)


def sale_of(
    counter: CounterModel, receipt: str, ask: Ask, gave: Gave, *, same_card: bool
) -> commands.Sale:
    """A sale of what was decided, if it was, with what the till ``gave``; ``ask`` says the rest.

    A card that is shown only now comes with what was decided, to the letter.
    """
    known = counter.receipts.get(receipt, Receipt())
    customer, pay = ask.customer, ask.pay
    decided = sum(known.shares)
    if known.ask is not None:
        late = known.ask.customer is None and customer is not None and not same_card
        customer = known.ask.customer if same_card else customer
        ask, gave, pay = known.ask, "decided" if late else gave, 0 if late else pay
    else:
        decided = sum(amount // 10 for amount in ask.lines) if ask.code else 0
    given = {
        "decided": decided or None,
        "less": decided // 2 or None,
        "more": decided + 100,
        "nothing": None,
        "zero": 0,
        "something": decided or 300,
    }[gave]
    return commands.Sale(receipt, replace(ask, customer=customer, pay=pay), given)


def return_of(counter: CounterModel, receipt: str, line: int, quantity: int) -> commands.Return:
    """So much of a line, as far as there is any left; all that is left of the sale if 0."""
    known = counter.receipts.get(receipt, Receipt())
    if not quantity or not known.paid:
        return commands.Return(receipt)
    line = min(line, len(known.paid))
    left = BOUGHT - known.returned.get(line, 0)
    return commands.Return(receipt, ((line, min(quantity, left) or quantity),))
