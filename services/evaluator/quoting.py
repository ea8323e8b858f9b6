"""Quotes: what a cart would get now, from rules and facts in memory."""

import dataclasses
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from services.evaluator import discretion, purchases, receipt
from services.evaluator.answer import Decision
from services.evaluator.counters import Counter, Counters
from services.evaluator.facts import Facts, incoming
from services.evaluator.guessing import (
    TILL,
    Caller,
    Lockout,
    Subject,
    address_hash,
    failed_codes,
    subjects_of,
)
from services.evaluator.known import Known, counts_of, purchases_of
from services.evaluator.lookup import all_learnt
from services.evaluator.payment import Points
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.receipt import Receipt
from services.evaluator.redemption import Redemption
from services.evaluator.regions import NOWHERE, Whereabouts
from services.evaluator.store.reference import KnownCode
from services.evaluator.vigilance import Vigilance
from shared import clock, codes
from shared.events.checkout import Cart
from shared.events.promotion import Campaign


class UnknownError(Exception):
    """PostgreSQL is away, and what no quote can do without is not in memory."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """Answers carts with advice: what they would get now. Holds nothing, writes nothing.

    While PostgreSQL is away it answers by what is in memory, and says so (``stale``). What is not there
    counts for nothing: a customer is none, purchases and codes are unknown, a limit is full.
    """

    known: Known
    vigilance: Vigilance
    code_key: bytes
    hold: timedelta

    async def quote(self, cart: Cart, seen_in: Whereabouts = NOWHERE) -> Decision:
        """The decision on the cart, whatever its intent. Raises ``ConflictError``, ``UnknownError``.

        ``seen_in``: as of ``facts.Incoming``.
        """
        cart = _as_quote(cart)
        subjects = _subjects_of(cart, TILL)
        funds = None
        # Not before PostgreSQL has answered for the first time: points are counted by its clock.
        if cart.customer_id is not None and self.known.ruleset is not None:
            funds = self.known.funds.learn((cart.customer_id,))
        facts = await self._facts(cart, subjects, funds)
        lockout = self.vigilance.lockout(subjects, facts.now)
        considered = facts.consider(_as_known(cart, facts), heard=lockout is None)
        decision, free = await self._decide(cart, facts, considered, trusted=True, seen_in=seen_in)
        failed = failed_codes(facts.digests_of(cart), decision, free)
        await self._note(decision, subjects, failed, lockout, len(cart.codes))
        return decision

    async def quote_discreetly(self, cart: Cart, address: str | None) -> Decision:
        """The decision that an anonymous caller is told (``discretion``). Raises as ``quote`` does.

        What its receipt holds is not its business: it may have made up whose that is.
        """
        cart = _as_quote(cart)
        hashed = address and address_hash(address, self.code_key, clock.now().date())
        subjects = _subjects_of(cart, Caller(anonymous=True, address=hashed))
        facts = await self._facts(cart, subjects)
        lockout = self.vigilance.lockout(subjects, facts.now)
        considered = facts.consider(_as_known(cart, facts))
        asked = Counters(await self._counters(discretion.limits_of_codes(considered)))
        alive = discretion.without_dead(considered, asked.free)
        left = discretion.without(alive, range(len(cart.codes))) if lockout else alive
        decision, _ = await self._decide(cart, facts, left, trusted=False)
        while decision.unused_codes:
            left = discretion.without(left, [unused.code for unused in decision.unused_codes])
            decision, _ = await self._decide(cart, facts, left, trusted=False)
        digests = facts.digests_of(cart)
        # Of codes from whom promotions are withheld nothing has been found out.
        blocked = considered.reading.basket.blocked
        failed = [] if blocked else [digests[n] for n in _absent(cart, alive)]
        await self._note(decision, subjects, failed, lockout, len(cart.codes))
        return discretion.anonymous(decision, _absent(cart, left))

    async def rehearse(self, cart: Cart, campaign: Campaign) -> Decision:
        """What the cart would get if the campaign ran beside the others, whenever it was.

        The cart's codes are the ids of emissions: it presents a code of each, bound to its customer. So
        nobody learns here which codes there are. Raises as ``quote`` does.
        """
        cart = _as_quote(cart)
        facts = await self._facts(cart, (), at_any_time=True)
        digests = {name: codes.digest(name, self.code_key) for name in cart.codes}
        assumed = {digests[name]: KnownCode(name, cart.customer_id) for name in cart.codes}
        facts = dataclasses.replace(
            facts, ruleset=facts.ruleset.with_draft(campaign), digests=digests, codes=assumed
        )
        considered = facts.consider(_as_known(cart, facts))
        decision, _ = await self._decide(cart, facts, considered, trusted=False)
        return decision

    async def _note(
        self,
        decision: Decision,
        subjects: Collection[Subject],
        failed: Collection[bytes],
        lockout: Lockout | None,
        codes_count: int,
    ) -> None:
        """Tell of codes that were not listened to, or hold those that failed against the sender."""
        if decision.stale:
            return  # it cannot be told or saved anywhere
        if lockout:
            await self.vigilance.tell(decision, codes_count, lockout)
        else:
            self.vigilance.blame(subjects, failed, decision.decided_at)

    async def _decide(
        self,
        cart: Cart,
        facts: Facts,
        considered: Considered,
        *,
        trusted: bool,
        seen_in: Whereabouts = NOWHERE,
    ) -> tuple[Decision, Mapping[str, int]]:
        """The decision, and what was left of the limits that it may have asked about.

        For a ``trusted`` caller what the receipt itself holds is free, and the customer's points are told.
        """
        points = await self._points(cart, facts) if trusted else None
        await self._remind(considered)
        limits = considered.limits()
        counters = await self._counters(limits)
        own = receipt.open_receipt(cart)
        if trusted and any(
            _is_tight(limit, counters.get(limit.limit_id), considered) for limit in limits
        ):
            own = await self._with_holds(own, counters)
        # The same cart asked for again at another time is another quote.
        name = f"{cart.receipt_id}/{cart.revision}/{facts.now.isoformat()}"
        came = incoming(cart, name, b"", seen_in=seen_in)
        given = facts.circumstances(cart, came, considered, points)
        found = Counters(counters)
        decision = receipt.quote(cart, own, given, found)
        free = {limit.limit_id: found.free(limit) for limit in limits} if cart.codes else {}
        return replace(decision, stale=True) if self.known.source.away else decision, free

    async def _facts(
        self,
        cart: Cart,
        subjects: Collection[Subject],
        beside: Awaitable[None] | None = None,
        *,
        at_any_time: bool = False,
    ) -> Facts:
        """What there is to decide by; what is held against these, and what is asked ``beside``, is learnt, too. Raises ``ConflictError``."""
        known = self.known
        digests = {code: codes.digest(code, self.code_key) for code in cart.codes}
        stores = (cart.store_id,)
        customers = (cart.customer_id,) if cart.customer_id else ()
        await all_learnt(
            known.places.learn(stores),
            known.customers.learn(customers),
            known.codes.learn(digests.values()),
            self.vigilance.learn(subjects),
            beside,
        )
        ruleset = known.ruleset
        if ruleset is None or (known.source.away and cart.store_id not in known.places.memory):
            raise UnknownError
        facts = Facts(
            now=known.now(),
            ruleset=ruleset,
            places=known.places.memory.found(stores),
            customers=known.customers.memory.found(customers),
            digests=digests,
            codes=known.codes.memory.found(digests.values()),
            hold=self.hold,
        )
        objection = facts.misplaced(cart) if at_any_time else facts.objection(cart)
        if objection is not None:
            raise objection
        return facts

    async def _points(self, cart: Cart, facts: Facts) -> Points | None:
        """What the customer has, what this receipt holds of it counted as free; None if it is not known."""
        if cart.customer_id is None:
            return None
        funds = self.known.funds.memory.get(cart.customer_id)
        if funds is None:
            return None
        available = funds.available
        if funds.held:
            lookup = self.known.payments
            await all_learnt(lookup.learn((cart.receipt_id,)))
            own = lookup.memory.get(cart.receipt_id)
            available += own.held_of(cart.customer_id) if own else 0
        return Points(funds.balance, available, facts.places[cart.store_id].bonus_share)

    async def _remind(self, considered: Considered) -> None:
        """Bring the customer's purchases, if they matter and can be known."""
        lookup = self.known.purchases
        for wanted in purchases_of(purchases.wanted([considered], returns=0)):
            await all_learnt(lookup.learn((wanted,)))
            found = lookup.memory.get(wanted)
            if found is None:
                considered.forget()
            else:
                considered.remember(found)

    async def _counters(self, limits: Sequence[Limit]) -> dict[str, Counter]:
        """The limits' counters, by id; those of limits that nobody has used are missing."""
        lookup = self.known.counters
        wanted = counts_of(limits)
        await all_learnt(lookup.learn(wanted))
        found = {}
        for limit, count in zip(limits, wanted, strict=True):
            counter = lookup.memory.get(count)
            if counter is not None:
                found[limit.limit_id] = counter
            elif count not in lookup.memory:
                # Nobody is promised what may be used up.
                found[limit.limit_id] = Counter(limit.cap, held=limit.cap)
        return found

    async def _with_holds(self, own: Receipt, counters: Mapping[str, Counter]) -> Receipt:
        """The receipt with what it holds of these limits."""
        lookup = self.known.holds
        await all_learnt(lookup.learn((own.receipt_id,)))
        held = lookup.memory.get(own.receipt_id) or ()
        return replace(own, redemptions={one.key: _of(one, counters) for one in held})


