"""Policies, customers and situations that tests of offers begin with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.customers.offers.backing import Backing
from services.customers.offers.plan import Customer, Earlier, Situation
from services.customers.offers.policy import Policy
from shared.events.values import Currency

KYIV = ZoneInfo("Europe/Kyiv")
DAY = timedelta(days=1)
NOON = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv, a Tuesday


def policy(**fields: Any) -> Policy:
    """5%, then 10%, for a week each; sent at once, by day or night."""
    body: dict[str, Any] = {
        "policy_id": "win-back",
        "name": "Win back",
        "reason": "We miss you",
        "currency": "UAH",
        "steps": (
            {"emission_id": "e5", "discount": 500, "valid_days": 7},
            {"emission_id": "e10", "discount": 1_000, "valid_days": 7},
        ),
        "max_discount": 1_500,
        "sending": {"at": "at_once"},
        "quiet_hours": None,
        "control_share": 0,
        "pause_days": 30,
    }
    return Policy.model_validate(body | fields)


def backing(emission_id: str, *discounts: int, **fields: Any) -> Backing:
    """What a campaign of a year, everywhere and for everybody, gives for codes of an emission."""
    usual = Backing(
        campaign_id="c1",
        emission_id=emission_id,
        discounts_in="percent",
        discounts=discounts or (500,),
        starts_at=NOON - 100 * DAY,
        ends_at=NOON + 265 * DAY,
        stores=(),
        segments=(),
        groups=False,
        held_back=0,
        personal=True,
    )
    return Backing(
        **{name: fields.get(name, getattr(usual, name)) for name in usual.__struct_fields__}
    )


BACKINGS = {"e5": [backing("e5", 500)], "e10": [backing("e10", 1_000)]}
SITUATION = Situation(backings=BACKINGS)
CUSTOMER = Customer(
    "c-1",
    frozenset({"regulars"}),
    probability=7_000,
    expected_on=(NOON + 3 * DAY).date(),
    purchases=12,
    last_purchase_at=NOON - 20 * DAY,
    promo_share=2_500,
    store_id="s-1",
    region="North",
    zone=KYIV,
    hours=tuple(10 if hour == 18 else 1 if hour == 9 else 0 for hour in range(24)),
    average={Currency("UAH"): 40_000},
)


def customer(**fields: Any) -> Customer:
    """Somebody who bought twelve times, last twenty days ago, mostly about 18:00."""
    return replace(CUSTOMER, **fields)


def earlier(**fields: Any) -> Earlier:
    """An offer of last week that is over."""
    usual = Earlier("o-0", "win-back", "We miss you", "e5", NOON - 8 * DAY, NOON - DAY, open=False)
    return replace(usual, **fields)
