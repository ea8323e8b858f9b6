"""Every example of the published language, run: what it says is what the engine does."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.emission.examples import BENEFITS, CONDITIONS, INSTRUMENTS
from services.evaluator.promotion import Granted, Verdict, decide
from services.evaluator.promotion.basket import Basket
from services.evaluator.promotion.history import Purchase, PurchasedLine
from shared.events.benefits import Benefit, GiftGoods
from shared.events.checkout import CartLine
from shared.events.conditions import Condition
from shared.events.promotion import Instrument, Rolling
from shared.events.values import Gift, Location
from tests.builders import (
    NOON,
    ZONE,
    all_free,
    basket,
    campaign,
    instrument,
    line,
    ruleset,
)

MUG = GiftGoods(gifts=(Gift(sku="mug"),))
SUNDAY = datetime(2026, 12, 13, 12, tzinfo=ZONE)


def verdict(one: Instrument, cart: Basket) -> Verdict:
    """The decision on the cart in a campaign of the instrument alone, that runs all year."""
    year = campaign(instruments=[one], starts_at=datetime(2026, 1, 1, tzinfo=ZONE))
    return decide(cart, ruleset(year), all_free)


def granted(one: Instrument, cart: Basket) -> Granted | None:
    """What the instrument gives on the cart."""
    return next(iter(verdict(one, cart).granted), None)


def is_met(condition: Condition, cart: Basket) -> bool:
    """Whether the cart meets the condition, over the last ninety days where history counts."""
    one = instrument(conditions=[condition], benefit=MUG, processing_period=Rolling(days=90))
    return granted(one, cart) is not None


def at(*clock: int) -> datetime:
    """That time on the store's clock, the day of ``NOON``."""
    return NOON.replace(hour=clock[0], minute=clock[1])


def receipt(lines: Sequence[CartLine] | None = None, **values: Any) -> Basket:
    """A cart in a store of Vienna."""
    return basket(lines, time_zone="Europe/Vienna", **values)


def of(amount: int) -> Basket:
    """A receipt of so much (minor units)."""
    return receipt([line(amount=amount)])


def pieces(*quantities: int) -> Basket:
    """Lines of so much (thousandths)."""
    return receipt([line(n, quantity=q, amount=q) for n, q in enumerate(quantities, start=1)])


def bought(brand: str, quantity: int) -> Basket:
    """So much (thousandths) of a brand."""
    return receipt([line(brand=brand, quantity=quantity)])


def grouped(*groups: str, amount: int = 1_000) -> Basket:
    """A piece of each group."""
    return receipt([line(n, group=g, amount=amount) for n, g in enumerate(groups, start=1)])


def customer(days_ago: Sequence[int] = (), group: str = "tea", amount: int = 1_000) -> Basket:
    """A customer who bought so many days ago."""
    purchases = tuple(
        Purchase(
            receipt_id=f"r-{days}",
            occurred_at=NOON - timedelta(days=days),
            lines=(PurchasedLine(sku="s", quantity=1_000, amount=amount, group=group),),
        )
        for days in sorted(days_ago, reverse=True)
    )
    return receipt(customer_id="a1", purchases=purchases)


def born(month_day: str) -> Basket:
    """A customer born that day."""
    return receipt(customer_id="a1", birthday=month_day)


def placed(latitude_e6: int) -> Basket:
    """A cart from so far north, on Kyiv's meridian."""
    return receipt(location=Location(latitude_e6=latitude_e6, longitude_e6=30_523_000))


def paid(*methods: str) -> Basket:
    """A cart paid by the methods."""
    return receipt(payment_methods=frozenset(methods))


def sweet(sku: str, amount: int, **values: Any) -> Basket:
    """One line of a good."""
    return receipt([line(sku=sku, amount=amount, **values)])


