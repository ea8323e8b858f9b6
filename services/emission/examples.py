"""One worked example of every condition and benefit of the promotion language, with what it says.

They are part of the JSON Schema that emission publishes and of ``docs/language.md``; tests run each.
"""

from dataclasses import dataclass

from shared.events.benefits import (
    AmountOff,
    Benefit,
    Bonuses,
    BuyGet,
    CheapestFree,
    FixedPrice,
    GiftGoods,
    PercentOff,
    Tier,
    Tiers,
)
from shared.events.conditions import (
    All,
    AnyOf,
    Birthday,
    Condition,
    CustomerGroup,
    CustomerKnown,
    CustomerSegment,
    DaysSincePurchase,
    FirstPurchase,
    InCurrency,
    InRegion,
    InStore,
    LineCount,
    MixPart,
    Near,
    Not,
    OnDevice,
    PaidBy,
    ProductMix,
    ProductPresence,
    ProductPurchases,
    ProductQuantity,
    ProductSum,
    PromoCode,
    PurchaseCount,
    PurchaseSum,
    ReceiptQuantity,
    ReceiptTotal,
    TimeOfDay,
    ViaChannel,
    Weekday,
)
from shared.events.promotion import Consecutive, Instrument, LimitRule, Repeat
from shared.events.selection import Attribute, Comparison, Products, Selectors
from shared.events.values import Gift


@dataclass(frozen=True)
class Example:
    """A condition or benefit, its title, and the sentence that a marketer would say."""

    title: str
    part: Condition | Benefit
    says: str


_BOUNTY = Products(brands=("Bounty",))
_CHIPS = Products(groups=("chips",))
_SWEETS = Products(
    groups=("sweets",),
    attributes=(Attribute(name="season", values=("winter",)),),
    exclude=Selectors(skus=("gift-box",)),
)


def _at_least(value: int) -> Comparison:
    return Comparison(value=value)


CONDITIONS: tuple[Example, ...] = (
    Example(
        "Receipt total",
        ReceiptTotal(compare=_at_least(30_000)),
        "The receipt comes to 300.00 or more.",
    ),
    Example(
        "Receipt quantity",
        ReceiptQuantity(compare=_at_least(10_000)),
        "There are ten pieces or kilograms of goods, or more, on the receipt.",
    ),
    Example(
        "Number of lines",
        LineCount(compare=Comparison(op="between", value=3, upper=5)),
        "The receipt has three, four or five lines.",
    ),
    Example(
        "Payment method",
        PaidBy(methods=("card", "account")),
        "All of it is paid by card or from the account, none in cash.",
    ),
    Example(
        "Channel",
        ViaChannel(channels=("web", "app")),
        "It is bought in the web shop or in the app.",
    ),
    Example(
        "Device", OnDevice(devices=("mobile", "tablet")), "It is bought on a phone or a tablet."
    ),
    Example(
        "Time of day",
        TimeOfDay(starts="22:00", ends="06:00"),
        "It is night in the store: from 22:00 on, before 06:00.",
    ),
    Example("Weekday", Weekday(days=("sat", "sun")), "It is Saturday or Sunday."),
    Example(
        "Currency", InCurrency.model_validate({"currencies": ("UAH",)}), "It is paid in hryvnias."
    ),
    Example(
        "Quantity of products",
        ProductQuantity(products=_BOUNTY, compare=_at_least(1_000)),
        "A kilogram of Bounty sweets, or more, is on the receipt.",
    ),
    Example(
        "Sum of products",
        ProductSum(products=_SWEETS, compare=Comparison(op=">", value=10_000)),
        "Sweets, or goods of the winter season, for more than 100.00; gift boxes do not count.",
    ),
    Example(
        "Presence of products",
        ProductPresence(products=_CHIPS),
        "Some chips are on the receipt, however few.",
    ),
    Example(
        "Mix of products",
        ProductMix(
            parts=(
                MixPart(products=Products(groups=("pasta",)), quantity=2_000),
                MixPart(products=Products(groups=("sauce",)), quantity=1_000),
            )
        ),
        "Two packets of pasta and one sauce.",
    ),
    Example(
        "Promo code",
        PromoCode(condition_id="welcome", emission_id="WELCOME", cap=1_000),
        "The code WELCOME is shown; the first 1000 receipts with it count.",
    ),
    Example(
        "Customer group",
        CustomerGroup(groups=("regulars", "staff")),
        "The customer is one of the regulars, or works here.",
    ),
    Example(
        "Customer segment",
        CustomerSegment(segments=("rare-buyers",)),
        "The customer comes rarely, says the statistics.",
    ),
    Example(
        "Known or unknown customer",
        CustomerKnown(known=True),
        "The customer shows a card, or has signed in.",
    ),
    Example("First purchase", FirstPurchase(), "The customer has never bought here."),
    Example(
        "Birthday",
        Birthday(days_before=3, days_after=7),
        "The customer's birthday is at most three days ahead, or was at most a week ago.",
    ),
    Example(
        "Number of purchases",
        PurchaseCount(compare=_at_least(4)),
        "The customer has been here four times or more in the processing period.",
    ),
    Example(
        "Sum of purchases",
        PurchaseSum(compare=_at_least(100_000)),
        "The customer has bought for 1000.00 or more in the processing period.",
    ),
    Example(
        "Purchases of products",
        ProductPurchases(
            products=Products(groups=("coffee",)), measure="receipts", compare=_at_least(5)
        ),
        "The customer has bought coffee five times or more in the processing period.",
    ),
    Example(
        "Days since the last purchase",
        DaysSincePurchase(compare=_at_least(30)),
        "The customer was here in the processing period, but not in the last thirty days.",
    ),
    Example("Store", InStore(stores=("store-1", "web-shop")), "In this store, or in the web shop."),
    Example("Region", InRegion(regions=("North",)), "In a store of the North."),
    Example(
        "Near a place",
        Near(latitude_e6=50_450_000, longitude_e6=30_523_000, radius_m=2_000),
        "Within two kilometres of the middle of Kyiv.",
    ),
    Example(
        "All of several",
        All(conditions=(ProductPresence(products=_CHIPS), ReceiptTotal(compare=_at_least(5_000)))),
        "There are chips, and the receipt comes to 50.00 or more.",
    ),
    Example(
        "Any of several",
        AnyOf(
            conditions=(
                CustomerGroup(groups=("regulars",)),
                ReceiptTotal(compare=_at_least(50_000)),
            )
        ),
        "The customer is one of the regulars, or the receipt comes to 500.00 or more.",
    ),
    Example(
        "Not",
        Not(condition=ProductPresence(products=Products(groups=("alcohol",)))),
        "There is no alcohol on the receipt.",
    ),
)
"""Every kind of condition, in the order of the language."""

