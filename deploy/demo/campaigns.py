"""What the demo's marketer authors: WELCOME, three everyday offers, the data set's own coupons.

Mapping of the data set: campaign → campaign ``cj-18`` for the customer group of its targeted
households; coupon_upc → an emission with a mass word and an instrument whose percentage is off that
coupon's products. The data does not say what a coupon gave: 20% for campaigns of type A, 15% for B,
10% for C. At most 5,000 products (the model's bound), those sold most often first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.dataset import CouponCampaign, Year
from deploy.demo.mapping import CURRENCY, TIME_ZONE, region
from shared.events.benefits import Bonuses, GiftGoods, PercentOff
from shared.events.conditions import ProductQuantity, ProductSum, PromoCode, ReceiptTotal
from shared.events.promotion import Instrument
from shared.events.reference import Store
from shared.events.selection import Comparison, Products
from shared.events.values import Gift

WELCOME = "WELCOME"
WELCOME_CAP = 1000
WELCOME_FROM_TOTAL = 3000
WELCOME_DAYS = (date(2017, 10, 23), date(2017, 12, 31))
WELCOME_ID = "welcome-10"
EVERYDAY = "everyday"
_FULL_SIZE = 30_000
_PERCENT = {"Type A": 2000, "Type B": 1500, "Type C": 1000}
_MOST_PRODUCTS = 5_000
GIFT_SKU = "demo-tote-bag"


@dataclass(frozen=True)
class Emission:
    """A mass emission: one word for everybody."""

    emission_id: str
    name: str
    word: str


@dataclass(frozen=True)
class Group:
    """A customer group and its members."""

    group_id: str
    name: str
    customers: tuple[str, ...]


@dataclass(frozen=True)
class Authored:
    """A campaign with its instruments; days are inclusive, in ``TIME_ZONE``."""

    campaign_id: str
    name: str
    comment: str
    priority: int
    first_day: date
    last_day: date
    instruments: tuple[Instrument, ...]
    groups: tuple[str, ...] = ()

    @property
    def starts_at(self) -> datetime:
        """The first instant of the half-open period."""
        return _midnight(self.first_day)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the period."""
        return _midnight(self.last_day + timedelta(days=1))


@dataclass(frozen=True)
class Plan:
    """Everything that is authored before the first basket."""

    stores: tuple[Store, ...]
    groups: tuple[Group, ...]
    emissions: tuple[Emission, ...]
    campaigns: tuple[Authored, ...]
    cap: int
    words: dict[tuple[int, int], str] = field(default_factory=dict)

    def campaign(self, campaign_id: str) -> Authored:
        """The campaign of that id."""
        return next(one for one in self.campaigns if one.campaign_id == campaign_id)


def customer(household: int) -> str:
    """The opaque customer id of a household."""
    return f"hh-{household}"


def store_id(store: int) -> str:
    """The id of a store of the data set."""
    return f"store-{store}"


