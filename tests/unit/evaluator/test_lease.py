"""Leases: what a store keeps of a limit while it has no network; the cap holds whatever happens."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from services.evaluator import lease as leases
from services.evaluator import receipt
from services.evaluator.counters import Counter, Counters
from services.evaluator.lease import Lease
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.receipt import Receipt
from services.evaluator.redemption import Redemption
from shared.events.checkout import Sale
from shared.events.promotion import LimitRule, Rolling
from tests.builders import NOON, campaign, code, given, instrument, ruleset, sale, sold_line
from tests.unit.evaluator.test_receipt import CAP, WELCOME, circumstances, welcome

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def limited(cap: int) -> Ruleset:
    """WELCOME as ``test_receipt`` has it, with another cap."""
    return ruleset(campaign(instruments=[instrument(conditions=[code("WELCOME", cap=cap)])]))


FIVE = limited(5)


def a_lease(amount: int = 1, limit_id: str = CAP, **values: object) -> Lease:
    fields: dict[str, object] = {
        "lease_id": "lease-1",
        "store_id": "store-1",
        "condition": "code",
        "granted_at": NOON - HOUR,
        "expires_at": NOON + HOUR,
        **values,
    }
    return Lease(
        limit_id=limit_id,
        campaign_id="campaign-1",
        instrument_id="instrument-1",
        amount=amount,
        **fields,  # type: ignore[arg-type]
    )


def leased(cap: int, lease: Lease, used: int = 0) -> Counters:
    """A limit of which nothing is free but what is neither used nor the lease's."""
    counter = Counter(cap, used=used, leased=lease.left)
    return Counters({lease.limit_id: counter}, {lease.lease_id: lease})


def offline(
    lease_id: str | None = "lease-1", discount: int = 1_000, amount: int = 10_000, **values: object
) -> Sale:
    """A sale with WELCOME that no cart came before."""
    benefit = given(discount=discount).model_copy(update={"lease_id": lease_id})
    sold = sold_line(amount=amount, discount=discount)
    return sale([sold], [benefit], codes=["WELCOME"], **values)


def recorded(sold: Sale, slots: Counters, rules: Ruleset = WELCOME) -> Redemption:
    known = receipt.open_receipt(sold)
    after = receipt.record(sold, known, circumstances(sold, rules), slots).receipt
    [redemption] = after.redemptions.values()
    return redemption


def counts(slots: Counters, limit_id: str = CAP) -> tuple[int, int, int]:
    counter = slots[limit_id]
    return counter.held, counter.leased, counter.used


def test_a_sale_given_offline_takes_a_slot_of_its_lease_while_the_limit_is_full() -> None:
    slots = leased(2, a_lease(), used=1)
    redemption = recorded(offline(), slots)
    assert (redemption.status, redemption.lease_id) == ("committed", "lease-1")
    assert counts(slots) == (0, 0, 2)
    assert slots.drawn["lease-1"].used == 1


def test_what_a_store_has_leased_is_free_for_nobody_else() -> None:
    slots = leased(2, a_lease(), used=1)
    asked = welcome()
    answer = receipt.answer(asked, receipt.open_receipt(asked), circumstances(asked), slots)
    assert [x.reason for x in answer.decision.not_applied] == ["limit_reached"]
    assert recorded(offline(lease_id=None), slots).status == "unauthorised"
    assert counts(slots) == (0, 1, 1)


@pytest.mark.parametrize(
    ("lease", "status"),
    [
        (a_lease(granted_at=NOON), "committed"),
        (a_lease(granted_at=NOON + SECOND), "unauthorised"),
        (a_lease(expires_at=NOON + SECOND), "committed"),
        (a_lease(expires_at=NOON), "unauthorised"),
        (a_lease(store_id="store-2"), "unauthorised"),
        (a_lease(lease_id="lease-2"), "unauthorised"),
        (a_lease(used=1), "unauthorised"),
        (a_lease(status="returned", ended_at=NOON), "unauthorised"),
    ],
)
def test_a_lease_covers_sales_of_its_store_and_time_until_it_is_used_up_or_returned(
    lease: Lease, status: str
) -> None:
    slots = leased(1, lease)
    slots[CAP].used = 1 - lease.left
    assert recorded(offline(), slots).status == status