REGULAR = receipt(customer_id="a1", customer_groups=["regulars"])
# Carts that meet the example, and carts that do not: just below, just beside.
CARTS: dict[str, tuple[list[Basket], list[Basket]]] = {
    "receipt_total": ([of(30_000), of(30_001)], [of(29_999)]),
    "receipt_quantity": ([pieces(10_000), pieces(4_000, 6_000)], [pieces(9_999)]),
    "line_count": (
        [pieces(*[1_000] * 3), pieces(*[1_000] * 5)],
        [pieces(*[1_000] * 2), pieces(*[1_000] * 6)],
    ),
    "payment_method": ([paid("card"), paid("card", "account")], [paid("card", "cash"), paid()]),
    "channel": ([receipt(channel="web"), receipt(channel="app")], [receipt(channel="till")]),
    "device": ([receipt(device="mobile")], [receipt(device="desktop")]),
    "time_of_day": (
        [receipt(occurred_at=at(22, 0)), receipt(occurred_at=at(5, 59))],
        [receipt(occurred_at=at(6, 0)), receipt(occurred_at=at(21, 59))],
    ),
    "weekday": (
        [receipt(occurred_at=SUNDAY), receipt(occurred_at=SUNDAY - timedelta(days=1))],
        [receipt(), receipt(occurred_at=SUNDAY + timedelta(days=1))],
    ),
    "currency": ([receipt(currency="UAH")], [receipt(currency="EUR")]),
    "product_quantity": (
        [bought("Bounty", 1_000), bought("Bounty", 1_250)],
        [bought("Bounty", 999), bought("Mars", 5_000)],
    ),
    "product_sum": (
        [
            sweet("a", 10_001, group="sweets"),
            sweet("b", 10_001, attributes={"season": "winter"}),
        ],
        [
            sweet("a", 10_000, group="sweets"),
            sweet("gift-box", 10_001, group="sweets"),
            sweet("b", 10_001, attributes={"season": "summer"}),
        ],
    ),
    "product_presence": (
        [grouped("chips"), receipt([line(group="chips", quantity=1)])],
        [grouped("tea")],
    ),
    "product_mix": (
        [grouped("pasta", "sauce", "pasta")],
        [grouped("pasta", "sauce"), grouped("pasta", "pasta")],
    ),
    "promo_code": ([receipt(codes=["WELCOME"])], [receipt(codes=["FRIDAY"]), receipt()]),
    "customer_group": (
        [REGULAR, receipt(customer_id="a1", customer_groups=["staff", "others"])],
        [receipt(customer_id="a1", customer_groups=["others"]), receipt()],
    ),
    "customer_segment": (
        [receipt(customer_id="a1", segments=frozenset({"rare-buyers"}))],
        [receipt(customer_id="a1", segments=frozenset({"frequent"})), receipt()],
    ),
    "customer_known": ([receipt(customer_id="a1")], [receipt()]),
    "first_purchase": ([customer()], [customer([300]), receipt()]),
    "birthday": (
        [born("12-13"), born("12-10"), born("12-03")],
        [born("12-14"), born("12-02"), customer(), receipt()],
    ),
    "purchase_count": (
        [customer([1, 2, 3, 89])],
        [customer([1, 2, 3]), customer([1, 2, 3, 91]), receipt()],
    ),
    "purchase_sum": (
        [customer([1, 2], amount=50_000)],
        [customer([1, 2], amount=49_999), receipt()],
    ),
    "product_purchases": (
        [customer(range(1, 6), group="coffee")],
        [customer(range(1, 5), group="coffee"), customer(range(1, 6)), receipt()],
    ),
    "days_since_purchase": (
        [customer([30]), customer([40, 80])],
        [customer([29]), customer([80, 29]), customer(), receipt()],
    ),
    "store": ([receipt(), receipt(store_id="web-shop")], [receipt(store_id="store-2")]),
    "region": ([receipt(region="North")], [receipt(region="South"), receipt()]),
    # A degree of latitude is 111 km: 2 km are 0.018 of it.
    "near": ([placed(50_450_000), placed(50_467_900)], [placed(50_468_100), receipt()]),
    "all": (
        [grouped("chips", amount=5_000)],
        [grouped("chips", amount=4_999), grouped("tea", amount=5_000)],
    ),
    "any": ([REGULAR, of(50_000)], [of(49_999)]),
    "not": ([grouped("tea")], [grouped("tea", "alcohol")]),
}
CONDITION_OF: dict[str, Any] = {example.part.kind: example.part for example in CONDITIONS}


def test_every_condition_is_run() -> None:
    assert list(CARTS) == list(CONDITION_OF)


@pytest.mark.parametrize("kind", CARTS)
def test_a_condition_is_met_where_its_sentence_says(kind: str) -> None:
    meets, misses = CARTS[kind]
    assert [is_met(CONDITION_OF[kind], cart) for cart in meets] == [True] * len(meets)
    assert [is_met(CONDITION_OF[kind], cart) for cart in misses] == [False] * len(misses)


Given = tuple[dict[int, int], int, tuple[str, ...]]
NOTHING: Given = ({}, 0, ())


def off(**shares: int) -> Given:
    """Discounts by line: ``off(line_1=500)``."""
    return {int(name.removeprefix("line_")): share for name, share in shares.items()}, 0, ()


def given(one: Instrument, cart: Basket) -> Given:
    """Discounts by line, bonuses, gifts."""
    found = granted(one, cart)
    if found is None:
        return NOTHING
    return dict(found.lines), found.bonuses, tuple(gift.sku for gift in found.gifts)


def chips(*lines: tuple[int, int]) -> Basket:
    """Packets of chips: how many, at which price (minor units) each."""
    return receipt(
        [
            line(n, group="chips", quantity=count * 1_000, amount=count * price, price=price)
            for n, (count, price) in enumerate(lines, start=1)
        ]
    )


def pasta(count: int) -> Basket:
    """Packets of pasta at 30.00."""
    return receipt([line(group="pasta", quantity=count * 1_000, amount=count * 3_000, price=3_000)])


