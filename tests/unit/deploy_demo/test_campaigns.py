"""The data set's campaigns become campaigns, groups, emissions and instruments."""

from datetime import UTC, date, datetime, timedelta

from deploy.demo.campaigns import WELCOME_CAP, Plan, cap_for, plan
from deploy.demo.dataset import Basket, CouponCampaign, Year
from shared.codes import normalise
from shared.events.benefits import PercentOff
from shared.events.conditions import PromoCode

SHIFT = timedelta(weeks=464)


def authored(**values: object) -> Plan:
    """The plan for one campaign of type A with one coupon, unless ``values`` say otherwise."""
    fields: dict[str, object] = {
        "campaign_id": 18,
        "kind": "Type A",
        "first_day": date(2017, 10, 30),
        "last_day": date(2017, 12, 24),
        "households": (7, 9),
        "coupons": {10000085476: (5, 3)},
    }
    campaign = CouponCampaign(**{**fields, **values})  # type: ignore[arg-type]
    at = datetime(2017, 11, 1, 17, tzinfo=UTC)
    baskets = [Basket(1, 7, 367, at, 0, 0, couponed=False)]
    return plan(Year(baskets, [], {}, [campaign], {}, 0, at), SHIFT)


def test_a_campaign_runs_on_its_days_for_its_targeted_households() -> None:
    made = authored()
    campaign = made.campaign("cj-18")
    assert (campaign.first_day, campaign.last_day) == (
        date(2017, 10, 30) + SHIFT,
        date(2017, 12, 24) + SHIFT,
    )
    assert campaign.groups == (made.groups[0].group_id,)
    assert made.groups[0].customers == ("hh-7", "hh-9")


def test_a_coupon_is_an_emission_whose_instrument_is_for_its_products() -> None:
    made = authored()
    (instrument,) = made.campaign("cj-18").instruments
    (condition,) = instrument.conditions
    assert isinstance(condition, PromoCode)
    assert condition.emission_id in {one.emission_id for one in made.emissions}
    assert isinstance(instrument.benefit, PercentOff)
    assert (instrument.benefit.percent, instrument.benefit.products.skus) == (2000, ("5", "3"))


def test_a_coupon_for_too_many_products_keeps_those_sold_most() -> None:
    made = authored(coupons={1: tuple(range(6_000))})
    (instrument,) = made.campaign("cj-18").instruments
    assert isinstance(instrument.benefit, PercentOff)
    assert instrument.benefit.products.skus == tuple(str(item) for item in range(5_000))


def test_words_are_unique_as_codes_are_compared() -> None:
    made = authored(coupons=dict.fromkeys(range(1, 200), (1,)))
    words = [normalise(one.word) for one in made.emissions]
    assert len(set(words)) == len(words)


def test_welcome_has_its_cap_and_a_smaller_demo_a_smaller_one() -> None:
    assert (cap_for(30_000), cap_for(155_848)) == (WELCOME_CAP, WELCOME_CAP)
    assert (cap_for(300), cap_for(1)) == (10, 1)


def test_there_is_a_quantity_condition_a_bonus_and_a_gift() -> None:
    everyday = authored().campaign("everyday")
    conditions = {one.kind for each in everyday.instruments for one in each.conditions}
    benefits = {each.benefit.kind for each in everyday.instruments}
    assert "product_quantity" in conditions
    assert benefits == {"percent_off", "bonuses", "gift_goods"}
