"""Builders of carts, sales, campaigns and what they are made of, with defaults that do no harm.

A test names only what it is about: ``cart([line(amount=30_000)], codes=["WELCOME"])``.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Ruleset
from shared.codes import digest, pack
from shared.events.benefits import Benefit, Bonuses, PercentOff
from shared.events.checkout import Cart, CartLine, GivenBenefit, OtherDiscount, Sale, SoldLine
from shared.events.conditions import (
    Condition,
    CustomerGroup,
    ProductQuantity,
    ProductSum,
    PromoCode,
    ReceiptTotal,
    walk,
)
from shared.events.promotion import Campaign, EmissionSummary, Instrument
from shared.events.reference import CodeChunk
from shared.events.selection import Comparison, Products

ZONE = ZoneInfo("Europe/Vienna")
NOON = datetime(2026, 12, 10, 12, 0, tzinfo=ZONE)
"""When carts occur unless a test says otherwise: inside the period of ``campaign``."""
CODE_KEY = bytes(range(32))
"""The key under which ``presented`` digests codes."""

Operator = Literal[">=", ">", "=", "<", "<=", "between"]


def _line_values(number: int, amount: int, quantity: int, values: dict[str, Any]) -> dict[str, Any]:
    price = values.pop("price", None)
    if price is None:
        price = (amount * 1000 + quantity // 2) // quantity
    return {
        "line": number,
        "sku": "sku-1",
        "quantity": quantity,
        "list_price": price,
        "price": price,
        "amount": amount,
        **values,
    }


def line(number: int = 1, *, amount: int = 1_000, quantity: int = 1_000, **values: Any) -> CartLine:
    """A line of ``amount`` minor units in all; the unit price follows from it."""
    return CartLine(**_line_values(number, amount, quantity, values))


def plain_line(
    number: int = 1, *, amount: int = 1_000, quantity: int = 1_000, **values: Any
) -> CartLine:
    """As ``line``, but not validated: for tests of thousands of lines."""
    return CartLine.model_construct(**_line_values(number, amount, quantity, values))


def sold_line(
    number: int = 1, *, amount: int = 1_000, quantity: int = 1_000, discount: int = 0, **values: Any
) -> SoldLine:
    """As ``line``, paid with ``discount`` off."""
    return SoldLine(**_line_values(number, amount, quantity, values), discount=discount)


def staff_discount(amount: int = 100) -> OtherDiscount:
    """A discount that is none of ours."""
    return OtherDiscount(kind="staff", amount=amount)


def _receipt(values: dict[str, Any]) -> dict[str, Any]:
    defaults = {
        "receipt_id": "receipt-1",
        "store_id": "store-1",
        "terminal_id": "till-1",
        "occurred_at": NOON,
        "currency": "EUR",
    }
    return {**defaults, **values, "codes": tuple(values.get("codes", ()))}


def cart(lines: Iterable[CartLine] | None = None, **values: Any) -> Cart:
    """A checkout in store-1 with one line of 10.00, unless said otherwise."""
    return Cart(**_receipt(values), lines=(line(),) if lines is None else tuple(lines))


def sale(
    lines: Iterable[SoldLine] | None = None, given: Iterable[GivenBenefit] = (), **values: Any
) -> Sale:
    """A paid receipt in store-1 with one line of 10.00, unless said otherwise."""
    sold = (sold_line(),) if lines is None else tuple(lines)
    return Sale(**_receipt(values), lines=sold, given=tuple(given))


def given(
    campaign_id: str = "campaign-1", instrument_id: str = "instrument-1", discount: int = 0
) -> GivenBenefit:
    """A benefit the till really gave."""
    return GivenBenefit(campaign_id=campaign_id, instrument_id=instrument_id, discount=discount)


def compare(value: int, op: Operator = ">=", upper: int | None = None) -> Comparison:
    """At least ``value``, unless another operator is given."""
    return Comparison(op=op, value=value, upper=upper)


def products(
    skus: Iterable[str] = (), groups: Iterable[str] = (), brands: Iterable[str] = ()
) -> Products:
    """A selection of products; nothing = the whole receipt."""
    return Products(skus=tuple(skus), groups=tuple(groups), brands=tuple(brands))


def total(value: int, op: Operator = ">=", upper: int | None = None) -> ReceiptTotal:
    """The condition "receipt total ≥ value" (minor units)."""
    return ReceiptTotal(compare=compare(value, op, upper))


def code(emission_id: str = "WELCOME", cap: int | None = None, **values: Any) -> PromoCode:
    """The condition "a code of the emission is presented"."""
    return PromoCode(emission_id=emission_id, cap=cap, **values)


def quantity_of(selected: Products, value: int, op: Operator = ">=") -> ProductQuantity:
    """The condition "quantity (thousandths) of the products ≥ value"."""
    return ProductQuantity(products=selected, compare=compare(value, op))


def sum_of(selected: Products, value: int, op: Operator = ">=") -> ProductSum:
    """The condition "sum (minor units) of the products ≥ value"."""
    return ProductSum(products=selected, compare=compare(value, op))


def in_group(*groups: str) -> CustomerGroup:
    """The condition "the customer is in one of the groups"."""
    return CustomerGroup(groups=groups)


def percent_off(percent: int = 1_000, **values: Any) -> PercentOff:
    """A percentage (basis points) off; 10% unless said otherwise."""
    return PercentOff(percent=percent, **values)


def bonuses(fixed: int = 0, percent: int | None = None, **values: Any) -> Bonuses:
    """Bonus points."""
    return Bonuses(fixed=fixed, percent=percent, **values)


def instrument(
    instrument_id: str = "instrument-1",
    conditions: Iterable[Condition] = (),
    benefit: Benefit | None = None,
    **values: Any,
) -> Instrument:
    """10% off the receipt without conditions, unless said otherwise."""
    return Instrument(
        instrument_id=instrument_id,
        name=values.pop("name", instrument_id),
        conditions=tuple(conditions),
        benefit=benefit or percent_off(),
        **values,
    )


def emission(emission_id: str = "WELCOME", **values: Any) -> EmissionSummary:
    """What a campaign says of a mass emission with one posted code."""
    defaults: dict[str, Any] = {"kind": "mass", "single_use": False, "posted_codes": 1}
    return EmissionSummary(emission_id=emission_id, **{**defaults, **values})


def campaign(
    campaign_id: str = "campaign-1", instruments: Iterable[Instrument] | None = None, **values: Any
) -> Campaign:
    """A campaign that runs everywhere for everybody from 5 to 31 December 2026, Vienna time.

    The emissions its code conditions refer to are described as mass ones, unless given.
    """
    chosen = (instrument(),) if instruments is None else tuple(instruments)
    described: Sequence[EmissionSummary] = values.pop("emissions", ())
    asked = [c for i in chosen for _, c, _ in walk(i.conditions)]
    names = {c.emission_id for c in asked if isinstance(c, PromoCode)}
    missing = sorted(names - {e.emission_id for e in described})
    defaults: dict[str, Any] = {
        "version": 1,
        "name": campaign_id,
        "status": "running",
        "time_zone": "Europe/Vienna",
        "starts_at": datetime(2026, 12, 5, tzinfo=ZONE),
        "ends_at": datetime(2027, 1, 1, tzinfo=ZONE),
    }
    return Campaign(
        campaign_id=campaign_id,
        instruments=chosen,
        emissions=(*described, *(emission(name) for name in missing)),
        **{**defaults, **values},
    )


def presented(word: str, emission_id: str | None = None, position: int = 0) -> PresentedCode:
    """A code as recognised: of the emission of the same name, unless said otherwise."""
    return PresentedCode(position, digest(word, CODE_KEY), emission_id or word)


def chunk(emission_id: str, *words: str, **values: Any) -> CodeChunk:
    """A chunk of an emission's codes as emission publishes it."""
    digests = pack(digest(word, CODE_KEY) for word in words)
    defaults: dict[str, Any] = {"chunk": 1, "kind": "personal", "posted_at": NOON}
    return CodeChunk(emission_id=emission_id, digests=digests, **{**defaults, **values})