SWEETS = receipt(
    [
        line(1, sku="a", group="sweets", quantity=2_000, amount=2_000, price=1_000),
        line(2, sku="b", group="sweets", amount=600),
        line(3, sku="gift-box", group="sweets", amount=100),
    ]
)
GIFTS: Given = ({}, 0, ("mug", "towel", "candle"))
OUTCOMES: dict[str, list[tuple[Basket, Given]]] = {
    "percent_off": [
        (bought("Mars", 1_000), NOTHING),
        (sweet("a", 12_345, brand="Bounty"), off(line_1=1_235)),  # 1234.5, half up
        (sweet("a", 60_000, brand="Bounty"), off(line_1=5_000)),  # at most 50.00
    ],
    "amount_off": [
        (chips((2, 2_000)), off(line_1=1_000)),
        (chips((4, 2_000), (1, 1_000)), off(line_1=1_000, line_2=500)),  # the three cheapest
        (chips((1, 300)), off(line_1=300)),  # not below zero
    ],
    "fixed_price": [
        (chips((2, 4_000)), NOTHING),
        (chips((3, 4_000)), off(line_1=2_100)),
        (chips((4, 4_000)), off(line_1=2_100)),
        (chips((6, 4_000)), off(line_1=4_200)),
        (chips((3, 3_000)), NOTHING),  # nobody pays more than before
    ],
    "buy_get": [
        (pasta(2), NOTHING),
        (pasta(3), off(line_1=3_000)),
        (pasta(9), off(line_1=6_000)),  # twice
    ],
    "cheapest_free": [(SWEETS, off(line_2=300)), (sweet("a", 900, group="sweets"), NOTHING)],
    "tiers": [
        (of(29_999), NOTHING),
        (of(30_000), off(line_1=1_500)),
        (of(49_999), off(line_1=2_500)),
        (of(50_000), off(line_1=5_000)),
    ],
    "bonuses": [
        (receipt([line(amount=10_000)], customer_id="a1"), ({}, 150, ())),
        (receipt([line(amount=100_000)], customer_id="a1"), ({}, 500, ())),
        (of(10_000), NOTHING),  # of nobody
    ],
    "gift_goods": [(of(100), GIFTS)],
}
BENEFIT_OF: dict[str, Any] = {example.part.kind: example.part for example in BENEFITS}


def test_every_benefit_is_run() -> None:
    assert list(OUTCOMES) == list(BENEFIT_OF)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_benefit_gives_what_its_sentence_says(kind: str) -> None:
    benefit: Benefit = BENEFIT_OF[kind]
    found = [given(instrument(benefit=benefit), cart) for cart, _ in OUTCOMES[kind]]
    assert found == [expected for _, expected in OUTCOMES[kind]]


def test_of_the_gifts_one_may_be_chosen() -> None:
    found = granted(instrument(benefit=BENEFIT_OF["gift_goods"]), of(100))
    assert found is not None
    assert found.choose == 1


BOUNTY = [line(1, brand="Bounty", amount=20_000), line(2, amount=500)]
WORKED: dict[str, list[tuple[Basket, Given]]] = {
    "welcome": [
        (receipt([line(amount=30_000)], codes=["WELCOME"]), off(line_1=3_000)),
        (receipt([line(amount=29_999)], codes=["WELCOME"]), NOTHING),
        (of(30_000), NOTHING),
    ],
    "bounty": [
        (receipt(BOUNTY, codes=["BOUNTY10"]), off(line_1=2_000)),
        (receipt([line(brand="Bounty", quantity=900)], codes=["BOUNTY10"]), NOTHING),
    ],
    "chips": [
        (receipt([line(group="chips", amount=1_500)], codes=["CHIPS10"]), off(line_1=150)),
        (grouped("chips"), NOTHING),
    ],
    "opening-day": [(of(10_000), off(line_1=1_200)), (receipt(store_id="store-2"), NOTHING)],
    "each-kilo": [
        (receipt([line(group="sweets", quantity=2_900, amount=8_700)]), off(line_1=1_000)),
        (receipt([line(group="sweets", quantity=9_000, amount=9_000)]), off(line_1=2_500)),
        (receipt([line(group="sweets", quantity=900, amount=9_000)]), NOTHING),
    ],
}
ON_SALE = {one.instrument_id: one for _, one in INSTRUMENTS if one.trigger == "on_sale"}


def test_every_worked_instrument_of_sales_is_run() -> None:
    assert list(WORKED) == list(ON_SALE)


@pytest.mark.parametrize("instrument_id", WORKED)
def test_a_worked_instrument_does_what_its_sentence_says(instrument_id: str) -> None:
    one = ON_SALE[instrument_id]
    found = [given(one, cart) for cart, _ in WORKED[instrument_id]]
    assert found == [expected for _, expected in WORKED[instrument_id]]


def test_what_is_given_at_the_end_of_a_period_is_not_given_on_a_sale() -> None:
    (one,) = (i for _, i in INSTRUMENTS if i.trigger == "on_period_end")
    assert granted(one, customer([1, 2, 3, 4])) is None
