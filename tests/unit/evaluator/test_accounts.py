"""Whatever happens to customers' points in whatever order: the ledger adds up, nobody spends what is not there."""

from collections import Counter
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.evaluator import account as points_account
from services.evaluator.account import Account, Lot
from services.evaluator.accounts import Accounts
from services.evaluator.bonuses import Cause, accrual_id, span
from services.evaluator.payment import Payment
from tests.builders import utc

HOUR = timedelta(hours=1)
CUSTOMERS = ("C1", "C2")
RECEIPTS = ("R1", "R2", "R3", "R4")
customers = st.sampled_from(CUSTOMERS)
receipts = st.sampled_from(RECEIPTS)
amounts = st.integers(0, 120)


class Life(RuleBasedStateMachine):
    """Each step is a transaction: what was saved is loaded without the lots that are used up."""

    def __init__(self) -> None:
        super().__init__()
        self.now = utc(2026, 12, 1)
        self.accounts = {c: Account(c) for c in CUSTOMERS}
        self.used_up: dict[str, dict[str, Lot]] = {c: {} for c in CUSTOMERS}
        self.payments: dict[str, Payment] = {}
        self.refunds: Counter[str] = Counter()
        self.earned: list[tuple[str, str, int]] = []
        self.entries: dict[str, list[tuple[str, int]]] = {}

    def load(self, redemption_id: str = "") -> Accounts:
        found = []
        for customer_id, account in self.accounts.items():
            named = self.used_up[customer_id].get(accrual_id(redemption_id))
            lots = [*account.lots, *([named] if named else [])]
            found.append(points_account.account_of(customer_id, lots, account.debt))
        return Accounts(found, self.payments.values(), self.now)

    def save(self, accounts: Accounts) -> None:
        for changed in accounts.changed:
            for lot in changed.lots:
                self.used_up[changed.customer_id].pop(lot.lot_id, None)
                if not lot.points:
                    self.used_up[changed.customer_id][lot.lot_id] = lot
        self.accounts = {
            c: points_account.account_of(
                c, [lot for lot in accounts[c].lots if lot.points], accounts[c].debt
            )
            for c in CUSTOMERS
        }
        self.payments |= {payment.receipt_id: payment for payment in accounts.changed_payments}
        for movement in accounts.movements:
            assert movement.entry.entry_id not in self.entries
            assert movement.entry.points != 0
            self.entries[movement.entry.entry_id] = [
                (e.account, e.points) for e in movement.entries
            ]

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(
        customer=customers,
        points=st.integers(1, 100),
        delay=st.integers(0, 2),
        ends=st.one_of(st.none(), st.integers(1, 3)),
    )
    def earn(self, customer: str, points: int, delay: int, ends: int | None) -> None:
        accounts = self.load()
        name = f"r-{len(self.earned)}"
        lot = Lot(accrual_id(name), "camp", points, *span(self.now, delay, ends))
        accounts.accrue(customer, lot, Cause(occurred_at=self.now, redemption_id=name))
        self.earned.append((customer, name, points))
        self.save(accounts)

    @rule(receipt=receipts, customer=customers, wanted=amounts)
    def hold(self, receipt: str, customer: str, wanted: int) -> None:
        if self.is_paid(receipt):
            return
        accounts = self.load()
        free = accounts.available(customer, receipt)
        held = accounts.hold(receipt, customer, "store-1", wanted, self.now + HOUR)
        assert held == min(wanted, free)
        self.save(accounts)

    @rule(receipt=receipts)
    def let_go(self, receipt: str) -> None:
        accounts = self.load()
        accounts.release(receipt, "expired")
        self.save(accounts)

    @rule(receipt=receipts, customer=customers, wanted=amounts)
    def pay(self, receipt: str, customer: str, wanted: int) -> None:
        if self.is_paid(receipt):
            return
        accounts = self.load()
        free = accounts.available(customer, receipt)
        before = self.unpromised(accounts, customer)
        paid = accounts.spend(receipt, customer, "store-1", wanted, self.now)
        assert paid == min(wanted, free)
        assert self.unpromised(accounts, customer) >= min(0, before)
        self.save(accounts)

    @rule(receipt=receipts, part=st.integers(1, 10))
    def give_back(self, receipt: str, part: int) -> None:
        accounts = self.load()
        self.refunds[receipt] = min(10, self.refunds[receipt] + part)
        name = f"t-{len(self.entries)}-{self.now}"
        accounts.refund(receipt, self.refunds[receipt], 10, name, self.now, most=10**6)
        self.save(accounts)

    @rule(data=st.data(), points=amounts)
    def take_back(self, data: st.DataObject, points: int) -> None:
        if not self.earned:
            return
        customer, name, earned = data.draw(st.sampled_from(self.earned))
        accounts = self.load(name)
        before = accounts.balance(customer)
        taken = accounts.take_back(
            customer, name, points, f"t-{len(self.entries)}", Cause(occurred_at=self.now)
        )
        assert taken <= min(points, earned)
        assert before - taken <= accounts.balance(customer) <= before
        self.save(accounts)

    def is_paid(self, receipt: str) -> bool:
        payment = self.payments.get(receipt)
        return payment is not None and payment.status in ("spent", "returned")

    def unpromised(self, accounts: Accounts, customer: str) -> int:
        return accounts.balance(customer) - points_account.held(accounts[customer])

    @invariant()
    def every_entry_adds_up_to_zero(self) -> None:
        for sides in self.entries.values():
            assert sum(points for _, points in sides) == 0

    @invariant()
    def entries_are_what_remains_less_the_debt(self) -> None:
        sums: Counter[str] = Counter()
        for sides in self.entries.values():
            for name, points in sides:
                sums[name] += points
        for customer, account in self.accounts.items():
            left = sum(lot.points for lot in account.lots)
            assert sums[f"customer/{customer}"] == left - account.debt
        assert sums["store/store-1"] == sum(
            payment.points - payment.refunded
            for payment in self.payments.values()
            if payment.status in ("spent", "returned")
        )

    @invariant()
    def what_receipts_hold_is_what_lots_say(self) -> None:
        held: Counter[str] = Counter()
        for payment in self.payments.values():
            for part in payment.held:
                held[part.lot_id] += part.points
        lots = [lot for account in self.accounts.values() for lot in account.lots]
        assert {lot.lot_id: lot.held for lot in lots if lot.held} == dict(held)
        assert all(0 <= lot.held <= lot.points and lot.returnable >= 0 for lot in lots)


Life.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
