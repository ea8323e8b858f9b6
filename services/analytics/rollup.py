"""Folding events to sums per minute, whatever their order.

The minute is that of ``occurred_at``, in whole minutes since 1970 (UTC). Adding the cells of two
folds gives those of the fold of both, which is what the store does.

A return counts in the minute that the goods came back in, at the place where they were sold. So what
was sold in a minute never changes afterwards; today's returns are today's, whenever the sale was; a
place's activations are less what was taken back of them; and over all time what is left is what
the ledger has left. Over a short time it may be negative: more came back than was sold.
"""

from dataclasses import dataclass, field
from datetime import datetime

from services.analytics.cells import Offer, Place, RefusalKind
from services.analytics.insight.folding import Insight
from services.analytics.messages import (
    Campaign,
    Decision,
    Receipt,
    Returned,
    ReturnedRedemption,
    Store,
    minute_of,
)

# What tells when a till's clock is broken, and what PostgreSQL and Python can hold: to the year 3000.
_LAST_MINUTE = 541_728_000


@dataclass(slots=True)
class ReceiptSums:
    """All receipts of a cell: how many, and money (minor units) and bonuses (points).

    ``promo_receipts`` and ``promo_paid`` are of those with at least one committed redemption.
    """

    receipts: int = 0
    total: int = 0
    discount: int = 0
    paid: int = 0
    bonuses: int = 0
    promo_receipts: int = 0
    promo_paid: int = 0


@dataclass(slots=True)
class InstrumentSums:
    """What one instrument did in a cell.

    ``carts`` are the cart revisions that considered it (a cart that changes is decided again),
    ``decided`` those it gave a benefit, both of the code that was used, if there was one; ``activations``, ``discount`` and ``bonuses`` are its
    committed redemptions', ``revenue`` the paid amount of their receipts, all as they were sold.
    """

    carts: int = 0
    decided: int = 0
    activations: int = 0
    discount: int = 0
    revenue: int = 0
    bonuses: int = 0
    unauthorised: int = 0
    unauthorised_discount: int = 0


@dataclass(slots=True)
class ReturnSums:
    """All returns of a cell: how many, and what customers got for them (minor units)."""

    returns: int = 0
    refunded: int = 0


@dataclass(slots=True)
class TakeBackSums:
    """What returns took back of one instrument in a cell.

    ``returned`` are the activations whose slots they released: others stand, though parts of their
    receipts may have come back. ``returned_discount`` and ``returned_bonuses`` are of activations, whole
    or in part; ``returned_unauthorised_discount`` is of what was given without right.
    """

    returned: int = 0
    returned_discount: int = 0
    returned_bonuses: int = 0
    returned_unauthorised_discount: int = 0


@dataclass(frozen=True, slots=True)
class Activation:
    """One committed redemption; ``paid`` is the amount of its receipt."""

    at: datetime
    place: Place
    offer: Offer
    discount: int
    bonuses: int
    paid: int


