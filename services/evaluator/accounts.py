"""Bonus accounts and payments as one transaction sees them: its working copy of what it has locked. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from services.evaluator import account as points_account
from services.evaluator import payment as points_payment
from services.evaluator.account import Account, Lot
from services.evaluator.bonuses import Cause, Entry, Movement, accrual_id, entry_id
from services.evaluator.payment import Payment, Points


class Accounts:
    """The accounts of customers and the payments of receipts, settled at ``now``.

    ``movements`` are what has moved since they were loaded. Asking for a customer who was not named when
    they were loaded is a ``KeyError``: what is not locked must not be changed. So is asking for more than to
    give points to those who are ``earning``: they owe nothing, and what they have was not loaded.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        payments: Iterable[Payment],
        now: datetime,
        earning: Iterable[str] = (),
    ) -> None:
        self.now = now
        self.movements: list[Movement] = []
        self.payments: dict[str, Payment] = {p.receipt_id: p for p in payments}
        self._earning = frozenset(earning)
        self._accounts = {account.customer_id: account for account in accounts}
        self._accounts |= {customer_id: Account(customer_id) for customer_id in self._earning}
        self._before = dict(self._accounts)
        self._payments_before = dict(self.payments)
        for account in self._before.values():
            self._keep(*points_account.settled(account, now))

    def __contains__(self, customer_id: str) -> bool:
        return customer_id in self._accounts and customer_id not in self._earning

    def __getitem__(self, customer_id: str) -> Account:
        if customer_id in self._earning:
            raise KeyError(customer_id)
        return self._accounts[customer_id]

    @property
    def entries(self) -> list[Entry]:
        """Both sides of each movement."""
        return [entry for movement in self.movements for entry in movement.entries]

    @property
    def changed(self) -> list[Account]:
        """The accounts that are not as they were, in the order of ids, with only the changed lots."""
        found = []
        for customer_id, account in sorted(self._accounts.items()):
            before = self._before[customer_id]
            if account is not before:
                known = {lot.lot_id: lot for lot in before.lots}
                lots = tuple([lot for lot in account.lots if known.get(lot.lot_id) is not lot])
                if lots or account.debt != before.debt:
                    found.append(replace(account, lots=lots))
        return found

    @property
    def changed_debts(self) -> dict[str, int]:
        """What they owe now who owed something else, by customer, in the order of ids."""
        return {
            customer_id: account.debt
            for customer_id, account in sorted(self._accounts.items())
            if account.debt != self._before[customer_id].debt
        }

    @property
    def changed_payments(self) -> list[Payment]:
        """The payments that are not as they were, in the order of receipts' ids."""
        return [
            payment
            for receipt_id, payment in sorted(self.payments.items())
            if self._payments_before.get(receipt_id) != payment
        ]

    def balance(self, customer_id: str) -> int:
        """The customer's active points less what they owe."""
        return points_account.balance(self[customer_id], self.now)

    def available(self, customer_id: str, receipt_id: str) -> int:
        """What the customer can pay with on a receipt: what it holds already counts as free."""
        free = points_account.available(self[customer_id], self.now)
        return free + self.held(customer_id, receipt_id)

    def points(self, customer_id: str, receipt_id: str, share: int) -> Points:
        """What the customer has when a receipt is decided, of which ``share`` may be paid with points."""
        balance, available = self.balance(customer_id), self.available(customer_id, receipt_id)
        return Points(balance, available, share)

    def held(self, customer_id: str, receipt_id: str) -> int:
        """What a receipt holds of the customer's points."""
        payment = self.payments.get(receipt_id)
        return payment.held_of(customer_id) if payment else 0

    def forfeit(self, customer_id: str) -> None:
        """Give what is free of the customer's points back to their campaigns."""
        self._keep(*points_account.forfeited(self[customer_id], self.now))

    def accrue(self, customer_id: str, lot: Lot, cause: Cause) -> None:
        """Give a customer the points of a lot, named after what earned them."""
        self._keep(*points_account.accrue(self._accounts[customer_id], lot, cause, self.now))

    def hold(
        self, receipt_id: str, customer_id: str, store_id: str, wanted: int, expires_at: datetime
    ) -> int:
        """Hold points for a receipt, in place of what it held; how many: those there are, at most."""
        payment = self._payment(receipt_id, customer_id, store_id)
        account = self[customer_id]
        held = points_payment.hold(account, payment, wanted, expires_at, self.now)
        return self._pay(*held).points

    def release(self, receipt_id: str, status: Literal["released", "expired"] = "released") -> None:
        """End a receipt's hold, if it has one."""
        payment = self.payments.get(receipt_id)
        if payment is not None and payment.status == "held":
            account = self[payment.customer_id]
            self._pay(*points_payment.release(account, payment, status, self.now))

    def spend(
        self, receipt_id: str, customer_id: str, store_id: str, wanted: int, occurred_at: datetime
    ) -> int:
        """Pay on a receipt, with what it holds first; how many points could be paid.

        What it holds beyond that is free again.
        """
        payment = self._payment(receipt_id, customer_id, store_id)
        account = self[customer_id]
        return self._pay(
            *points_payment.spend(account, payment, wanted, occurred_at, self.now)
        ).points

    def refund(
        self,
        receipt_id: str,
        refunded: int,
        paid: int,
        return_id: str,
        occurred_at: datetime,
        most: int,
    ) -> int:
        """Give back points for a return (``payment.refund``); how many that are."""
        payment = self.payments.get(receipt_id)
        if payment is None:
            return 0
        account = self[payment.customer_id]
        back = points_payment.refund(
            account, payment, refunded, paid, return_id, occurred_at, self.now, most
        )
        return self._pay(*back).refunded - payment.refunded

    def take_back(
        self, customer_id: str, redemption_id: str, points: int, return_id: str, cause: Cause
    ) -> int:
        """Take back what a redemption on a returned sale had earned; how many points."""
        name = entry_id("t", redemption_id, return_id)
        account, movements = points_account.take_back(
            self[customer_id], accrual_id(redemption_id), points, name, cause, self.now
        )
        self._keep(account, movements)
        return -sum(m.entry.points for m in movements if m.entry.entry_id == name)

    def _payment(self, receipt_id: str, customer_id: str, store_id: str) -> Payment:
        """The receipt's payment by this customer; what another one held for it is free again."""
        before = self.payments.get(receipt_id)
        if before is not None and before.customer_id == customer_id:
            return before
        self.release(receipt_id)
        return Payment(receipt_id, customer_id, store_id)

    def _pay(self, account: Account, payment: Payment, movements: list[Movement]) -> Payment:
        self._keep(account, movements)
        if payment.parts or payment.receipt_id in self.payments:
            self.payments[payment.receipt_id] = payment
        return payment

    def _keep(self, account: Account, movements: list[Movement]) -> None:
        self._accounts[account.customer_id] = account
        self.movements += movements