def cap_for(baskets: int) -> int:
    """WELCOME's cap: 1000, and in a smaller demo as much less as keeps it biting."""
    return WELCOME_CAP if baskets >= _FULL_SIZE else max(1, baskets * WELCOME_CAP // _FULL_SIZE)


def plan(year: Year, shift: timedelta) -> Plan:
    """What to author for a replay of ``year`` whose dates are moved by ``shift`` (whole weeks)."""
    cap = cap_for(len(year.baskets))
    zone = ZoneInfo(TIME_ZONE)
    first = (year.baskets[0].at + shift).astimezone(zone).date()
    last = (year.baskets[-1].at + shift).astimezone(zone).date()
    own = [_welcome(cap, shift), _everyday(first, last)]
    return Plan(
        stores=tuple(_store(number) for number in sorted({one.store for one in year.baskets})),
        groups=tuple(_group(one) for one in year.campaigns),
        emissions=(
            Emission(WELCOME.lower(), "Welcome: one word for everybody", WELCOME),
            *(_emission(one, coupon) for one, coupon in _coupons(year.campaigns)),
        ),
        campaigns=(*own, *(_coupon_campaign(one, shift) for one in year.campaigns)),
        cap=cap,
        words={
            (one.campaign_id, coupon): _word(one, coupon)
            for one, coupon in _coupons(year.campaigns)
        },
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(TIME_ZONE))


def _coupons(campaigns: Sequence[CouponCampaign]) -> Iterable[tuple[CouponCampaign, int]]:
    return [(one, coupon) for one in campaigns for coupon in one.coupons]


def _store(number: int) -> Store:
    fields: dict[str, Any] = {
        "store_id": store_id(number),
        "name": f"Store {number}",
        "region": region(number),
        "time_zone": TIME_ZONE,
        "currency": CURRENCY,
    }
    return Store(**fields)


def _welcome(cap: int, shift: timedelta) -> Authored:
    first, last = WELCOME_DAYS
    instrument = Instrument(
        instrument_id=WELCOME_ID,
        name=f"10% off receipts from 30.00 with {WELCOME}, first {cap}",
        conditions=(
            ReceiptTotal(compare=Comparison(op=">=", value=WELCOME_FROM_TOTAL)),
            PromoCode(emission_id=WELCOME.lower(), cap=cap),
        ),
        benefit=PercentOff(percent=1000, of="original"),
    )
    return Authored(
        campaign_id="welcome",
        name="Welcome",
        comment=f"The first {cap} receipts of 30.00 or more, in all stores",
        priority=10,
        first_day=first + shift,
        last_day=last + shift,
        instruments=(instrument,),
    )


def _everyday(first: date, last: date) -> Authored:
    """A quantity condition, a bonus and a gift, without codes, for everybody."""
    soft_drinks = Products(groups=("SOFT DRINKS",))
    pizza = Products(groups=("FROZEN PIZZA",))
    instruments = (
        Instrument(
            instrument_id="soft-drinks-3",
            name="3 soft drinks or more: 5% off them",
            conditions=(
                ProductQuantity(products=soft_drinks, compare=Comparison(op=">=", value=3000)),
            ),
            benefit=PercentOff(percent=500, products=soft_drinks),
        ),
        Instrument(
            instrument_id="bonus-50",
            name="Receipts from 50.00: 2% of the receipt in bonuses",
            conditions=(ReceiptTotal(compare=Comparison(op=">=", value=5000)),),
            benefit=Bonuses(percent=200),
        ),
        Instrument(
            instrument_id="pizza-gift",
            name="Frozen pizza for 10.00 or more: a tote bag",
            conditions=(ProductSum(products=pizza, compare=Comparison(op=">=", value=1000)),),
            benefit=GiftGoods(gifts=(Gift(sku=GIFT_SKU),)),
        ),
    )
    return Authored(EVERYDAY, "Every day", "Without codes", 0, first, last, instruments)


def _group_id(campaign: CouponCampaign) -> str:
    return f"cj-{campaign.campaign_id}-targeted"


def _group(campaign: CouponCampaign) -> Group:
    return Group(
        group_id=_group_id(campaign),
        name=f"Households targeted by campaign {campaign.campaign_id}",
        customers=tuple(customer(one) for one in campaign.households),
    )


def _coupon_id(campaign: CouponCampaign, coupon: int) -> str:
    return f"cj-{campaign.campaign_id}-{coupon}"


def _word(campaign: CouponCampaign, coupon: int) -> str:
    return f"C{campaign.campaign_id}U{coupon}"


def _emission(campaign: CouponCampaign, coupon: int) -> Emission:
    return Emission(
        emission_id=_coupon_id(campaign, coupon),
        name=f"Coupon {coupon} of campaign {campaign.campaign_id}",
        word=_word(campaign, coupon),
    )


def _coupon_instrument(campaign: CouponCampaign, coupon: int) -> Instrument:
    percent = _PERCENT[campaign.kind]
    goods = tuple(str(one) for one in campaign.coupons[coupon][:_MOST_PRODUCTS])
    return Instrument(
        instrument_id=_coupon_id(campaign, coupon),
        name=f"Coupon {coupon}: {percent // 100}% off its products",
        conditions=(PromoCode(emission_id=_coupon_id(campaign, coupon)),),
        benefit=PercentOff(percent=percent, products=Products(skus=goods)),
    )


def _coupon_campaign(campaign: CouponCampaign, shift: timedelta) -> Authored:
    return Authored(
        campaign_id=f"cj-{campaign.campaign_id}",
        name=f"Complete Journey campaign {campaign.campaign_id} ({campaign.kind})",
        comment=f"{len(campaign.coupons)} coupons for {len(campaign.households)} households",
        priority=20,
        first_day=campaign.first_day + shift,
        last_day=campaign.last_day + shift,
        instruments=tuple(_coupon_instrument(campaign, coupon) for coupon in campaign.coupons),
        groups=(_group_id(campaign),),
    )
