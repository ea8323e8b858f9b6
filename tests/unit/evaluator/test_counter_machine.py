"""The counter beside its model: whatever tills send in whatever order, both answer the same. No servers."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace as changed

from services.evaluator import receipt
from services.evaluator.account import Lot, account_of
from services.evaluator.accounts import Accounts
from services.evaluator.batch import Batch
from services.evaluator.counters import Counter, Counters
from services.evaluator.desk import Ordered, _event_of
from services.evaluator.facts import Facts, incoming
from services.evaluator.hearing import Hearing
from services.evaluator.orders import Cancel, Confirm
from services.evaluator.payment import Payment
from services.evaluator.promotion.ruleset import Considered, Ruleset
from services.evaluator.purchases import Histories, PaidReceipt
from services.evaluator.receipt import ConflictError, Receipt, event_key_of
from services.evaluator.redemption import Key, Redemption
from services.evaluator.store.ledger import Seen
from services.evaluator.store.reference import KnownCode, KnownCustomer, Place
from shared import codes
from shared.codec import encode
from shared.events.checkout import Cart, Confirmation, Sale
from tests import counter_commands as commands
from tests import counter_receipt as expected_receipt
from tests import counter_tills as tills
from tests.builders import CODE_KEY, ruleset, utc
from tests.counter_commands import Ask, Plan, Refused
from tests.counter_model import OPENING, CounterModel
from tests.counter_receipt import figures

NOW = utc(2026, 12, 10, 12)
HOLD = timedelta(minutes=15)
CUSTOMERS = ("C1", "C2")
WELCOME = codes.digest("WELCOME", CODE_KEY)


class Ledger:
    """The desk's work with tables in memory: of a batch only what it says has changed is saved."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ruleset: Ruleset = ruleset(tills.campaign_of(plan, 1, NOW))
        self.receipts: dict[str, Receipt] = {}
        self.redemptions: dict[str, dict[Key, Redemption]] = {}
        self.limits: dict[str, tuple[int, int]] = {}
        self.lots: dict[str, dict[str, Lot]] = {
            c: {f"b-{c}": Lot(f"b-{c}", "before", OPENING.get(c, 0), NOW)} for c in CUSTOMERS
        }
        self.debts: dict[str, int] = {}
        self.payments: dict[str, Payment] = {}
        self.entries: list[int] = []
        self.seen: dict[bytes, Seen] = {}
        self.bodies: dict[bytes, bytes] = {}
        self.paid: dict[str, PaidReceipt] = {}
        self.batch = self._load()

    def _load(self) -> Batch:
        receipts = {
            i: changed(known, redemptions=dict(self.redemptions.get(i, {})))
            for i, known in self.receipts.items()
        }
        caps = CounterModel(self.plan).caps(CUSTOMERS)
        counters = {i: Counter(cap, *self.limits.get(i, (0, 0))) for i, cap in caps.items()}
        accounts = [account_of(c, self.lots[c].values(), self.debts.get(c, 0)) for c in CUSTOMERS]
        return Batch(
            facts=Facts(
                now=NOW,
                ruleset=self.ruleset,
                places={"store-1": Place("West", "EUR", "UTC")},
                customers={c: KnownCustomer() for c in CUSTOMERS},
                digests={"WELCOME": WELCOME},
                codes={WELCOME: KnownCode("WELCOME")},
                hold=HOLD,
            ),
            seen=dict(self.seen),
            receipts=receipts,
            new=set(),
            paid=dict(self.paid),
            histories=Histories({}),
            hearing=Hearing(),
            counters=Counters(counters),
            accounts=Accounts(accounts, self.payments.values(), NOW),
            funds={},
        )

    def commit(self) -> None:
        """Save what has changed, and load it again."""
        batch = self.batch
        self.receipts |= {i: changed(r, redemptions={}) for i, r in batch.changed.items()}
        for receipt_id, one in batch.redemptions.values():
            self.redemptions.setdefault(receipt_id, {})[one.key] = one
        for limit_id in batch.counters.changed:
            counter = batch.counters[limit_id]
            self.limits[limit_id] = counter.held, counter.used
        for account in batch.accounts.changed:
            self.lots[account.customer_id] |= {lot.lot_id: lot for lot in account.lots}
            self.debts[account.customer_id] = account.debt
        self.payments |= {p.receipt_id: p for p in batch.accounts.changed_payments}
        self.entries += [entry.points for entry in batch.accounts.entries]
        self.seen |= {
            a.event_key: Seen(a.body_digest, a.answer or a.decision) for a in batch.applied
        }
        self.bodies |= {a.event_key: a.body for a in batch.applied}
        self.paid |= {p.receipt_id: p for p in batch.sold} | batch.returned
        self.batch = self._load()

    def edit(self, plan: Plan, *, running: bool) -> None:
        """A new version of the campaign, between batches."""
        self.plan = plan
        self.ruleset = ruleset(tills.campaign_of(plan, 2, NOW, running=running))
        self.commit()

    def expire(self, receipt_id: str) -> None:
        """The receipt's hold is over."""
        known = self.batch.receipts.get(receipt_id)
        if known is not None:
            after = receipt.expire(known, self.batch.counters)
            self.batch._change(known, after, b"")
            self.batch.accounts.release(receipt_id, "expired")

    def take(self, event_id: str, command: commands.Command) -> commands.Answer:
        """What the sender of a command is told."""
        batch = self.batch
        try:
            if isinstance(command, commands.Order):
                order = (
                    Cancel(command.receipt)
                    if command.cancel
                    else Confirm(
                        command.receipt, Confirmation(payments=tills.payments(command.pay))
                    )
                )
                ordered = Ordered(order, event_id, repr(command).encode())
                bodies = self.bodies | {a.event_key: a.body for a in batch.applied}
                known = {i: batch.receipts[i] for i in self.receipts.keys() | batch.changed.keys()}
                carts = {
                    receipt_id: bodies.get(event_key_of(one.decision.decision_id), b"{}")
                    for receipt_id, one in known.items()
                    if one.decision
                }
                came = _event_of(ordered, known, carts, NOW)
            else:
                event = tills.event_of(command, NOW)
                came = incoming(event, event_id, encode(event), waiting=True)
                if event.intent != "return":
                    batch.receipts.setdefault(event.receipt_id, receipt.open_receipt(event))
            return tills.answer_of(batch.take(came, self._considered(came.event)))
        except ConflictError as refused:
            return Refused(refused.reason)

    def _considered(self, event: object) -> Considered:
        if isinstance(event, Cart | Sale):
            return self.batch.facts.consider(event)
        return self.batch.facts.consider_nothing()


