"""Gifts: what a sale names is what was taken; what is not of the list was given without right."""

import pytest

from services.evaluator import receipt
from services.evaluator.counters import Counter, Counters
from shared.events.benefits import GiftGoods
from shared.events.checkout import GivenBenefit
from shared.events.values import Gift
from tests.builders import campaign, cart, instrument, ruleset, sale
from tests.unit.evaluator.test_receipt import circumstances, statuses

ONLY = "campaign-1/instrument-1"


def test_a_gift_that_is_not_taken_is_no_redemption() -> None:
    rules = ruleset(campaign(instruments=[instrument(benefit=GiftGoods(gifts=(Gift(sku="mug"),)))]))
    slots = Counters({})
    asked = cart()
    held = receipt.answer(
        asked, receipt.open_receipt(asked), circumstances(asked, rules), slots
    ).receipt
    refused = receipt.record(sale(), held, circumstances(sale(), rules), slots)
    taking = GivenBenefit(
        campaign_id="campaign-1", instrument_id="instrument-1", gifts=(Gift(sku="mug"),)
    )
    taken = receipt.record(sale(given=[taking]), held, circumstances(sale(), rules), slots)
    assert statuses(refused.receipt) == ["released"]
    assert statuses(taken.receipt) == ["committed"]


@pytest.mark.parametrize(("sku", "status"), [("cap", "committed"), ("tv", "unauthorised")])
def test_goods_that_are_not_of_the_list_are_given_without_right(sku: str, status: str) -> None:
    one_of_two = GiftGoods(gifts=(Gift(sku="mug"), Gift(sku="cap")), choose=1)
    capped = instrument(benefit=one_of_two, max_redemptions=5)
    rules, asked, slots = (
        ruleset(campaign(instruments=[capped])),
        cart(),
        Counters({ONLY: Counter(cap=5)}),
    )
    held = receipt.answer(
        asked, receipt.open_receipt(asked), circumstances(asked, rules), slots
    ).receipt
    taking = GivenBenefit(
        campaign_id="campaign-1", instrument_id="instrument-1", gifts=(Gift(sku=sku),)
    )
    recorded = receipt.record(sale(given=[taking]), held, circumstances(asked, rules), slots)
    assert statuses(recorded.receipt) == [status]
    assert (slots[ONLY].held, slots[ONLY].used) == (0, status == "committed")
