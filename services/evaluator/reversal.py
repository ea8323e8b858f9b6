"""What a return does to a paid receipt: refund, redemptions, slots, gifts (domain: "Full return"). Pure.

All sums are cumulative: what came back so far is worked out from all returns, so that parts that add up
to all of a sale are a full return, to the cent. Only ``Counters``, a transaction's working copy, changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from services.evaluator.answer import Decision
from services.evaluator.counters import Counters, Taken, counts_money
from services.evaluator.promotion.allocation import spread
from services.evaluator.promotion.basket import Basket
from services.evaluator.promotion.decision import judge
from services.evaluator.promotion.history import Purchase
from services.evaluator.promotion.ruleset import Considered, Ruleset
from services.evaluator.purchases import BoughtLine, PaidReceipt
from services.evaluator.receipt import ConflictError, Receipt
from services.evaluator.redemption import Key, Redemption
from services.evaluator.returns import Returned, portion, take_back
from shared.events.checkout import Return
from shared.events.values import MAX_MONEY, THOUSANDTHS, Gift

_IN_FORCE = ("committed", "unauthorised")


class Repriced(msgspec.Struct, frozen=True):
    """What is given for the rest of a sale when it is decided again, of what was given for all.

    ``given`` are the discounts (minor units) and bonus points of the redemptions that remain.
    """

    given: Mapping[Key, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a return took of a redemption; ``released``: its slot is free again."""

    redemption: Redemption
    discount: int
    bonuses: int
    released: bool


@dataclass(frozen=True, slots=True)
class Reversal:
    """A return, applied. ``refunds`` are of the lines it touches, by number (minor units).

    ``refund`` is what the customer gets: their sum less ``withheld``. ``complete``: all of the sale has
    come back now.
    """

    receipt: Receipt
    paid: PaidReceipt
    quantities: Mapping[int, int]
    refunds: Mapping[int, int]
    refund: int
    withheld: int
    complete: bool
    taken_back: Sequence[TakenBack]


def reverse(
    event: Return,
    receipt: Receipt,
    paid: PaidReceipt,
    counters: Counters,
    repriced: Repriced | None = None,
) -> Reversal:
    """Take a return back. Raises ``ConflictError``; then nothing has changed.

    ``repriced`` is what the rest costs now, if that is the policy and something remains.
    """
    touched = take_back(paid.sold, paid.returned, event.lines)
    after = paid.after(touched)
    complete = is_complete(after)
    gifts_back = _gifts_back(event.gifts, receipt.redemptions.values())
    shares = _Shares(after, receipt.decision, complete, None if complete else repriced)
    changes: list[TakenBack] = []
    redemptions = dict(receipt.redemptions)
    for key, redemption in sorted(receipt.redemptions.items()):
        if redemption.status in _IN_FORCE:
            change = _take_back(
                replace(redemption, gifts_back=gifts_back[key]), shares, counters, receipt.decision
            )
            redemptions[key] = change.redemption
            changes.append(change)
    refunds = _refunds(paid, after, touched, shares, changes)
    total = sum(refunds.values())
    lost = [c.redemption for c in changes if c.redemption.status == "returned"]
    withheld = min(total, sum(map(_value_of_gifts_kept, lost)))
    settled = {
        line: Returned(item.quantity, _refunded(paid, line) + refunds[line])
        for line, item in touched.items()
    }
    return Reversal(
        receipt=replace(receipt, redemptions=redemptions),
        paid=paid.after(settled),
        quantities={n: item.quantity - _quantity(paid, n) for n, item in touched.items()},
        refunds=refunds,
        refund=total - withheld,
        withheld=withheld,
        complete=complete,
        taken_back=[c for c in changes if c.redemption != receipt.redemptions[c.redemption.key]],
    )


def is_complete(paid: PaidReceipt) -> bool:
    """Whether all of the sale has come back."""
    return all(
        line.line in paid.returned and paid.returned[line.line].quantity == line.quantity
        for line in paid.sold
    )