receipts = st.sampled_from(["r-1", "r-2", "r-3", "r-4"])
asks = st.builds(
    Ask,
    customer=st.sampled_from(["C1", "C1", "C2", None]),
    code=st.sampled_from([True, True, True, False]),
    lines=st.lists(st.sampled_from([1_000, 3_000, 12_340]), min_size=1, max_size=2).map(tuple),
    pay=st.sampled_from([90, 0, 30, 9_999]),
)
plans = st.builds(
    Plan,
    code=st.sampled_from([2, 3, 1]),
    in_all=st.sampled_from([3, 2, 1]),
    each=st.sampled_from([None, 2, 1]),
    budget=st.sampled_from([9_000, 3_000, 1_000, 200]),
    altogether=st.sampled_from([6, 4, 2, 1]),
    rewards=st.sampled_from([3, 2, 1]),
    keeps=st.booleans(),
)


class Counting(RuleBasedStateMachine):
    """Every step is one command to both, in batches that end anywhere."""

    @initialize(plan=plans)
    def start(self, plan: Plan) -> None:
        self.model = CounterModel(plan)
        self.ledger = Ledger(plan)
        self.sent: list[tuple[str, commands.Command]] = []

    def send(self, command: commands.Command, event_id: str | None = None) -> None:
        """Both are told, and must say the same."""
        name = event_id or f"e-{len(self.sent)}"
        expected = self.model.apply(_named(command, name), command)
        found = self.ledger.take(name, command)
        assert tills.agree(expected, found), f"{command}: {expected}, not {found}"
        self.sent.append((name, command))

    @rule(receipt=receipts, ask=asks, step=st.sampled_from([1, 1, -1, 0, 2]))
    def check_out(self, receipt: str, ask: Ask, step: int) -> None:
        self.send(tills.checkout_of(self.model, receipt, ask, step))

    @rule(receipt=receipts, ask=asks)
    def quote(self, receipt: str, ask: Ask) -> None:
        self.send(tills.checkout_of(self.model, receipt, ask, 1, "quote"))

    @rule(receipt=receipts, ask=asks, step=st.sampled_from([1, 1, 0]))
    def cancel(self, receipt: str, ask: Ask, step: int) -> None:
        self.send(tills.checkout_of(self.model, receipt, ask, step, "cancel"))

    @rule(
        receipt=receipts,
        ask=asks,
        gave=st.sampled_from(
            ["decided", "decided", "less", "more", "nothing", "zero", "something"]
        ),
        same_card=st.sampled_from([True, True, False]),
    )
    def sell(self, receipt: str, ask: Ask, gave: tills.Gave, *, same_card: bool) -> None:
        self.send(tills.sale_of(self.model, receipt, ask, gave, same_card=same_card))

    @rule(
        receipt=receipts,
        ask=asks,
        gave=st.sampled_from(["decided", "nothing", "less", "more"]),
        more=st.sampled_from([0, 30]),
        returned=st.booleans(),
    )
    def check_out_and_pay(
        self, receipt: str, ask: Ask, gave: tills.Gave, more: int, *, returned: bool
    ) -> None:
        self.send(tills.checkout_of(self.model, receipt, ask, 1))
        ask = replace(ask, pay=ask.pay + more)
        self.send(tills.sale_of(self.model, receipt, ask, gave, same_card=True))
        if returned:
            self.take_back(receipt, 1, 0)

    @rule(first=receipts, second=receipts, ask=asks, expired=st.booleans(), order=st.booleans())
    def meet_at_the_last_slot(
        self, first: str, second: str, ask: Ask, *, expired: bool, order: bool
    ) -> None:
        """The cap is what is in use; who has a slot keeps it, and nobody else gets one."""
        ask = replace(ask, code=True, pay=0)
        self.send(tills.checkout_of(self.model, first, ask, 1))
        cap = self.model.held("campaign-1/ten") + self.model.used("campaign-1/ten")
        self.edit(replace(self.model.plan, in_all=max(1, cap)))
        if expired:
            self.expire(first)
        self.send(tills.checkout_of(self.model, second, ask, 1))
        if order:
            self.order(first, 0, cancel=False)
        else:
            self.sell(first, ask, "decided", same_card=True)

    @rule(receipt=receipts, cancel=st.booleans(), pay=st.sampled_from([0, 30, 9_999]))
    def order(self, receipt: str, pay: int, *, cancel: bool) -> None:
        self.send(commands.Order(receipt, cancel, 0 if cancel else pay))

    @rule(
        receipt=receipts,
        line=st.integers(1, 2),
        quantity=st.sampled_from([0, 0, 333, 1_000, 2_000]),
    )
    def take_back(self, receipt: str, line: int, quantity: int) -> None:
        self.send(tills.return_of(self.model, receipt, line, quantity))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        event_id, command = data.draw(st.sampled_from(self.sent))
        self.send(command, event_id)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_another_under_the_same_name(self, data: st.DataObject) -> None:
        event_id, command = data.draw(st.sampled_from(self.sent))
        match command:
            case commands.Checkout() | commands.Sale():
                ask = replace(command.ask, lines=(*command.ask.lines, 2_000))
                self.send(replace(command, ask=ask), event_id)
            case commands.Return():
                self.send(replace(command, lines=((1, 100),)), event_id)

    @rule(receipt=receipts)
    def expire(self, receipt: str) -> None:
        self.model.expire(receipt)
        self.ledger.expire(receipt)

    @rule(plan=plans)
    def edit(self, plan: Plan) -> None:
        """Caps change; what is capped, and what returns do, does not."""
        each = plan.each or 1 if self.model.plan.each else None
        self.model.plan = replace(plan, each=each, keeps=self.model.plan.keeps)
        self.ledger.edit(self.model.plan, running=self.model.running)

    @rule(rarely=st.integers(0, 5))
    def pause_or_go_on(self, rarely: int) -> None:
        self.model.running = not self.model.running or rarely > 0
        self.ledger.edit(self.model.plan, running=self.model.running)

    @rule()
    def end_the_batch(self) -> None:
        self.ledger.commit()

    @invariant()
    def free_and_held_and_used_are_the_cap(self) -> None:
        counters = self.ledger.batch.counters
        for limit, cap in self.model.caps(CUSTOMERS).items():
            counter = counters[limit]
            found = counter.held, counter.used, counter.free()
            held, used = self.model.held(limit), self.model.used(limit)
            assert found == (held, used, cap - held - used), limit

    @invariant()
    def receipts_have_what_the_model_says(self) -> None:
        for name, known in self.ledger.batch.receipts.items():
            expected = self.model.receipts.get(name, expected_receipt.Receipt())
            assert known.status == expected.state
            found = {
                r.instrument_id: figures(
                    r.status, r.discount, r.bonuses, r.mismatch, r.returned, r.bonuses_returned
                )
                for r in known.redemptions.values()
            }
            assert found == {name: use.figures for name, use in expected.uses.items()}

    @invariant()
    def points_are_where_the_model_has_them(self) -> None:
        accounts = self.ledger.batch.accounts
        for customer in CUSTOMERS:
            assert accounts.balance(customer) == self.model.balance.get(customer, 0)
        held = {
            i: (p.customer_id, p.points) for i, p in accounts.payments.items() if p.status == "held"
        }
        assert held == {i: r.hold for i, r in self.model.receipts.items() if r.hold}
        assert sum(self.ledger.entries) + sum(e.points for e in accounts.entries) == 0


def _named(command: commands.Command, name: str) -> str:
    """Event ids are the terminal's own, on each topic."""
    return f"{type(command).__name__}/{name}"


Counting.TestCase.settings = settings(
    max_examples=80, stateful_step_count=30, deadline=None, derandomize=True
)
TestCounting = Counting.TestCase
