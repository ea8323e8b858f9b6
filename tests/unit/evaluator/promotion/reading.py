"""Conditions read slowly, straight from their description: what the engine must agree with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from services.evaluator.promotion import Basket, Limit
from services.evaluator.promotion.history import PurchasedLine
from services.evaluator.promotion.period import Window, compile_period
from shared.events import conditions as ask
from shared.events.checkout import CartLine
from shared.events.promotion import Campaign, Instrument
from shared.events.selection import Comparison, Products, Selectors
from tests.unit.evaluator.promotion.places import metres_between

Goods = CartLine | PurchasedLine
Free = Callable[[Limit], int]


@dataclass(frozen=True)
class Asked:
    """One instrument of a campaign, and who asks."""

    of: Basket
    campaign: Campaign
    instrument: Instrument

    @property
    def ids(self) -> tuple[str, str]:
        return self.campaign.campaign_id, self.instrument.instrument_id

    @property
    def counted(self) -> list[CartLine]:
        found = []
        for item in sorted(self.of.lines, key=lambda item: item.line):
            discounted = any(other.amount for other in item.discounts)
            if not item.no_promo and (self.instrument.include_discounted or not discounted):
                found.append(item)
        return found

    @property
    def window(self) -> Window:
        of_campaign = self.campaign
        window_at = compile_period(
            self.instrument.processing_period,
            of_campaign.starts_at,
            of_campaign.ends_at,
            of_campaign.time_zone,
        )
        return window_at(self.of.occurred_at)

    def history(self, *, ever: bool = False) -> list[list[PurchasedLine]]:
        """The lines that count of each purchase, in order of time."""
        found = []
        for purchase in self.of.purchases:
            if purchase.occurred_at >= self.of.occurred_at:
                continue
            if purchase.receipt_id == self.of.receipt_id:
                continue
            if not ever and purchase.occurred_at < self.window.start:
                continue
            plain = ever or self.instrument.include_discounted
            counted = [item for item in purchase.lines if plain or not item.discounted]
            if counted:
                found.append(counted)
        return found


def takes(products: Products, item: Goods) -> bool:
    def any_of(selectors: Selectors) -> bool:
        return (
            item.sku in selectors.skus
            or item.group in selectors.groups
            or item.brand in selectors.brands
            or any(item.attributes.get(a.name) in a.values for a in selectors.attributes)
        )

    names = (products.skus, products.groups, products.brands, products.attributes)
    included = any_of(products) if any(names) else True
    return included and not (products.exclude is not None and any_of(products.exclude))


def holds(actual: int, compare: Comparison) -> bool:
    upper = compare.upper if compare.upper is not None else 0
    return {
        ">=": actual >= compare.value,
        ">": actual > compare.value,
        "=": actual == compare.value,
        "<": actual < compare.value,
        "<=": actual <= compare.value,
        "between": compare.value <= actual <= upper,
    }[compare.op]


Counted = (
    ask.ReceiptTotal
    | ask.ReceiptQuantity
    | ask.LineCount
    | ask.ProductQuantity
    | ask.ProductSum
    | ask.PurchaseCount
    | ask.PurchaseSum
    | ask.ProductPurchases
)


def amount(condition: Counted, asked: Asked) -> int:  # noqa: PLR0911 - one for each kind
    """What is there of what a condition compares."""
    counted, before = asked.counted, asked.history()
    match condition:
        case ask.ReceiptTotal():
            return sum(item.amount for item in counted)
        case ask.ReceiptQuantity():
            return sum(item.quantity for item in counted)
        case ask.LineCount():
            return len(counted)
        case ask.ProductQuantity():
            return sum(item.quantity for item in counted if takes(condition.products, item))
        case ask.ProductSum():
            return sum(item.amount for item in counted if takes(condition.products, item))
        case ask.PurchaseCount():
            return len(before)
        case ask.PurchaseSum():
            return sum(item.amount for purchase in before for item in purchase)
        case ask.ProductPurchases():
            chosen = [[x for x in items if takes(condition.products, x)] for items in before]
            if condition.measure == "receipts":
                return sum(1 for items in chosen if items)
            return sum(
                x.quantity if condition.measure == "quantity" else x.amount
                for items in chosen
                for x in items
            )


def parts_of(mix: ask.ProductMix, asked: Asked) -> list[tuple[int, int]]:
    """(what is there, what is needed) of each part."""
    left, found = asked.counted, []
    for part in mix.parts:
        mine = [item for item in left if takes(part.products, item)]
        left = [item for item in left if not takes(part.products, item)]
        found.append((sum(item.quantity for item in mine), part.quantity))
    return found


def truth(condition: ask.Condition, asked: Asked) -> bool | None:  # noqa: C901, PLR0911 - one for each kind
    """Whether it is met; None where that takes a customer, and there is none."""
    of = asked.of
    match condition:
        case ask.All():
            found = [truth(child, asked) for child in condition.conditions]
            return False if False in found else None if None in found else True
        case ask.AnyOf():
            found = [truth(child, asked) for child in condition.conditions]
            return True if True in found else None if None in found else False
        case ask.Not():
            negated = truth(condition.condition, asked)
            return None if negated is None else not negated
        case ask.PromoCode():
            return _has_code(condition, asked)
        case ask.CustomerKnown():
            return condition.known == (of.customer_id is not None)
        case (
            ask.CustomerGroup()
            | ask.CustomerSegment()
            | ask.Birthday()
            | ask.FirstPurchase()
            | ask.PurchaseCount()
            | ask.PurchaseSum()
            | ask.ProductPurchases()
            | ask.DaysSincePurchase()
        ):
            return None if of.customer_id is None else _of_customer(condition, asked)
        case ask.ReceiptTotal() | ask.ReceiptQuantity() | ask.LineCount():
            return holds(amount(condition, asked), condition.compare)
        case ask.ProductQuantity() | ask.ProductSum():
            return holds(amount(condition, asked), condition.compare)
        case ask.ProductPresence():
            return any(takes(condition.products, item) for item in asked.counted)
        case ask.ProductMix():
            return all(there >= needed for there, needed in parts_of(condition, asked))
        case _:
            return _of_place(condition, of)


def _has_code(condition: ask.PromoCode, asked: Asked) -> bool | None:
    of = asked.of
    presented = [
        code
        for code in of.codes
        if code.emission_id == condition.emission_id
        and (code.valid_until is None or of.occurred_at < code.valid_until)
    ]
    described = [
        one for one in asked.campaign.emissions if one.emission_id == condition.emission_id
    ]
    if not presented or not described:
        return False
    since, until = described[0].valid_from, described[0].valid_until
    if (since and of.occurred_at < since) or (until and of.occurred_at >= until):
        return False
    if not condition.own:
        return True
    if of.customer_id is None:
        return None
    return any(code.holder == of.customer_id for code in presented)


def _of_customer(condition: ask.Condition, asked: Asked) -> bool:
    of = asked.of
    match condition:
        case ask.CustomerGroup():
            return bool(of.customer_groups & {*condition.groups})
        case ask.CustomerSegment():
            return bool(of.segments & {*condition.segments})
        case ask.Birthday():
            today = of.occurred_at.astimezone(ZoneInfo(of.time_zone)).date()
            near = range(-condition.days_after, condition.days_before + 1)
            return f"{of.birthday}" in {f"{today + timedelta(n):%m-%d}" for n in near}
        case ask.FirstPurchase():
            return not asked.history(ever=True)
        case ask.PurchaseCount() | ask.PurchaseSum() | ask.ProductPurchases():
            return holds(amount(condition, asked), condition.compare)
        case ask.DaysSincePurchase():
            last = [
                purchase.occurred_at
                for purchase in of.purchases
                if asked.window.start <= purchase.occurred_at < of.occurred_at
                and purchase.receipt_id != of.receipt_id
                and any(
                    asked.instrument.include_discounted or not item.discounted
                    for item in purchase.lines
                )
            ]
            return bool(last) and holds((of.occurred_at - max(last)).days, condition.compare)
        case _:
            raise TypeError(condition)


def _of_place(condition: ask.Condition, of: Basket) -> bool:  # noqa: PLR0911 - one for each kind
    clock = of.occurred_at.astimezone(ZoneInfo(of.time_zone))
    match condition:
        case ask.PaidBy():
            return bool(of.payment_methods) and not of.payment_methods - {*condition.methods}
        case ask.ViaChannel():
            return of.channel in condition.channels
        case ask.OnDevice():
            return of.device in condition.devices
        case ask.TimeOfDay():
            now, starts, ends = f"{clock:%H:%M}", condition.starts, condition.ends
            return starts <= now < ends if starts < ends else not ends <= now < starts
        case ask.Weekday():
            return f"{clock:%a}".lower() in condition.days
        case ask.InCurrency():
            return of.currency in condition.currencies
        case ask.InStore():
            return of.store_id in condition.stores
        case ask.InRegion():
            return of.region in condition.regions
        case ask.Near():
            place = of.location
            return place is not None and metres_between(condition, place) <= condition.radius_m
        case _:
            raise TypeError(condition)


def multiple(condition: ask.Condition, asked: Asked) -> int | None:
    """How often a condition that is met is met."""
    match condition:
        case ask.All():
            found = [multiple(child, asked) for child in condition.conditions]
            return min((n for n in found if n is not None), default=None)
        case ask.AnyOf():
            met = [child for child in condition.conditions if truth(child, asked) is True]
            found = [multiple(child, asked) for child in met]
            return max((n for n in found if n is not None), default=None)
        case ask.ProductMix():
            return min(there // needed for there, needed in parts_of(condition, asked))
        case (
            ask.ReceiptTotal()
            | ask.ReceiptQuantity()
            | ask.LineCount()
            | ask.ProductQuantity()
            | ask.ProductSum()
            | ask.PurchaseCount()
            | ask.PurchaseSum()
            | ask.ProductPurchases()
        ) if condition.compare.op == ">=" and condition.compare.value:
            return amount(condition, asked) // condition.compare.value
        case _:
            return None


def times(asked: Asked) -> int:
    """How often the instrument's benefit is given."""
    repeat = asked.instrument.repeat
    if repeat is None:
        return 1
    multiples = [multiple(condition, asked) for condition in asked.instrument.conditions]
    found = min((n for n in multiples if n is not None), default=1)
    return found if repeat.max_times is None else min(found, repeat.max_times)