def remaining_of(event: Return, paid: PaidReceipt) -> list[BoughtLine]:
    """The lines of the sale that remain after a return, as far as they do. Raises ``ConflictError``."""
    after = paid.after(take_back(paid.sold, paid.returned, event.lines))
    left = []
    for line in paid.sold:
        back = _quantity(after, line.line)
        if back < line.quantity:
            amount = line.amount - portion(line.amount, back, line.quantity)
            left.append(replace(line, quantity=line.quantity - back, amount=amount))
    return left


def reprice(
    ruleset: Ruleset,
    basket: Basket,
    remaining: Iterable[BoughtLine],
    receipt: Receipt,
    purchases: Sequence[Purchase],
    free: Mapping[str, int],
) -> Repriced:
    """Decide the rest of a sale again, by the rules and facts of then.

    ``basket`` is the sale's, ``purchases`` its customer's then, ``free`` what was left of the limits that
    were asked for. The rest keeps, loses or gets less of what was given; nothing is given that was not
    given before.
    """
    left = {line.line: line for line in remaining}
    lines = [
        line.model_copy(
            update={"quantity": left[line.line].quantity, "amount": left[line.line].amount}
        )
        for line in basket.lines
        if line.line in left
    ]
    considered = ruleset.consider(replace(basket, lines=lines))
    considered.remember(purchases)
    given = {key for key, r in receipt.redemptions.items() if r.status == "committed"}
    again = Considered(
        ruleset, considered.reading, [c for c in considered.candidates if c.ids in given]
    )
    verdict = judge(again, lambda limit: free.get(limit.limit_id, 0))
    return Repriced(
        {(g.campaign_id, g.instrument_id): (g.discount, g.bonuses) for g in verdict.granted}
    )


class _Shares:
    """How much of each redemption has come back once a return is applied, over all returns."""

    def __init__(
        self,
        after: PaidReceipt,
        decision: Decision | None,
        complete: bool,
        repriced: Repriced | None,
    ) -> None:
        self.complete = complete
        self.repriced = repriced
        self._parts = {
            line.line: (after.returned[line.line].quantity, line.quantity)
            for line in after.sold
            if line.line in after.returned
        }
        self.paid = sum([line.paid for line in after.sold])
        self.back = sum([self.part(line.line, line.paid) for line in after.sold])
        self._by_line: dict[Key, tuple[int, int]] = {}
        for applied in decision.applied if decision else ():
            whole = sum([share.discount for share in applied.lines])
            back = sum([self.part(share.line, share.discount) for share in applied.lines])
            self._by_line[applied.campaign_id, applied.instrument_id] = back, whole

    def part(self, line: int, amount: int) -> int:
        """The part of an amount of a line that has come back."""
        back, bought = self._parts.get(line, (0, 1))
        return portion(amount, back, bought)

    def is_lost(self, redemption: Redemption) -> bool:
        """Whether nothing of it remains."""
        if self.complete:
            return True
        repriced = self.repriced
        return (
            repriced is not None
            and redemption.status == "committed"
            and redemption.key not in repriced.given
        )

    def discount(self, redemption: Redemption) -> int:
        """How much of its discount has come back by now (minor units)."""
        if self.is_lost(redemption):
            return redemption.discount
        if self.repriced is not None and redemption.status == "committed":
            return redemption.discount - min(
                redemption.discount, self.repriced.given[redemption.key][0]
            )
        back, whole = self._by_line.get(redemption.key, (0, 0))
        if not whole:  # it was not decided line by line
            back, whole = self.back, self.paid
        return portion(redemption.discount, back, whole) if whole else 0

    def bonuses(self, redemption: Redemption) -> int:
        """How many of its points have come back by now: they were earned on money paid."""
        if self.is_lost(redemption):
            return redemption.bonuses
        if self.repriced is not None and redemption.status == "committed":
            return redemption.bonuses - min(
                redemption.bonuses, self.repriced.given[redemption.key][1]
            )
        return portion(redemption.bonuses, self.back, self.paid) if self.paid else 0