def unknown_code(word: str, position: int = 0) -> PresentedCode:
    """A code of no emission."""
    return PresentedCode(position, digest(word, CODE_KEY), None)


def basket(lines: Iterable[CartLine] | None = None, **values: Any) -> Basket:
    """What the engine sees of ``cart``: ``codes`` are words (of emissions so named) or presented.

    A ``customer_id`` comes with ``customer_groups`` only if they are given.
    """
    codes = tuple(
        item if isinstance(item, PresentedCode) else presented(item, position=n)
        for n, item in enumerate(values.pop("codes", ()))
    )
    return Basket(
        store_id=values.pop("store_id", "store-1"),
        occurred_at=values.pop("occurred_at", NOON),
        lines=(line(),) if lines is None else tuple(lines),
        customer_id=values.pop("customer_id", None),
        customer_groups=frozenset(values.pop("customer_groups", ())),
        codes=codes,
        **values,
    )


def ruleset(*campaigns: Campaign, version: int = 1) -> Ruleset:
    """The campaigns compiled, with all codes of their emissions held."""
    held = {e.emission_id: e.posted_codes for c in campaigns for e in c.emissions}
    return Ruleset.empty().with_campaigns(campaigns, version).with_codes(held)


def utc(*parts: int) -> datetime:
    """An instant given in UTC."""
    year, month, day, *rest = parts
    hour, minute, second = (*rest, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def all_free(limit: Limit) -> int:
    """Nobody else has taken anything."""
    return limit.cap


def left(**slots: int) -> Callable[[Limit], int]:
    """``free`` where limits whose id ends with the word have so many slots left, others all."""

    def free(limit: Limit) -> int:
        last = limit.limit_id.rsplit("/", 1)[-1]
        return slots.get(last.replace("-", "_"), limit.cap)

    return free