def test_a_sale_that_its_lease_does_not_cover_takes_a_free_slot_if_there_is_one() -> None:
    slots = leased(2, a_lease(store_id="store-2"))
    redemption = recorded(offline(), slots)
    assert (redemption.status, redemption.lease_id) == ("committed", None)
    assert counts(slots) == (0, 1, 1)


def test_a_sale_comes_as_late_as_it_likes_until_the_lease_is_reconciled() -> None:
    lease = a_lease(expires_at=NOON + SECOND)
    slots = leased(1, lease)
    assert lease.status_at(NOON + HOUR) == "expired"
    assert recorded(offline(), slots).status == "committed"  # no clock was asked
    assert slots.end_lease("lease-1", NOON + HOUR).status == "reconciled"


def test_a_lease_gives_its_slot_also_when_the_cap_was_lowered_meanwhile() -> None:
    slots = leased(1, a_lease(), used=5)
    assert slots.free(Limit(CAP, 1)) == -5
    assert recorded(offline(), slots, limited(1)).status == "committed"
    assert recorded(offline(), slots, limited(1)).status == "unauthorised"


def test_a_receipt_that_still_holds_its_slot_uses_that_and_leaves_the_lease() -> None:
    slots = leased(5, a_lease(), used=1)
    asked = welcome()
    known = receipt.open_receipt(asked)
    held = receipt.answer(asked, known, circumstances(asked, FIVE), slots).receipt
    sold = offline()
    receipt.record(sold, held, circumstances(sold, FIVE), slots)
    assert counts(slots) == (0, 1, 2)


def test_after_its_hold_a_sale_takes_of_the_lease_that_it_was_given_of() -> None:
    slots = Counters({CAP: Counter(cap=1)}, {})
    asked = welcome()
    held = receipt.answer(asked, receipt.open_receipt(asked), circumstances(asked), slots).receipt
    expired = receipt.expire(held, slots)
    slots.grant(a_lease())
    sold = offline()
    [redemption] = receipt.record(
        sold, expired, circumstances(sold), slots
    ).receipt.redemptions.values()
    assert (redemption.status, counts(slots)) == ("committed", (0, 0, 1))


def test_other_limits_are_taken_as_usual_together_or_not_at_all() -> None:
    rules = ruleset(
        campaign(instruments=[instrument(max_redemptions=5, limits=(LimitRule(money=1_000),))])
    )
    money = "campaign-1/instrument-1/~money"
    lease = a_lease(limit_id="campaign-1/instrument-1")
    for used, status in ((0, "committed"), (1, "unauthorised")):
        slots = Counters(
            {lease.limit_id: Counter(5, used=4, leased=1), money: Counter(1_000, used=used)},
            {lease.lease_id: lease},
        )
        assert recorded(offline(), slots, rules).status == status
        assert counts(slots, lease.limit_id) == ((0, 0, 5) if status == "committed" else (0, 1, 4))


@pytest.mark.parametrize(("left", "status"), [(1_000, "committed"), (999, "unauthorised")])
def test_a_lease_of_money_pays_a_benefit_whole_or_not_at_all(left: int, status: str) -> None:
    rules = ruleset(campaign(instruments=[instrument(limits=(LimitRule(money=2_500),))]))
    lease = a_lease(left, "campaign-1/instrument-1/~money")
    slots = leased(2_500, lease, used=2_500 - left)
    assert recorded(offline(), slots, rules).status == status
    rest = (0, 2_500) if status == "committed" else (left, 2_500 - left)
    assert counts(slots, lease.limit_id) == (0, *rest)


