"""What is published of a customer: figures at one moment."""

from datetime import timedelta, timezone

from services.customers.messages import Message
from services.customers.profile import State
from services.customers.summary import summarise
from shared.events.customers import Profile
from tests.unit.customers.facts import DAY, NOON, a_line, a_receipt, a_redemption, a_return
from tests.unit.customers.test_profile import folded

KYIV = 120


def published(*facts: Message, now: timedelta = DAY) -> Profile:
    return summarise("c-1", 3, folded(*facts), NOON + now)


def test_a_customer_who_never_bought_has_an_empty_profile() -> None:
    profile = summarise("c-1", 1, State(), NOON)
    assert (profile.purchases, profile.promo_share, profile.last_purchase_at) == (0, 0, None)
    assert sum(profile.hours) == sum(profile.weekdays) == 0


def test_hours_and_weekdays_go_by_the_stores_clock() -> None:
    """Wednesday 23:30 in UTC is Thursday 01:30 in Kyiv."""
    late = a_receipt(occurred_at=NOON + timedelta(hours=11.5), utc_offset_minutes=KYIV)
    profile = published(late)
    assert profile.hours[1] == 1
    assert profile.weekdays[3] == 1


def test_the_tills_own_zone_counts_where_the_stores_is_not_known() -> None:
    zoned = NOON.astimezone(timezone(timedelta(minutes=KYIV)))
    profile = published(a_receipt(occurred_at=zoned, utc_offset_minutes=None))
    assert profile.hours[14] == 1


def test_favourites_are_the_groups_on_the_most_visits_then_those_paid_most_for() -> None:
    profile = published(
        a_receipt(1, lines=(a_line(1, group="dairy"), a_line(2, group="bakery", amount=5_000))),
        a_receipt(2, lines=(a_line(1, group="dairy"), a_line(2, group="wine", amount=9_000))),
        a_receipt(3, lines=(a_line(1, group=None),)),
    )
    assert [f.group for f in profile.favourites] == ["dairy", "wine", "bakery"]
    assert [f.purchases for f in profile.favourites] == [2, 1, 1]


def test_goods_that_came_back_are_no_favourites() -> None:
    receipt = a_receipt(1, lines=(a_line(1, group="dairy"), a_line(2, group="bakery")))
    [dairy, _] = a_return(receipt).lines
    back = a_return(receipt, complete=False, refund=dairy.refund, lines=(dairy,))
    assert [f.group for f in published(receipt, back).favourites] == ["bakery"]


def test_the_promo_share_is_of_the_purchases_that_are_left() -> None:
    promo = a_receipt(1, redemptions=(a_redemption(discount=10),))
    returned = a_receipt(2, redemptions=(a_redemption(discount=10),))
    plain = [a_receipt(n) for n in (3, 4)]
    assert published(promo, returned, a_return(returned), *plain).promo_share == 3_333


def test_90_days_end_90_days_after_a_purchase() -> None:
    assert published(a_receipt(), now=90 * DAY - timedelta(seconds=1)).purchases_90_days == 1
    assert published(a_receipt(), now=90 * DAY).purchases_90_days == 0


def test_the_last_purchase_is_the_last_that_did_not_come_back() -> None:
    second = a_receipt(2, occurred_at=NOON + DAY)
    profile = published(a_receipt(1), second, a_return(second))
    assert profile.last_purchase_at == NOON


def test_codes_of_everybody_are_not_counted_as_offered_to_the_customer() -> None:
    state = folded(a_receipt(redemptions=(a_redemption(emission_id="welcome"),)))
    state.codes["mine"] = type(state.codes["welcome"])(offered=3, used=1)
    codes = summarise("c-1", 1, state, NOON).codes
    assert (codes.offered, codes.used, codes.unused, codes.receipts_with_code) == (3, 1, 2, 1)