@dataclass(slots=True)
class Rollup:
    """Cells by (minute, place), (minute, place, offer) and (minute, place, refusal kind).

    Returns have cells of their own, since there is hardly ever a sale of the same minute and place.
    ``campaigns`` and ``stores`` are the latest states, ``activations`` are in the order of the records.
    """

    receipts: dict[tuple[int, Place], ReceiptSums] = field(default_factory=dict)
    instruments: dict[tuple[int, Place, Offer], InstrumentSums] = field(default_factory=dict)
    refusals: dict[tuple[int, Place, RefusalKind], int] = field(default_factory=dict)
    returns: dict[tuple[int, Place], ReturnSums] = field(default_factory=dict)
    take_backs: dict[tuple[int, Place, Offer], TakeBackSums] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    activations: list[Activation] = field(default_factory=list, compare=False)
    insight: Insight = field(default_factory=Insight)

    def instrument(self, minute: int, place: Place, offer: Offer) -> InstrumentSums:
        """The sums of that cell, to add to."""
        sums = self.instruments.get((minute, place, offer))
        if sums is None:
            sums = self.instruments[minute, place, offer] = InstrumentSums()
        return sums


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message was not counted: a word for counting, and what to look at."""

    reason: str
    detail: str


_IMPLAUSIBLE = Refused("implausible_time", "occurred_at: not between the years 1970 and 2999")


def add_receipt(rollup: Rollup, receipt: Receipt) -> Refused | None:
    """Count a paid receipt and its redemptions; nothing of it if it is refused."""
    minute = minute_of(receipt.occurred_at)
    if not 0 <= minute < _LAST_MINUTE:
        return _IMPLAUSIBLE
    place = (receipt.store_id, receipt.device, receipt.region, receipt.currency)
    sums = rollup.receipts.get((minute, place))
    if sums is None:
        sums = rollup.receipts[minute, place] = ReceiptSums()
    sums.receipts += 1
    sums.total += receipt.total
    sums.discount += receipt.discount
    sums.paid += receipt.paid
    sums.bonuses += receipt.bonuses
    if receipt.redemptions and _add_redemptions(rollup, minute, place, receipt):
        sums.promo_receipts += 1
        sums.promo_paid += receipt.paid
    return None


def _add_redemptions(rollup: Rollup, minute: int, place: Place, receipt: Receipt) -> bool:
    """Count what a receipt was given; whether anything of it was an activation."""
    activated = False
    for item in receipt.redemptions:
        offer = (item.campaign_id, item.instrument_id, item.emission_id or "")
        sums = rollup.instrument(minute, place, offer)
        if item.status == "unauthorised":
            sums.unauthorised += 1
            sums.unauthorised_discount += item.discount
            continue
        activated = True
        sums.activations += 1
        sums.discount += item.discount
        sums.revenue += receipt.paid
        sums.bonuses += item.bonuses
        rollup.activations.append(
            Activation(receipt.occurred_at, place, offer, item.discount, item.bonuses, receipt.paid)
        )
    return activated


def add_return(rollup: Rollup, returned: Returned) -> Refused | None:
    """Count a return and what it took back; its sale may not have been counted yet."""
    minute = minute_of(returned.occurred_at)
    if not 0 <= minute < _LAST_MINUTE:
        return _IMPLAUSIBLE
    place = (returned.sold_in, returned.device, returned.region, returned.currency)
    sums = rollup.returns.setdefault((minute, place), ReturnSums())
    sums.returns += 1
    sums.refunded += returned.refund
    for redemption in returned.redemptions:
        offer = (redemption.campaign_id, redemption.instrument_id, redemption.emission_id or "")
        cell = (minute, place, offer)
        _take_back(rollup.take_backs.setdefault(cell, TakeBackSums()), redemption)
    return None


def _take_back(sums: TakeBackSums, redemption: ReturnedRedemption) -> None:
    if redemption.status == "unauthorised":
        # It was no activation: there is none to take back.
        sums.returned_unauthorised_discount += redemption.discount
        return
    sums.returned += redemption.released
    sums.returned_discount += redemption.discount
    sums.returned_bonuses += redemption.bonuses


def add_decision(rollup: Rollup, decision: Decision) -> Refused | None:
    """Count a decided checkout, every revision of it; quotes, cancels and late revisions count for nothing."""
    if decision.intent != "checkout" or decision.outcome != "decided":
        return None
    minute = minute_of(decision.occurred_at)
    if not 0 <= minute < _LAST_MINUTE:
        return _IMPLAUSIBLE
    place = (decision.store_id, decision.device, decision.region, decision.currency)
    decided = {
        (item.campaign_id, item.instrument_id): item.emission_id or "" for item in decision.applied
    }
    kinds = {(item.campaign_id, item.instrument_id, item.reason) for item in decision.not_applied}
    for instrument, emission_id in decided.items():
        rollup.instrument(minute, place, (*instrument, emission_id)).decided += 1
    considered = decided.keys() | {(campaign, instrument) for campaign, instrument, _ in kinds}
    for instrument in considered:
        offer = (*instrument, decided.get(instrument, ""))
        rollup.instrument(minute, place, offer).carts += 1
    for kind in kinds:
        cell = (minute, place, kind)
        rollup.refusals[cell] = rollup.refusals.get(cell, 0) + 1
    return None


def add_campaign(rollup: Rollup, campaign: Campaign) -> None:
    """Keep the campaign's latest version."""
    known = rollup.campaigns.get(campaign.campaign_id)
    if known is None or known.version <= campaign.version:
        rollup.campaigns[campaign.campaign_id] = campaign


def add_store(rollup: Rollup, store: Store) -> None:
    """Keep the store's last state."""
    rollup.stores[store.store_id] = store
