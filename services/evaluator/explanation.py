"""A decision in words, for a person. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from babel.numbers import format_currency, format_decimal, get_currency_precision

from shared.events.outcome import Applied, InstrumentName, NearMiss, NotApplied, Unit
from shared.events.values import THOUSANDTHS

_LOCALE = "en"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

Names = Mapping[tuple[str, str], str]
"""Instruments' names, by campaign and instrument."""

_REASONS = {
    "wrong_store": "it does not run in this store",
    "wrong_customer_group": "the customer is in none of its groups",
    "wrong_segment": "the customer is in none of its segments",
    "customer_unknown": "it needs to know the customer",
    "control_group": "the customer is of the control group, who get nothing to compare with",
    "campaign_not_active": "its campaign does not run at that time, or lacks codes",
    "code_missing": "another of its codes is missing",
    "code_not_valid": "the code is not valid at that time",
    "code_not_yours": "the code is bound to somebody else",
    "nothing_to_discount": "it comes to nothing",
}
_UNUSED = {
    "unknown_code": "nobody has issued such a code",
    "no_campaign": "no campaign that runs here takes it",
    "locked_out": "too many wrong codes came from there, so it was not looked at",
    "limit_reached": "a limit is used up",
    "outranked": "another code or instrument went before it",
    "not_applied": "promotions are withheld",
}
_ELSEWHERE = {
    "product_quantity": " of its products",
    "product_sum": " of its products",
    "product_mix": " of its products",
    "product_presence": " of its products",
    "purchase_sum": " in purchases before this one",
    "product_purchases": " in purchases before this one",
}
_PLURAL: Mapping[Unit, str] = {"lines": "line", "purchases": "purchase", "days": "day"}


def money(amount: int, currency: str) -> str:
    """Minor units in words: 4250 UAH are ``UAH 42.50``."""
    digits = get_currency_precision(currency)
    return format_currency(Decimal(amount).scaleb(-digits), currency, "¤¤ #,##0.00", locale=_LOCALE)


def gap(missing: int, unit: Unit, currency: str) -> str:
    """How much more, in words."""
    match unit:
        case "money":
            return f"{money(missing, currency)} more"
        case "quantity":
            amount = format_decimal(Decimal(missing) / THOUSANDTHS, "#,##0.###", locale=_LOCALE)
            return f"{amount} more"
        case "seconds":
            return f"in {_duration(missing)}"
        case _:
            noun = _PLURAL[unit]
            return f"{missing} more {noun if missing == 1 else noun + 's'}"


def _duration(seconds: int) -> str:
    if seconds >= _DAY:
        return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"
    if seconds >= _HOUR:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{-(-seconds // _MINUTE)} min"


def name_of(one: Applied | NotApplied | NearMiss | InstrumentName, names: Names) -> str:
    """What people call the instrument."""
    key = (one.campaign_id, one.instrument_id)
    return names.get(key) or "/".join(key)


def why_not(refused: NotApplied, names: Names, currency: str) -> str:
    """Why an instrument was not applied."""
    what = f" ({refused.condition})" if refused.condition else ""
    if refused.outranked_by:
        return f"{name_of(refused.outranked_by, names)} went before it"
    if refused.reason == "limit_reached":
        return f"its limit is used up{what}"
    words = _REASONS.get(refused.reason, "a condition is not met") + what
    if refused.missing is None or refused.unit is None:
        return words
    return f"{words}: {gap(refused.missing, refused.unit, currency)}"


def what(applied: Applied, currency: str) -> str:
    """What an instrument gave in all."""
    parts = []
    if applied.discount:
        parts.append(f"{money(applied.discount, currency)} off")
    if applied.bonuses:
        parts.append(f"{applied.bonuses} bonus points")
    if applied.gifts:
        gifts = ", ".join(
            f"{format_decimal(Decimal(g.quantity) / THOUSANDTHS, locale=_LOCALE)} × {g.sku}"
            for g in applied.gifts
        )
        parts.append(f"{applied.choose} of: {gifts}" if applied.choose else f"gifts: {gifts}")
    if applied.times > 1:
        parts.append(f"{applied.times} times")
    if applied.code is not None:
        parts.append(f"with code no. {applied.code + 1}")
    return "; ".join(parts)


def near_miss(miss: NearMiss, names: Names, currency: str) -> str:
    """What a little more would get."""
    where = _ELSEWHERE.get(miss.condition or "", "")
    return f"{gap(miss.missing, miss.unit, currency)}{where} gets {name_of(miss, names)}"


def unused_code(reason: str) -> str:
    """Why a code was not used."""
    return _UNUSED.get(reason) or _REASONS.get(reason) or "a condition is not met"
