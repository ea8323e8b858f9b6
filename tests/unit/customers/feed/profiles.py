"""Profiles for tests of what is made of them."""

from datetime import UTC, date, datetime
from typing import Any

from shared.events.customers import (
    BonusPoints,
    Codes,
    Favourite,
    Forecast,
    Profile,
    Rfm,
    Spending,
    Used,
    Visited,
)
from shared.events.values import Currency

AT = datetime(2026, 3, 4, 12, 0, 0, 250_000, tzinfo=UTC)


def a_profile(customer_id: str = "c-1", **values: Any) -> Profile:
    """A customer of whom everything is known."""
    hours, weekdays = [0] * 24, [0] * 7
    hours[17], weekdays[5] = 4, 4
    defaults: dict[str, Any] = {
        "version": 7,
        "as_of": AT,
        "purchases": 4,
        "purchases_90_days": 2,
        "first_purchase_at": AT.replace(month=1),
        "last_purchase_at": AT.replace(day=1),
        "spending": (spending("EUR", 1), spending("UAH", 3, paid=-50)),
        "promo_purchases": 1,
        "promo_share": 2_500,
        "returns": 1,
        "favourites": (favourite("dairy"), favourite("bread; rolls")),
        "stores": (Visited(store_id="s-1", purchases=4),),
        "devices": (Used(device="till", purchases=4),),
        "hours": tuple(hours),
        "weekdays": tuple(weekdays),
        "codes": Codes(offered=3, used=1, unused=2, receipts_with_code=1),
        "bonuses": BonusPoints(earned=100, spent=20, expired=0, taken_back=90, balance=-10),
        "segments": ("frequent", "loyal"),
        "rfm": Rfm(recency=5, frequency=4, monetary=3, rfm_class="loyal"),
        "forecast": Forecast(
            model="bg-nbd",
            made_at=AT,
            days=28,
            probability=8_000,
            expected_purchases=1_500,
            expected_on=date(2026, 3, 11),
        ),
    }
    return Profile(customer_id=customer_id, **(defaults | values))


def nobody(customer_id: str = "c-0") -> Profile:
    """A customer who was given a code and has never bought."""
    nothing = {"purchases": 0, "purchases_90_days": 0, "promo_purchases": 0, "promo_share": 0}
    none = dict.fromkeys(("spending", "favourites", "stores", "devices", "segments"), ())
    unknown = dict.fromkeys(("first_purchase_at", "last_purchase_at", "rfm", "forecast"))
    pattern = {"hours": (0,) * 24, "weekdays": (0,) * 7}
    return a_profile(customer_id, **nothing, **none, **unknown, **pattern)


def spending(currency: str, purchases: int, *, paid: int = 5_000) -> Spending:
    """What was spent in a currency."""
    return Spending(
        currency=Currency(currency), purchases=purchases, discount=10, paid=paid, refunded=20
    )


def favourite(group: str) -> Favourite:
    """A group that is bought."""
    return Favourite(group=group, currency=Currency("UAH"), purchases=2, quantity=2_000, paid=1_000)