BENEFITS: tuple[Example, ...] = (
    Example(
        "Percentage off",
        PercentOff(percent=1_000, products=_BOUNTY, max_discount=5_000),
        "10% off Bounty sweets, at most 50.00.",
    ),
    Example(
        "Amount off",
        AmountOff(amount=500, per_unit=True, products=_CHIPS, max_units=3_000),
        "5.00 off each packet of chips, for the three cheapest.",
    ),
    Example(
        "Fixed price",
        FixedPrice(price=9_900, units=3_000, products=_CHIPS),
        "Three packets of chips for 99.00.",
    ),
    Example(
        "Buy X, get Y",
        BuyGet(buy=2_000, get=1_000, products=Products(groups=("pasta",)), max_times=2),
        "Buy two packets of pasta, get the third free; twice on a receipt.",
    ),
    Example(
        "Cheapest of N",
        CheapestFree(of=3_000, products=_SWEETS, percent=5_000),
        "Of every three sweets the cheapest is half the price.",
    ),
    Example(
        "Tiers",
        Tiers(
            tiers=(
                Tier(at_least=30_000, benefit=PercentOff(percent=500)),
                Tier(at_least=50_000, benefit=PercentOff(percent=1_000)),
            )
        ),
        "5% off from 300.00, 10% off from 500.00.",
    ),
    Example(
        "Bonuses",
        Bonuses(fixed=50, percent=100, max_points=500),
        "50 bonuses and 1% of what is paid, at most 500.",
    ),
    Example(
        "Gift goods",
        GiftGoods(gifts=(Gift(sku="mug"), Gift(sku="towel"), Gift(sku="candle")), choose=1),
        "A mug, a towel or a candle, as the customer chooses.",
    ),
)
"""Every kind of benefit, in the order of the language."""

INSTRUMENTS: tuple[tuple[str, Instrument], ...] = (
    (
        "WELCOME: 10% off from 300.00, for the first 1000 receipts.",
        Instrument(
            instrument_id="welcome",
            name="WELCOME: 10% off from 300.00",
            conditions=(
                ReceiptTotal(compare=_at_least(30_000)),
                PromoCode(emission_id="WELCOME", cap=1_000),
            ),
            benefit=PercentOff(percent=1_000),
        ),
    ),
    (
        "A kilogram of Bounty sweets with BOUNTY10: 10% off these sweets.",
        Instrument(
            instrument_id="bounty",
            name="BOUNTY10: 10% off Bounty sweets",
            conditions=(
                PromoCode(emission_id="BOUNTY10"),
                ProductQuantity(products=_BOUNTY, compare=_at_least(1_000)),
            ),
            benefit=PercentOff(percent=1_000, products=_BOUNTY),
        ),
    ),
    (
        "Chips with CHIPS10: 10% off them.",
        Instrument(
            instrument_id="chips",
            name="CHIPS10: 10% off chips",
            conditions=(PromoCode(emission_id="CHIPS10"), ProductPresence(products=_CHIPS)),
            benefit=PercentOff(percent=1_000, products=_CHIPS),
        ),
    ),
    (
        "Opening day: the first 1000 buyers get 12% off everything in this store.",
        Instrument(
            instrument_id="opening-day",
            name="Opening day: 12% off",
            conditions=(InStore(stores=("store-1",)),),
            benefit=PercentOff(percent=1_200),
            limits=(LimitRule(redemptions=1_000),),
        ),
    ),
    (
        "Four purchases within two weeks: when the two weeks end, 50 bonuses.",
        Instrument(
            instrument_id="four-visits",
            name="Four purchases within two weeks",
            conditions=(PurchaseCount(compare=_at_least(4)),),
            benefit=Bonuses(fixed=50),
            processing_period=Consecutive(days=14),
            trigger="on_period_end",
        ),
    ),
    (
        "5.00 off for each kilogram of sweets, at most 25.00.",
        Instrument(
            instrument_id="each-kilo",
            name="5.00 off each kilogram of sweets",
            conditions=(ProductQuantity(products=_SWEETS, compare=_at_least(1_000)),),
            benefit=AmountOff(amount=500, products=_SWEETS),
            repeat=Repeat(max_times=5),
        ),
    ),
)
"""Whole instruments, after what a marketer would say of them."""