def _take_back(
    redemption: Redemption, shares: _Shares, counters: Counters, decision: Decision | None
) -> TakenBack:
    discount = max(0, shares.discount(redemption) - redemption.returned)
    bonuses = max(0, shares.bonuses(redemption) - redemption.bonuses_returned)
    after = replace(
        redemption,
        returned=redemption.returned + discount,
        bonuses_returned=redemption.bonuses_returned + bonuses,
    )
    if redemption.status != "committed":
        return TakenBack(after, discount, bonuses, released=False)
    at = decision.occurred_at if decision else None
    lost = shares.is_lost(redemption)
    if lost:
        after = replace(after, status="returned")
    if redemption.keeps_slot:
        return TakenBack(after, discount, bonuses, released=False)
    if lost:
        counters.move(redemption.taken, used=-1, at=at)
        return TakenBack(after, discount, bonuses, released=True)
    # More than was decided never counted; what counted goes back in proportion.
    counted = min(redemption.discount, redemption.discount - redemption.mismatch)
    kept = counted - portion(counted, after.returned, max(1, redemption.discount))
    freed = [
        Taken(limit_id, max(0, amount - kept))
        for limit_id, amount in redemption.taken
        if discount and counts_money(limit_id)
    ]
    counters.move(freed, used=-1, at=at)
    less = dict(freed)
    taken = tuple([Taken(name, amount - less.get(name, 0)) for name, amount in redemption.taken])
    return TakenBack(replace(after, taken=taken), discount, bonuses, released=False)


def _refunds(
    paid: PaidReceipt,
    after: PaidReceipt,
    touched: Mapping[int, Returned],
    shares: _Shares,
    changes: Sequence[TakenBack],
) -> dict[int, int]:
    """What is refunded for each line of this return. With what was refunded before it is no more than was paid."""
    left = shares.paid - sum([back.refund for back in paid.returned.values()])
    own = {n: max(0, item.refund - _refunded(paid, n)) for n, item in touched.items()}
    proportional = sum(own.values())
    if shares.complete:
        total = left
    elif shares.repriced is not None:
        total = min(left, max(0, left - _cost_of_rest(after, shares, changes)))
    else:
        total = min(left, proportional)
    if total == proportional:
        return own
    weights = list(own.values()) if proportional else [1] * len(own)
    rooms = [MAX_MONEY] * len(own)
    return dict(zip(own, spread(total, weights, rooms), strict=True))


def _cost_of_rest(after: PaidReceipt, shares: _Shares, changes: Sequence[TakenBack]) -> int:
    """What the rest of the sale costs: its amounts less what is still given."""
    amounts = sum([line.amount - shares.part(line.line, line.amount) for line in after.sold])
    given = sum([c.redemption.discount - c.redemption.returned for c in changes])
    return max(0, amounts - given)


def _gifts_back(
    gifts: Sequence[Gift], redemptions: Iterable[Redemption]
) -> dict[Key, tuple[Gift, ...]]:
    """All gifts that came back so far, by the redemption they were given with."""
    left = [gift.quantity for gift in gifts]
    found: dict[Key, tuple[Gift, ...]] = {}
    for redemption in redemptions:
        back = {gift.sku: gift.quantity for gift in redemption.gifts_back}
        for given in redemption.gifts if redemption.status in _IN_FORCE else ():
            for n, gift in enumerate(gifts):
                if gift.sku == given.sku:
                    more = min(left[n], given.quantity - back.get(gift.sku, 0))
                    left[n] -= more
                    back[gift.sku] = back.get(gift.sku, 0) + more
        found[redemption.key] = tuple(
            [Gift(sku=sku, quantity=quantity) for sku, quantity in back.items() if quantity]
        )
    for n, quantity in enumerate(left):
        if quantity:
            message = f"gifts.{n}: {quantity} thousandths more than were given with this receipt"
            raise ConflictError("unknown_gift", message)
    return found


def _value_of_gifts_kept(redemption: Redemption) -> int:
    back = {gift.sku: gift.quantity for gift in redemption.gifts_back}
    return sum(
        [
            portion(gift.value, gift.quantity - back.get(gift.sku, 0), THOUSANDTHS)
            for gift in redemption.gifts
        ]
    )


def _quantity(paid: PaidReceipt, line: int) -> int:
    return paid.returned[line].quantity if line in paid.returned else 0


def _refunded(paid: PaidReceipt, line: int) -> int:
    return paid.returned[line].refund if line in paid.returned else 0
