"""Conditions in words: what must be so, or (``holds`` false, below a ``not``) must not be so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from babel import Locale

from services.emission.sentence.goods import goods
from services.emission.sentence.periods import looking_back
from services.emission.sentence.writer import Writer
from shared.events.conditions import (
    All,
    AnyOf,
    Birthday,
    Condition,
    CustomerGroup,
    CustomerKnown,
    CustomerSegment,
    DaysSincePurchase,
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
from shared.events.promotion import ProcessingPeriod

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Compared = (
    ReceiptTotal
    | ReceiptQuantity
    | LineCount
    | ProductQuantity
    | ProductSum
    | PurchaseCount
    | PurchaseSum
    | ProductPurchases
    | DaysSincePurchase
)
_COMPARED = get_args(_Compared)
_OF_GOODS = (ProductQuantity, ProductSum, ProductPurchases)
_MEASURES = {
    "receipt_total": "sum",
    "receipt_quantity": "quantity",
    "product_quantity": "quantity",
    "product_sum": "sum",
    "purchase_sum": "sum",
}
"""What is compared; all others are counted."""
_OF_HISTORY = (PurchaseCount, PurchaseSum, ProductPurchases, DaysSincePurchase)
# "The store is neither …": what is named follows the "not" itself in every language.
_NAMED_ALONE = (InStore, InRegion, InCurrency, ViaChannel, OnDevice, Weekday)
_KILOMETRE_M = 1_000
_E6 = 1_000_000


def all_of(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """The conditions that must all be met, those within an ``all`` among them."""
    for one in conditions:
        if isinstance(one, All):
            yield from all_of(one.conditions)
        else:
            yield one


def clause(
    writer: Writer, condition: Condition, period: ProcessingPeriod, *, holds: bool = True
) -> str:
    """The condition as a clause that can stand beside others."""
    match condition:
        case Not():
            return clause(writer, condition.condition, period, holds=not holds)
        case All() | AnyOf():
            joint = "and" if isinstance(condition, All) == holds else "or"
            return clauses(writer, condition.conditions, period, joint, holds=holds)
        case CustomerKnown():
            return writer.say("customer_known" if condition.known == holds else "customer_unknown")
    if isinstance(condition, _COMPARED):
        return _comparison(writer, condition, period, holds=holds)
    phrase = condition.kind if holds else f"{condition.kind}, not"
    return _listing(writer, condition, phrase, holds=holds) or _fact(writer, condition, phrase)


def clauses(
    writer: Writer,
    conditions: Sequence[Condition],
    period: ProcessingPeriod,
    joint: str = "and",
    *,
    holds: bool = True,
) -> str:
    """The conditions side by side; those that combine others themselves are in parentheses."""
    parts = []
    for one in conditions:
        words = clause(writer, one, period, holds=holds)
        parts.append(f"({words})" if _combines(one) and len(conditions) > 1 else words)
    return writer.listed(parts, joint)


def _combines(condition: Condition) -> bool:
    match condition:
        case Not():
            return _combines(condition.condition)
        case All() | AnyOf():
            inner = condition.conditions
            return len(inner) > 1 or _combines(inner[0])
        case _:
            return False


def _comparison(
    writer: Writer, condition: _Compared, period: ProcessingPeriod, *, holds: bool
) -> str:
    """What is compared, and how much it must be."""
    phrase, measure = str(condition.kind), _MEASURES.get(condition.kind, "")
    if isinstance(condition, ProductPurchases):
        phrase, measure = f"{phrase}, {condition.measure}", condition.measure
    of = goods(writer, condition.products, "of goods") if isinstance(condition, _OF_GOODS) else ""
    subject = writer.say(phrase, goods=of, period=looking_back(writer, period))
    show = {"sum": writer.money, "quantity": writer.quantity}.get(measure, writer.number)
    compare = condition.compare
    # Without a customer there is no history, and its "not" is met: "fewer" would leave that out.
    is_turned = not holds and not isinstance(condition, _OF_HISTORY)
    value = writer.compared(
        compare, [show(compare.value), show(compare.upper or 0)], holds=not is_turned
    )
    words = writer.say("measured", subject=subject, value=value)
    return words if holds or is_turned else writer.say("not", clause=words)


def _listing(writer: Writer, condition: Condition, phrase: str, *, holds: bool) -> str:
    """Conditions that name one or more; nothing for others."""
    joint = "nor" if not holds and isinstance(condition, _NAMED_ALONE) else "or"
    names: Mapping[str, str] = {}
    match condition:
        case PaidBy(methods=given) | ViaChannel(channels=given) | OnDevice(devices=given):
            words = [writer.say(f"{condition.kind} {one}") for one in given]
            return writer.say(phrase, names=writer.listed(words, joint))
        case Weekday(days=given):
            wide = Locale(writer.language).days["format"]["wide"]
            words = [wide[_DAYS.index(one)] for one in given]
            return writer.say(phrase, names=writer.listed(words, joint))
        case CustomerGroup(groups=given):
            names = writer.names.groups
        case InStore(stores=given):
            names = writer.names.stores
        case CustomerSegment(segments=given) | InRegion(regions=given):
            pass
        case InCurrency(currencies=given):
            pass
        case _:
            return ""
    return writer.say(phrase, names=writer.named(given, names, joint))


def _fact(writer: Writer, condition: Condition, phrase: str) -> str:
    """Conditions that are so or not: each has a phrase for either."""
    words: dict[str, str] = {}
    match condition:
        case TimeOfDay(starts=starts, ends=ends):
            words = {"starts": starts, "ends": ends}
        case ProductPresence(products=products):
            words = {"goods": goods(writer, products), "of": goods(writer, products, "of goods")}
        case ProductMix(parts=parts):
            words = {"parts": writer.listed([_part(writer, one) for one in parts], "and")}
        case Birthday():
            words = {"span": _around_birthday(writer, condition)}
        case Near():
            words = {"radius": _radius(writer, condition), "place": _place(condition)}
        case PromoCode():
            return _code(writer, condition, phrase)
    return writer.say(phrase, **words)


def _code(writer: Writer, condition: PromoCode, phrase: str) -> str:
    name = writer.emission(condition.emission_id)
    words = writer.say(f"own {phrase}" if condition.own else phrase, name=name)
    if condition.cap is None or phrase != condition.kind:
        return words
    return f"{words} ({writer.counted('first', condition.cap)})"


def _part(writer: Writer, part: MixPart) -> str:
    of = goods(writer, part.products, "of goods")
    return writer.say("some of", units=writer.units(part.quantity), goods=of)


def _around_birthday(writer: Writer, condition: Birthday) -> str:
    before, after = condition.days_before, condition.days_after
    which = f"birthday{' before' if before else ''}{' after' if after else ''}, span"
    return writer.say(
        which, before=writer.counted("of days", before), after=writer.counted("of days", after)
    )


def _radius(writer: Writer, condition: Near) -> str:
    metres = condition.radius_m
    if metres % _KILOMETRE_M:
        return writer.say("metres", number=writer.number(metres))
    return writer.say("kilometres", number=writer.number(metres // _KILOMETRE_M))


def _place(condition: Near) -> str:
    """Latitude and longitude, as maps take them in any language."""
    return f"{condition.latitude_e6 / _E6:g}, {condition.longitude_e6 / _E6:g}"
