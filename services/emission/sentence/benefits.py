"""Benefits in words: what is given, and what bounds it."""

from dataclasses import dataclass
from decimal import Decimal

from services.emission.sentence.goods import goods, is_everything
from services.emission.sentence.writer import Writer
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
from shared.events.values import THOUSANDTHS, Gift

_FREE = 10_000


@dataclass(frozen=True)
class Offer:
    """What is given; ``notes`` bound it. ``of_receipt``: it ends with the words "the receipt"."""

    given: str
    notes: tuple[str, ...] = ()
    of_receipt: bool = False


def offer(writer: Writer, benefit: Benefit) -> Offer:
    """The benefit in words."""
    match benefit:
        case PercentOff() | AmountOff():
            made = _discount(writer, benefit)
        case FixedPrice():
            made = _fixed_price(writer, benefit)
        case BuyGet():
            made = _buy_get(writer, benefit)
        case CheapestFree():
            made = _cheapest_free(writer, benefit)
        case Bonuses():
            made = _bonuses(writer, benefit)
        case GiftGoods():
            made = _gifts(writer, benefit)
        case Tiers():
            made = _tiers(writer, benefit)
    return made


def _discount(writer: Writer, benefit: PercentOff | AmountOff) -> Offer:
    notes = []
    whole = is_everything(benefit.products)
    if isinstance(benefit, PercentOff):
        size, per_unit = writer.percent(benefit.percent), False
        if benefit.of == "original":
            notes.append(writer.say("of original"))
    else:
        size, per_unit = writer.money(benefit.amount), benefit.per_unit
    if benefit.max_units is not None:
        units = writer.units(benefit.max_units)
        notes.append(writer.say(f"{benefit.pick} units", units=units))
    notes += _at_most(writer, benefit.max_discount)
    if per_unit:
        of = goods(writer, benefit.products, "of goods")
        return Offer(writer.say("off each unit", size=size, goods=of), tuple(notes))
    if whole:
        return Offer(writer.say("off receipt", size=size), tuple(notes), of_receipt=True)
    off = goods(writer, benefit.products)
    return Offer(writer.say("off goods", size=size, goods=off), tuple(notes))


def _fixed_price(writer: Writer, benefit: FixedPrice) -> Offer:
    price, of = writer.money(benefit.price), goods(writer, benefit.products, "of goods")
    notes: tuple[str, ...] = ()
    if benefit.max_units is not None:
        notes = (writer.say("at most units", units=writer.units(benefit.max_units)),)
    if benefit.units is None or benefit.units == THOUSANDTHS:
        return Offer(writer.say("fixed_price", price=price, goods=of), notes)
    units = writer.units(benefit.units)
    return Offer(writer.say("fixed_price, set", price=price, goods=of, units=units), notes)


def _buy_get(writer: Writer, benefit: BuyGet) -> Offer:
    bought = goods(writer, benefit.products, "of goods")
    phrase, get, rewards = "buy_get", writer.quantity(benefit.get), ""
    if benefit.rewards is not None:
        phrase, get = "buy_get, others", writer.units(benefit.get)
        rewards = goods(writer, benefit.rewards, "of goods")
    given = writer.say(
        phrase,
        buy=writer.counted("for every", Decimal(benefit.buy) / THOUSANDTHS),
        get=get,
        goods=bought,
        rewards=rewards,
        reduced=_reduced(writer, benefit.percent),
    )
    return Offer(given, _times(writer, benefit.max_times))


def _cheapest_free(writer: Writer, benefit: CheapestFree) -> Offer:
    given = writer.say(
        "cheapest_free",
        units=writer.units(benefit.of),
        goods=goods(writer, benefit.products, "of goods"),
        reduced=_reduced(writer, benefit.percent),
    )
    return Offer(given, _times(writer, benefit.max_times))


def _bonuses(writer: Writer, benefit: Bonuses) -> Offer:
    parts = []
    if benefit.fixed:
        parts.append(writer.counted("bonuses", benefit.fixed))
    if benefit.percent is not None:
        percent = writer.percent(benefit.percent)
        if is_everything(benefit.products):
            parts.append(writer.say("bonuses of receipt", percent=percent))
        else:
            of = goods(writer, benefit.products, "of goods")
            parts.append(writer.say("bonuses of goods", percent=percent, goods=of))
    notes = []
    if benefit.max_points is not None:
        points = writer.counted("bonuses", benefit.max_points)
        notes.append(writer.say("at most", most=points))
    if benefit.active_after_days:
        notes.append(writer.counted("active after", benefit.active_after_days))
    if benefit.expires_after_days is not None:
        notes.append(writer.counted("expire after", benefit.expires_after_days))
    return Offer(writer.listed(parts, "and"), tuple(notes))


def _gifts(writer: Writer, benefit: GiftGoods) -> Offer:
    gifts = [_gift(writer, one) for one in benefit.gifts]
    if benefit.choose is None:
        return Offer(writer.say("gift_goods", gifts=writer.listed(gifts, "and")))
    chosen = writer.counted("gifts to choose", benefit.choose)
    return Offer(writer.say("gifts", chosen=chosen, gifts=writer.listed(gifts, "or")))


def _gift(writer: Writer, gift: Gift) -> str:
    name = writer.quoted(writer.names.products.get(gift.sku, gift.sku))
    if gift.quantity == THOUSANDTHS:
        return name
    return writer.say("some of", units=writer.units(gift.quantity), goods=name)


def _tiers(writer: Writer, benefit: Tiers) -> Offer:
    tiers = "; ".join(_tier(writer, benefit, one) for one in benefit.tiers)
    phrase = f"tiers by {benefit.by}"
    if is_everything(benefit.products):
        return Offer(writer.say(f"{phrase} of receipt", tiers=tiers))
    of = goods(writer, benefit.products, "of goods")
    return Offer(writer.say(phrase, tiers=tiers, goods=of))


def _tier(writer: Writer, benefit: Tiers, tier: Tier) -> str:
    show = writer.money if benefit.by == "sum" else writer.quantity
    one = offer(writer, tier.benefit)
    given = f"{one.given} ({', '.join(one.notes)})" if one.notes else one.given
    phrase, below = "tier", ""
    if tier.below is not None:
        phrase, below = "tier, below", show(tier.below)
    return writer.say(phrase, at_least=show(tier.at_least), below=below, given=given)


def _reduced(writer: Writer, percent: int) -> str:
    if percent == _FREE:
        return writer.say("free")
    return writer.say("reduced", percent=writer.percent(percent))


def _at_most(writer: Writer, money: int | None) -> list[str]:
    return [] if money is None else [writer.say("at most", most=writer.money(money))]


def _times(writer: Writer, times: int | None) -> tuple[str, ...]:
    return () if times is None else (writer.counted("at most times on a receipt", times),)
