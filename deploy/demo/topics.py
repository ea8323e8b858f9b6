"""What is on the topics, read from the beginning after the replay: Kafka's side of the table.

A relay may send a message twice: everything is counted by its id.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec

from deploy import log
from deploy.demo.receipts import Decision
from shared.topics import (
    BONUSES,
    CAMPAIGNS,
    CARTS,
    DECISIONS,
    RECEIPTS,
    REDEMPTIONS,
    RETURNS,
    SALES,
)

Key = tuple[str, str]
"""Campaign id, instrument id."""


class _Receipt(msgspec.Struct):
    receipt_id: str
    discount: int
    paid: int


class _Redemption(msgspec.Struct):
    redemption_id: str
    status: str
    campaign_id: str
    instrument_id: str
    discount: int


class _TakenBack(msgspec.Struct):
    campaign_id: str
    instrument_id: str
    released: bool
    discount: int


class _Return(msgspec.Struct):
    return_id: str
    refund: int
    redemptions: tuple[_TakenBack, ...]


class _Bonus(msgspec.Struct):
    entry_id: str
    kind: str
    points: int


class _Campaign(msgspec.Struct):
    campaign_id: str
    status: str


@dataclass
class Logged:
    """Sums of what was logged; money in cents. ``sales`` are all messages of the tills' topic of sales.

    Instruments count redemptions that were committed, ``standing`` those that still are.
    """

    campaigns: int = 0
    carts: int = 0
    sales: int = 0
    decisions: int = 0
    decided_discount: int = 0
    receipts: int = 0
    paid: int = 0
    discount: int = 0
    bonuses: int = 0
    unauthorised: int = 0
    dead_letters: int = 0
    returns: int = 0
    refunded: int = 0
    discount_back: int = 0
    bonuses_back: int = 0
    activations: Counter[Key] = field(default_factory=Counter)
    discounts: Counter[Key] = field(default_factory=Counter)
    standing: Counter[Key] = field(default_factory=Counter)
    returned: Counter[Key] = field(default_factory=Counter)


async def read(kafka: str) -> Logged:
    """Everything on the topics, from their beginning to their end as of now."""
    logged = Logged()
    discounts = await decided(_values(kafka, DECISIONS.name))
    logged.decisions, logged.decided_discount = len(discounts), sum(discounts.values())
    await _read_receipts(kafka, logged)
    await _read_redemptions(kafka, logged)
    await _read_returns(kafka, logged)
    decoder = msgspec.json.Decoder(_Bonus)
    entries = [decoder.decode(value) async for value in _values(kafka, BONUSES.name)]
    points = {(entry.kind, entry.entry_id): entry.points for entry in entries}
    logged.bonuses = sum(each for (kind, _), each in points.items() if kind == "accrual")
    logged.bonuses_back = -sum(each for (kind, _), each in points.items() if kind == "take_back")
    campaigns = msgspec.json.Decoder(_Campaign)
    states = [campaigns.decode(value) async for value in _values(kafka, CAMPAIGNS.name)]
    latest = {state.campaign_id: state.status for state in states}
    logged.campaigns = sum(status == "running" for status in latest.values())
    logged.carts = sum((await log.ends_of(kafka, [CARTS.name])).values())
    logged.sales = sum((await log.ends_of(kafka, [SALES.name])).values())
    for topic in (CARTS, SALES):
        logged.dead_letters += sum((await log.ends_of(kafka, [topic.dead_letter_name])).values())
    return logged


async def _values(kafka: str, topic: str) -> AsyncIterator[bytes]:
    async for batch in log.read(kafka, {}, await log.ends_of(kafka, [topic])):
        for record in batch:
            if record.value is not None:
                yield record.value


async def decided(values: AsyncIterator[bytes]) -> dict[str, int]:
    """The discount in cents of each decision, by its id: a cart that is decided twice has two."""
    decoder = msgspec.json.Decoder(Decision)
    discounts: dict[str, int] = {}
    async for value in values:
        decision = decoder.decode(value)
        if decision.outcome == "decided":
            discounts[decision.decision_id] = sum(line.discount for line in decision.lines)
    return discounts


async def _read_receipts(kafka: str, logged: Logged) -> None:
    decoder = msgspec.json.Decoder(_Receipt)
    receipts: dict[str, _Receipt] = {}
    async for value in _values(kafka, RECEIPTS.name):
        receipt = decoder.decode(value)
        receipts[receipt.receipt_id] = receipt
    logged.receipts = len(receipts)
    logged.paid = sum(receipt.paid for receipt in receipts.values())
    logged.discount = sum(receipt.discount for receipt in receipts.values())


async def _read_redemptions(kafka: str, logged: Logged) -> None:
    """A redemption's events are on one partition, in order: the last is its state."""
    decoder = msgspec.json.Decoder(_Redemption)
    states: dict[str, _Redemption] = {}
    async for value in _values(kafka, REDEMPTIONS.name):
        redemption = decoder.decode(value)
        states[redemption.redemption_id] = redemption
    for one in states.values():
        key = one.campaign_id, one.instrument_id
        if one.status in ("committed", "returned"):
            logged.activations[key] += 1
            logged.discounts[key] += one.discount
            logged.standing[key] += one.status == "committed"
        elif one.status == "unauthorised":
            logged.unauthorised += 1


async def _read_returns(kafka: str, logged: Logged) -> None:
    decoder = msgspec.json.Decoder(_Return)
    returns: dict[str, _Return] = {}
    async for value in _values(kafka, RETURNS.name):
        one = decoder.decode(value)
        returns[one.return_id] = one
    logged.returns = len(returns)
    logged.refunded = sum(one.refund for one in returns.values())
    for taken in (taken for one in returns.values() for taken in one.redemptions):
        if taken.released:
            logged.returned[taken.campaign_id, taken.instrument_id] += 1
        logged.discount_back += taken.discount
