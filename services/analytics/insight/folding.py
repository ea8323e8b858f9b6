"""Folding events to what marketers learn: who buys, what is bought with which code, what campaigns bring.

Days are UTC's, counted since 1970. Sums of two folds add up to those of the fold of both, as in
``rollup``. Customers are hashes of their ids.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from services.analytics.cells import Place
from services.analytics.messages import Campaign, Line, Product, Receipt, Returned, minute_of

Coded = tuple[str, str, str, str]
"""Campaign, instrument, emission of the code used ("": none), currency."""
Goods = tuple[str, str]
"""Product group as the receipt has it ("": none), sku."""
ALL_RECEIPTS = ""
"""Stands for a campaign where all receipts are meant."""
_MINUTES_A_DAY = 24 * 60
_SECONDS_A_DAY = 60 * _MINUTES_A_DAY


@dataclass(slots=True)
class CampaignSums:
    """Receipts with a benefit of a campaign, each once; ``units`` are thousandths of all their goods.

    ``returned_discount`` and ``refunded`` are of returns that took back of it.
    """

    receipts: int = 0
    units: int = 0
    discount: int = 0
    revenue: int = 0
    returned_discount: int = 0
    refunded: int = 0


@dataclass(slots=True)
class LineSums:
    """Lines of receipts: thousandths, and minor units before and of our discounts."""

    lines: int = 0
    quantity: int = 0
    amount: int = 0
    discount: int = 0


@dataclass(slots=True)
class Paid:
    """What a customer has paid (minor units), in so many receipts."""

    receipts: int = 0
    revenue: int = 0


@dataclass(slots=True)
class Marks:
    """On which day who bought where, with which campaign (``ALL_RECEIPTS``: at all); in columns, some twice."""

    days: list[int] = field(default_factory=list)
    campaigns: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    customers: list[int] = field(default_factory=list)

    def add(self, day: int, place: Place, campaign_id: str, customer: int) -> None:
        """Add one."""
        self.days.append(day)
        self.campaigns.append(campaign_id)
        self.places.append(place)
        self.customers.append(customer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marks) and self._rows() == other._rows()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _rows(self) -> set[tuple[int, str, Place, int]]:
        return set(zip(self.days, self.campaigns, self.places, self.customers, strict=True))


@dataclass(slots=True)
class Insight:
    """Sums by (day, place, campaign), and by (campaign, currency, held back, customer).

    ``refunds`` are by (customer, currency, minute of the sale), ``baskets`` by (day, what was used, goods).
    ``products`` are the latest states.
    """

    campaign_days: dict[tuple[int, Place, str], CampaignSums] = field(default_factory=dict)
    participants: dict[tuple[str, str, bool, int], Paid] = field(default_factory=dict)
    refunds: dict[tuple[int, str, int], int] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    baskets: dict[tuple[int, Coded, Goods], LineSums] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)


@lru_cache(maxsize=20_000)  # regulars
def customer_of(customer_id: str) -> int:
    """What stands for a customer: 64 bits (signed) of a hash."""
    return int.from_bytes(blake2b(customer_id.encode(), digest_size=8).digest(), signed=True)


def add_receipt(insight: Insight, receipt: Receipt, lines: Sequence[Line]) -> None:
    """Count a paid receipt; ``lines`` are its own, if it has redemptions."""
    day = int(receipt.occurred_at.timestamp()) // _SECONDS_A_DAY
    place = (receipt.store_id, receipt.device, receipt.region, receipt.currency)
    # Most receipts have no promotion: they take what is before and after this.
    given = _add_given(insight, day, place, receipt, lines) if receipt.redemptions else ()
    if receipt.customer_id is not None:
        customer = customer_of(receipt.customer_id)
        insight.marks.add(day, place, ALL_RECEIPTS, customer)
        for campaign_id in given:
            insight.marks.add(day, place, campaign_id, customer)
        if receipt.exposed:
            _add_participant(insight, receipt, customer)


def _add_given(
    insight: Insight, day: int, place: Place, receipt: Receipt, lines: Sequence[Line]
) -> Iterable[str]:
    """Count what a receipt was given; the campaigns of it."""
    given: dict[str, int] = {}
    for one in receipt.redemptions:
        if one.status == "committed":
            given[one.campaign_id] = given.get(one.campaign_id, 0) + one.discount
            used = (one.campaign_id, one.instrument_id, one.emission_id or "", receipt.currency)
            _add_basket(insight, day, used, lines)
    for campaign_id, discount in given.items():
        sums = insight.campaign_days.setdefault((day, place, campaign_id), CampaignSums())
        sums.receipts += 1
        sums.units += sum([line.quantity for line in lines])
        sums.discount += discount
        sums.revenue += receipt.paid
    return given


def _add_basket(insight: Insight, day: int, used: Coded, lines: Sequence[Line]) -> None:
    for line in lines:
        key = (day, used, (line.group or "", line.sku))
        sums = insight.baskets.setdefault(key, LineSums())
        sums.lines += 1
        sums.quantity += line.quantity
        sums.amount += line.amount
        sums.discount += line.discount


def _add_participant(insight: Insight, receipt: Receipt, customer: int) -> None:
    for campaign_id in receipt.exposed:
        held_back = campaign_id in receipt.held_back
        key = (campaign_id, receipt.currency, held_back, customer)
        paid = insight.participants.setdefault(key, Paid())
        paid.receipts += 1
        paid.revenue += receipt.paid


def add_return(insight: Insight, returned: Returned) -> None:
    """Count what a return took back; its sale may not have been counted yet."""
    day = minute_of(returned.occurred_at) // _MINUTES_A_DAY
    place = (returned.sold_in, returned.device, returned.region, returned.currency)
    taken: dict[str, int] = {}
    for one in returned.redemptions:
        if one.status != "unauthorised":
            taken[one.campaign_id] = taken.get(one.campaign_id, 0) + one.discount
    for campaign_id, discount in taken.items():
        sums = insight.campaign_days.setdefault((day, place, campaign_id), CampaignSums())
        sums.returned_discount += discount
        sums.refunded += returned.refund
    if returned.customer_id is not None and returned.refund:
        customer = customer_of(returned.customer_id)
        key = (customer, returned.currency, minute_of(returned.sold_at))
        insight.refunds[key] = insight.refunds.get(key, 0) + returned.refund


def add_campaign(insight: Insight, campaign: Campaign) -> None:
    """Keep the campaign's latest version."""
    known = insight.campaigns.get(campaign.campaign_id)
    if known is None or known.version <= campaign.version:
        insight.campaigns[campaign.campaign_id] = campaign


def add_product(insight: Insight, product: Product) -> None:
    """Keep the product's last state."""
    insight.products[product.sku] = product