def test_a_lease_counts_in_every_window_of_a_rolling_limit() -> None:
    limit_id = "campaign-1/instrument-1@30d"
    rules = ruleset(
        campaign(
            instruments=[instrument(max_redemptions=2, processing_period=Rolling(days=30))],
            ends_at=NOON + timedelta(days=90),
        )
    )
    lease = a_lease(limit_id=limit_id, expires_at=NOON + timedelta(days=50))
    slots = leased(2, lease)
    assert slots.free(Limit(limit_id, 2, since=NOON + timedelta(days=40))) == 1
    assert recorded(offline(), slots, rules).status == "committed"
    assert slots.moved == {(limit_id, NOON): 1}
    assert slots.free(Limit(limit_id, 2, since=NOON - HOUR)) == 1
    assert slots.free(Limit(limit_id, 2, since=NOON)) == 2


def test_a_returned_lease_frees_what_is_left_of_it_once() -> None:
    slots = leased(5, leases.take(a_lease(3), 1), used=1)
    ended = slots.end_lease("lease-1", NOON)
    assert (ended.status, ended.ended_at, counts(slots)) == ("returned", NOON, (0, 0, 1))
    assert slots.end_lease("lease-1", NOON + HOUR) == ended
    assert counts(slots) == (0, 0, 1)


def test_no_more_than_is_left_can_be_taken_of_a_lease() -> None:
    with pytest.raises(ValueError, match="1 left"):
        leases.take(a_lease(2, used=1), 2)


class CapHolds(RuleBasedStateMachine):
    """Whatever carts, sales and leases come in whatever order: free + held + leased + used = cap = 5."""

    receipts = Bundle("receipts")
    granted = Bundle("granted")

    def __init__(self) -> None:
        super().__init__()
        self.slots = Counters({CAP: Counter(cap=5)})
        self.known: dict[str, Receipt] = {}
        self.names: list[str] = []

    @property
    def free(self) -> int:
        return self.slots.free(Limit(CAP, 5))

    @rule(target=granted, amount=st.integers(1, 6))
    def grant(self, amount: int) -> str:
        name = f"lease-{len(self.names)}"
        if amount <= self.free:
            self.slots.grant(a_lease(amount, lease_id=name))
        self.names.append(name)
        return name

    @rule(lease_id=granted, later=st.sampled_from([SECOND, 2 * HOUR]))
    def end(self, lease_id: str, later: timedelta) -> None:
        if self.slots.lease(lease_id):
            self.slots.end_lease(lease_id, NOON + later)

    @rule(target=receipts)
    def check_out(self) -> str:
        asked = welcome(receipt_id=f"receipt-{len(self.known)}")
        known = receipt.open_receipt(asked)
        answer = receipt.answer(asked, known, circumstances(asked, FIVE), self.slots)
        self.known[asked.receipt_id] = answer.receipt
        return asked.receipt_id

    @rule(receipt_id=receipts)
    def expire(self, receipt_id: str) -> None:
        self.known[receipt_id] = receipt.expire(self.known[receipt_id], self.slots)

    @rule(receipt_id=consumes(receipts), lease_id=st.none() | granted)
    def pay(self, receipt_id: str, lease_id: str | None) -> None:
        self._sell(self.known[receipt_id], offline(lease_id, receipt_id=receipt_id))

    @rule(lease_id=st.none() | granted)
    def sell_offline(self, lease_id: str | None) -> None:
        sold = offline(lease_id, receipt_id=f"receipt-{len(self.known)}")
        self._sell(receipt.open_receipt(sold), sold)

    def _sell(self, known: Receipt, sold: Sale) -> None:
        given = circumstances(sold, FIVE)
        self.known[sold.receipt_id] = receipt.record(sold, known, given, self.slots).receipt

    @invariant()
    def the_cap_holds_exactly(self) -> None:
        held, leased, used = counts(self.slots)
        assert self.free >= 0
        assert self.free + held + leased + used == 5
        granted = [self.slots.lease(name) for name in self.names]
        assert leased == sum(one.left for one in granted if one)
        redemptions = [r for one in self.known.values() for r in one.redemptions.values()]
        assert used == sum(r.status == "committed" for r in redemptions)
        assert held == sum(r.status == "held" for r in redemptions)
        assert sum(one.used for one in granted if one) == sum(
            r.lease_id is not None for r in redemptions
        )


TestCapHolds = CapHolds.TestCase
TestCapHolds.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
