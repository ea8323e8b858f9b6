"""The redemption counter as the domain tells it ("The life of a receipt", "Choosing", "Time"), slow and small.

One campaign: 10% off with the code WELCOME, and fixed points for known customers. Nothing is counted: what is
held and used is added up from all receipts, whenever somebody asks. Shares nothing with the evaluator.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tests.counter_commands import (
    BOUGHT,
    POINTS,
    REWARD,
    SHARE,
    TEN,
    Answer,
    Ask,
    Back,
    Checkout,
    Command,
    Decided,
    Order,
    Plan,
    Refused,
    Return,
    Sale,
    Sold,
    spread,
)
from tests.counter_receipt import Receipt, Status, Use, part

OPENING = {"C1": 500}
"""Points that customers have when a test begins."""


class CounterModel:
    """All receipts, and what is known of events and points."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.running = True
        self.receipts: dict[str, Receipt] = {}
        self.events: dict[str, tuple[Command, Answer]] = {}
        self.keys: dict[str, tuple[Command, Answer]] = {}
        self.balance: dict[str, int] = dict(OPENING)

    # Limits: free + held + used = cap.

    def held(self, limit: str) -> int:
        return self._taken(limit, lambda use: use.status == "held")

    def used(self, limit: str) -> int:
        return self._taken(limit, lambda use: use.status in ("committed", "returned"))

    def _taken(self, limit: str, counts: Callable[[Use], bool]) -> int:
        uses = [use for r in self.receipts.values() for use in r.uses.values()]
        return sum(use.takes.get(limit, 0) for use in uses if counts(use))

    def caps(self, customers: Iterable[str] = ()) -> dict[str, int]:
        """Every limit's cap, by the name that the evaluator's README gives it."""
        plan = self.plan
        caps = {
            "campaign-1/ten/code": plan.code,
            "campaign-1/ten": plan.in_all,
            "campaign-1/ten/~money": plan.budget,
            "campaign-1/~": plan.altogether,
            "campaign-1/points": plan.rewards,
        }
        if plan.each is not None:
            caps |= {f"campaign-1/ten/~customer={c}": plan.each for c in customers}
        return caps

    def _takes(self, instrument: str, customer: str | None, discount: int) -> dict[str, int]:
        if instrument == POINTS:
            return {"campaign-1/points": 1, "campaign-1/~": 1}
        takes = {"campaign-1/ten/code": 1, "campaign-1/ten": 1, "campaign-1/~": 1}
        if self.plan.each is not None:
            takes[f"campaign-1/ten/~customer={customer}"] = 1
        return takes | {"campaign-1/ten/~money": discount}

    def _full(self, takes: Mapping[str, int], besides: Sequence[Use]) -> dict[str, int]:
        """The limits that have no room, with what is left; what ``besides`` hold is free or taken too."""
        customers = [limit.rpartition("=")[2] for limit in takes if "=" in limit]
        caps, full = self.caps(customers), {}
        for limit, amount in takes.items():
            left = caps[limit] - self.held(limit) - self.used(limit)
            left += sum(
                use.takes.get(limit, 0) * (1 if use.status == "held" else -1) for use in besides
            )
            if left < amount:
                full[limit] = max(0, left)
        return full

    # Carts.

    def apply(self, event: str, command: Command, key: str | None = None) -> Answer:
        """An event once; a request with a key once, also if it is refused."""
        if key is not None and key in self.keys:
            known, answer = self.keys[key]
            return answer if known == command else Refused("key_used")
        before = self.events.get(event)
        if before is not None:
            answer = before[1] if before[0] == command else Refused("conflicting_event")
        else:
            answer = self._apply(command)
            # To cancel is an order, not an event: it may be given again.
            is_cancel = isinstance(command, Order) and command.cancel
            if not isinstance(answer, Refused) and not is_cancel:
                self.events[event] = command, answer
        if key is not None:
            self.keys[key] = command, answer
        return answer

    def _apply(self, command: Command) -> Answer:
        match command:
            case Checkout():
                return self._check_out(command)
            case Sale():
                return self._sell(command.receipt, command.ask, command.gave)
            case Order():
                return self._order(command)
            case Return():
                return self._take_back(command)

    def _check_out(self, cart: Checkout) -> Answer:
        known = self.receipts.get(cart.receipt, Receipt())
        if known.state == "paid":
            discount, points = self._as_decided(known)
            return Decided("paid", discount, points)
        if cart.intent == "quote":
            return self._decide(cart.ask, known)[0]
        if cart.revision < known.revision:
            return Decided("superseded")
        if cart.revision == known.revision:
            return (
                known.answer
                if known.last == cart and known.answer
                else Refused("conflicting_revision")
            )
        self.receipts[cart.receipt] = known
        known.revision, known.last = cart.revision, cart
        if cart.intent == "cancel":
            return self._cancel(known)
        answer, uses = self._decide(cart.ask, known)
        for instrument, use in known.uses.items():
            if use.status == "held" and instrument not in uses:
                use.status = "released"
        known.uses |= uses
        known.state, known.ask = "open", cart.ask
        self._remember(known, cart.ask, uses)
        held = min(cart.ask.pay, answer.payable)
        known.hold = (cart.ask.customer, held) if held and cart.ask.customer else None
        known.answer = replace(answer, held=held)
        return known.answer

    def _remember(self, known: Receipt, ask: Ask, uses: Mapping[str, Use]) -> None:
        known.entitled = list(uses)
        known.shares = tuple(amount // 10 if TEN in uses else 0 for amount in ask.lines)
        known.due = sum(ask.lines) - sum(known.shares)

    def _as_decided(self, known: Receipt) -> tuple[int, int]:
        return sum(known.shares), REWARD if POINTS in known.entitled else 0

    def _cancel(self, known: Receipt) -> Answer:
        self._end(known, "released")
        known.state, known.entitled, known.shares = "cancelled", [], ()
        known.answer = Decided("cancelled")
        return known.answer

    def _end(self, known: Receipt, status: Status) -> None:
        for use in known.uses.values():
            if use.status == "held":
                use.status = status
        known.hold = None

    def expire(self, receipt: str) -> None:
        """The hold is over, and the sales have been read past its end."""
        if receipt in self.receipts:
            self._end(self.receipts[receipt], "expired")

    def _decide(self, ask: Ask, known: Receipt) -> tuple[Decided, dict[str, Use]]:
        """The 10% first, then points; what the receipt itself holds is free."""
        own = [use for use in known.uses.values() if use.status == "held"]
        uses: dict[str, Use] = {}
        refused: dict[str, frozenset[tuple[str, str | None, int | None]]] = {}
        for instrument in (TEN, POINTS):
            discount = sum(amount // 10 for amount in ask.lines) if instrument == TEN else 0
            lacks = ask.customer is None and (instrument == POINTS or self.plan.each is not None)
            takes = self._takes(instrument, ask.customer, discount)
            if lacks:
                takes = {limit: n for limit, n in takes.items() if "=" not in limit}
            mine = [replace(use, status="committed") for use in uses.values()]
            full = self._full(takes, [*own, *mine])
            if (instrument == TEN and not ask.code) or (not self.running and instrument == POINTS):
                continue
            if not self.running:
                refused[instrument] = frozenset([("campaign_not_active", None, None)])
            elif lacks or full:
                why = {("limit_reached", _name(limit), left) for limit, left in full.items()}
                unknown = [("customer_unknown", None, None)] if lacks else []
                refused[instrument] = frozenset([*why, *unknown])
            else:
                points = REWARD if instrument == POINTS else 0
                uses[instrument] = Use("held", discount, points, takes)
        discount, points = (
            sum(use.discount for use in uses.values()),
            sum(use.points for use in uses.values()),
        )
        payable = 0
        if ask.customer is not None:
            payable = self._payable(ask.customer, known, sum(ask.lines) - discount)
        return Decided("decided", discount, points, 0, payable, refused), uses

    # Points: the sum of all entries; what is held is not free.

    def _payable(self, customer: str, known: Receipt, to_pay: int) -> int:
        holds = [r.hold for r in self.receipts.values() if r.hold and r.hold[0] == customer]
        free = max(0, self.balance.get(customer, 0) - sum(points for _, points in holds))
        own = known.hold[1] if known.hold and known.hold[0] == customer else 0
        return min(free + own, to_pay // SHARE)

    # Sales.

    def _order(self, order: Order) -> Answer:
        known = self.receipts.get(order.receipt)
        if known is None:
            return Refused("unknown_receipt")
        if known.state == "paid":
            return Refused("already_paid")
        if order.cancel:
            known.revision, known.last = known.revision + 1, None
            return self._cancel(known)
        if known.state == "cancelled" or known.ask is None:
            return Refused("cancelled")
        mine: list[Use] = []
        for instrument in known.entitled:
            use = known.uses[instrument]
            if use.status != "held" and self._full(use.takes, mine):
                return Refused("hold_expired")
            if use.status != "held":
                mine.append(replace(use, status="committed"))
        gave = sum(known.shares) if TEN in known.entitled else None
        return self._sell(order.receipt, replace(known.ask, pay=order.pay), gave)

    def _sell(self, receipt: str, ask: Ask, gave: int | None) -> Answer:
        known = self.receipts.get(receipt, Receipt())
        if known.state == "paid":
            return Refused("already_paid")
        self.receipts[receipt] = known
        decided_for = known.ask.customer if known.ask else ask.customer
        if known.answer is None:
            _, uses = self._decide(ask, known)
            self._remember(known, ask, uses)
            rights = {name: replace(use, status="released") for name, use in uses.items()}
        else:
            rights = {name: known.uses[name] for name in known.entitled}
            if decided_for is None and ask.customer is not None and known.state == "open":
                rights |= self._late_card(ask, rights)
        to_pay = sum(ask.lines) - (gave or 0)
        paid = min(ask.pay, self._payable(ask.customer, known, to_pay)) if ask.customer else 0
        known.state, known.customer, known.hold, known.points_paid = (
            "paid",
            ask.customer,
            None,
            paid,
        )
        known.paid = tuple(a - d for a, d in zip(ask.lines, spread(gave or 0, ask), strict=True))
        settled = set()
        for instrument, use in rights.items():
            self._settle(known, instrument, use, gave, to_pay - paid, ask.customer, decided_for)
            settled.add(instrument)
        if gave and TEN not in settled:
            known.uses[TEN] = Use("unauthorised", gave, 0, {}, gave)
        if ask.customer is not None:
            earned = [u.points for u in known.uses.values() if u.status == "committed"]
            before = self.balance.get(ask.customer, 0)
            self.balance[ask.customer] = before - paid + sum(earned)
        return Sold(
            frozenset(
                (name, use.status, use.discount, use.points, use.mismatch)
                for name, use in known.uses.items()
                if use.status in ("committed", "unauthorised")
            ),
            paid,
            ask.pay - paid,
        )

    def _late_card(self, ask: Ask, rights: Mapping[str, Use]) -> dict[str, Use]:
        """A card shown after the cart was decided earns points, and nothing else."""
        takes = self._takes(POINTS, ask.customer, 0)
        if not self.running or POINTS in rights or self._full(takes, []):
            return {}
        return {POINTS: Use("released", 0, REWARD, takes)}

    def _settle(
        self,
        known: Receipt,
        instrument: str,
        use: Use,
        gave: int | None,
        paid: int,
        customer: str | None,
        decided_for: str | None,
    ) -> None:
        """What was given is committed with its slot, or a free one; points are earned on money paid."""
        was_held = use.status == "held"
        if instrument == POINTS:
            if decided_for is not None and customer != decided_for:
                points = 0
            else:
                points = REWARD if paid >= known.due else part(REWARD, paid, known.due)
            if points and (was_held or not self._full(use.takes, [])):
                known.uses[POINTS] = replace(use, status="committed", points=points)
            elif was_held:
                use.status = "released"
            return
        if not gave:
            if was_held:
                use.status = "released"
            return
        money = min(gave, use.discount)
        takes = use.takes | {"campaign-1/ten/~money": money}
        had = was_held or not self._full(takes, [])
        status: Status = "committed" if had else "unauthorised"
        known.uses[TEN] = Use(status, gave, 0, takes if had else {}, gave - use.discount)

    # Returns.

    def _take_back(self, event: Return) -> Answer:
        known = self.receipts.get(event.receipt)
        if known is None or known.state != "paid":
            return Refused("unknown_receipt")
        left = {
            n: BOUGHT - known.returned.get(n, 0)
            for n in range(1, len(known.paid) + 1)
            if known.returned.get(n, 0) < BOUGHT
        }
        asked = dict(event.lines) or left
        if not asked or any(quantity > left.get(n, 0) for n, quantity in asked.items()):
            return Refused("returned_too_much")
        refund = 0
        for n, quantity in asked.items():
            known.returned[n] = known.returned.get(n, 0) + quantity
            total = part(known.paid[n - 1], known.returned[n], BOUGHT)
            refund += total - known.refunded.get(n, 0)
            known.refunded[n] = total
        complete = all(known.returned.get(n, 0) == BOUGHT for n in range(1, len(known.paid) + 1))
        refunded, paid = sum(known.refunded.values()), sum(known.paid)
        uses = frozenset(
            change
            for name, use in known.uses.items()
            if use.status == "committed"
            for change in [self._undo(known, name, use, refunded, paid, complete=complete)]
            if change
        )
        points = part(known.points_paid, refunded, paid) - known.points_refunded
        known.points_refunded += points
        if known.customer is not None:
            self.balance[known.customer] += points - sum(change[4] for change in uses)
        return Back(refund, points, complete, uses)

    def _undo(
        self, known: Receipt, name: str, use: Use, refunded: int, paid: int, *, complete: bool
    ) -> tuple[str, str, bool, int, int] | None:
        """The discount goes back with its lines, points with the money; the slot with all of the sale."""
        lines = sum(
            part(share, known.returned.get(n, 0), BOUGHT)
            for n, share in enumerate(known.shares, start=1)
        )
        back = part(use.discount, lines, sum(known.shares)) if use.discount else 0
        points_back = part(use.points, refunded, paid)
        if complete:
            use.status, back, points_back = "returned", use.discount, use.points
        discount, points = back - use.back, points_back - use.points_back
        use.back, use.points_back = back, points_back
        keeps = name == TEN and self.plan.keeps
        if complete and not keeps:
            use.takes = {}
        elif not keeps and use.discount:
            decided = min(use.discount, use.discount - use.mismatch)
            money = decided - part(decided, back, use.discount)
            use.takes = use.takes | {"campaign-1/ten/~money": money}
        changed = complete or discount or points
        return (name, use.status, complete and not keeps, discount, points) if changed else None


def _name(limit: str) -> str | None:
    """What refusals call a limit."""
    if "~customer" in limit:
        return "limit.customer"
    return {
        "campaign-1/ten/code": "code",
        "campaign-1/ten/~money": "limit.money",
        "campaign-1/~": "campaign_limit",
    }.get(limit)