def _subjects_of(cart: Cart, caller: Caller) -> tuple[Subject, ...]:
    """What the sender of a cart with codes counts as."""
    if not cart.codes:
        return ()
    return subjects_of(cart.store_id, cart.terminal_id, cart.customer_id, cart.channel, caller)


def _absent(cart: Cart, considered: Considered) -> list[int]:
    """The positions of the cart's codes that are not among those considered."""
    there = {code.position for code in considered.reading.basket.codes}
    return [n for n in range(len(cart.codes)) if n not in there]


def _is_tight(limit: Limit, counter: Counter | None, considered: Considered) -> bool:
    """Whether it may matter which receipts hold what of the limit.

    It does not while all that the cart could ask for is free beside the holds: once for each of its
    instruments or, of a limit on money, all that it costs.
    """
    if counter is None or not counter.held:
        return False
    most = sum(considered.reading.amounts) if limit.money else len(considered.candidates)
    return counter.free(limit.since, limit.cap) < most


def _of(held: Redemption, counters: Mapping[str, Counter]) -> Redemption:
    """What it holds of these limits."""
    return replace(held, taken=tuple([one for one in held.taken if one.limit_id in counters]))


def _as_known(cart: Cart, facts: Facts) -> Cart:
    """The cart without its customer, if nobody knows who that is."""
    if cart.customer_id is None or cart.customer_id in facts.customers:
        return cart
    return _with(cart, customer_id=None)


def _as_quote(cart: Cart) -> Cart:
    return cart if cart.intent == "quote" else _with(cart, intent="quote")


def _with(cart: Cart, **changes: Any) -> Cart:
    """The cart with changes, be it the contract's model or what ``decode_cart`` makes of a plain one."""
    if isinstance(cart, msgspec.Struct):
        return replace(cart, **changes)
    return cart.model_copy(update=changes)
