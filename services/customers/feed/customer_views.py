"""What the API answers of customers."""

from datetime import date, datetime
from typing import Self

from services.customers.feed.activity import Week, heat, main_currency, weeks
from services.customers.feed.columns import main_spending
from services.customers.offers.answers import OfferView
from services.customers.profile import State, seconds
from shared.events.customers import Alert, Profile
from shared.events.values import Event


class CustomerRow(Event):
    """A customer in a list. Money in minor units of the main currency, that of most purchases; ``paid`` less refunds.

    ``promo_share`` and ``probability`` (to buy within the forecast's days) are in basis points.
    """

    customer_id: str
    purchases: int
    purchases_90_days: int
    last_purchase_at: datetime | None = None
    currency: str | None = None
    paid: int = 0
    promo_share: int
    rfm_class: str | None = None
    probability: int | None = None
    segments: tuple[str, ...]

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """The row of a profile."""
        spending, rfm, forecast = main_spending(profile), profile.rfm, profile.forecast
        return cls(
            customer_id=profile.customer_id,
            purchases=profile.purchases,
            purchases_90_days=profile.purchases_90_days,
            last_purchase_at=profile.last_purchase_at,
            currency=str(spending.currency) if spending else None,
            paid=spending.paid - spending.refunded if spending else 0,
            promo_share=profile.promo_share,
            rfm_class=rfm.rfm_class if rfm else None,
            probability=forecast.probability if forecast else None,
            segments=profile.segments,
        )


class Customers(Event):
    """A page of customers, by id; ``next`` is the ``after`` of the next page."""

    items: tuple[CustomerRow, ...]
    next: str | None = None


class WeekView(Event):
    """A week from Monday by the stores' clocks: purchases, those with a promotion, and what was paid, less refunds."""

    monday: date
    purchases: int
    promo_purchases: int
    paid: int

    @classmethod
    def of(cls, week: Week) -> Self:
        """The view of a week."""
        return cls(**vars(week))


class MembershipView(Event):
    """A segment that the customer is in, and since when."""

    segment_id: str
    name: str
    since: datetime


class CustomerView(Event):
    """All that is known of a customer.

    ``weeks`` (the last 60 at most, ``paid`` in minor units of ``currency``) and ``heat`` (purchases on each weekday from Monday, in each hour) are of
    the visits of the last 400 days. ``offers`` (without their codes) and ``alerts`` about the customer are the latest 20 each.
    """

    profile: Profile
    currency: str | None = None
    weeks: tuple[WeekView, ...]
    heat: tuple[tuple[int, ...], ...]
    segments: tuple[MembershipView, ...]
    offers: tuple[OfferView, ...]
    alerts: tuple[Alert, ...]

    @classmethod
    def of(
        cls,
        profile: Profile,
        state: State,
        segments: tuple[MembershipView, ...],
        offers: tuple[OfferView, ...],
        alerts: tuple[Alert, ...],
    ) -> Self:
        """The view of a profile and what it is made of."""
        return cls(
            profile=profile,
            currency=main_currency(state),
            weeks=tuple(map(WeekView.of, weeks(state, seconds(profile.as_of)))),
            heat=tuple(map(tuple, heat(state.live()))),
            segments=segments,
            offers=offers,
            alerts=alerts,
        )
