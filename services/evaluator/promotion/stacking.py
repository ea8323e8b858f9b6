"""Stacking: the instruments a cart meets, one after another, on what the earlier ones left."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from services.evaluator.promotion import limits
from services.evaluator.promotion.basket import PresentedCode, Reading
from services.evaluator.promotion.benefits import Context, Given
from services.evaluator.promotion.codes import Way
from services.evaluator.promotion.failure import Failure
from services.evaluator.promotion.instrument import CompiledInstrument
from services.evaluator.promotion.limits import Capacity, Claim, Limit
from shared.events.values import MAX_MONEY


class Slots(msgspec.Struct, frozen=True):
    """What one redemption takes of limits, and the code it uses (its first code condition's)."""

    claims: tuple[Claim, ...] = ()
    code: PresentedCode | None = None
    used: tuple[PresentedCode, ...] = ()


class Grant(msgspec.Struct, frozen=True):
    """What an instrument gives to this cart. ``times``: how often its conditions are met."""

    slots: Slots
    given: Given
    times: int = 1


@dataclass(slots=True)
class Stack:
    """Instruments as granted or refused so far, and what is left to pay of every line."""

    reading: Reading
    capacity: Capacity
    remaining: list[int]
    grants: dict[CompiledInstrument, Grant] = field(default_factory=dict)
    failures: dict[CompiledInstrument, Failure] = field(default_factory=dict)
    blocked_by: CompiledInstrument | None = None

    def outranked(self, candidate: CompiledInstrument) -> CompiledInstrument | None:
        """Whose turn makes this one impossible: an exclusive one's, or any before an exclusive."""
        if self.blocked_by is None and candidate.stacking == "exclusive":
            return next(iter(self.grants), None)
        return self.blocked_by

    def take(self, candidate: CompiledInstrument, grant: Grant) -> None:
        """Grant it: its slots are gone, and its discount is off the lines."""
        self.capacity.take(grant.slots.claims)
        self.grants[candidate] = grant
        for position, share in grant.given.shares:
            self.remaining[position] -= share
        if candidate.stacking == "exclusive":
            self.blocked_by = candidate


_NONE: frozenset[CompiledInstrument] = frozenset()


def stack(met: Sequence[CompiledInstrument], reading: Reading, capacity: Capacity) -> Stack:
    """Grant what can be granted of the instruments that the basket meets, in their order.

    Limits are taken together or not at all, and only for a benefit above zero. Bonuses take their
    slots in their turn but are worked out last, on money paid; one that comes to nothing is
    dropped and the cart is decided again without it, so that its slots are there for others.
    """
    worthless = _NONE
    while True:
        result = _pass(met, reading, Capacity(capacity.free), worthless)
        empty = _add_bonuses(result)
        if empty is None:
            return result
        worthless |= {empty}


def _pass(
    met: Sequence[CompiledInstrument],
    reading: Reading,
    capacity: Capacity,
    worthless: frozenset[CompiledInstrument],
) -> Stack:
    result = Stack(reading, capacity, list(reading.amounts))
    for rivals in _turns(met):
        offers: list[tuple[CompiledInstrument, Grant]] = []
        for candidate in rivals:
            grant = _attempt(candidate, result, worthless)
            if isinstance(grant, Failure):
                result.failures[candidate] = grant
            else:
                offers.append((candidate, grant))
        if not offers:
            continue
        best, grant = min(offers, key=_best_first) if len(offers) > 1 else offers[0]
        for candidate, _ in offers:
            if candidate is not best:
                result.failures[candidate] = Failure("outranked", outranked_by=best.ids)
        result.take(best, grant)
    return result


def _turns(met: Sequence[CompiledInstrument]) -> Iterator[Sequence[CompiledInstrument]]:
    """Instruments as their turn comes; all of a best-of group at the turn of its first."""
    if all(candidate.best_of is None for candidate in met):
        yield from ((candidate,) for candidate in met)
        return
    groups: dict[str, list[CompiledInstrument]] = {}
    for candidate in met:
        if candidate.best_of is not None:
            groups.setdefault(candidate.best_of, []).append(candidate)
    for candidate in met:
        if candidate.best_of is None:
            yield (candidate,)
        elif candidate.best_of in groups:
            yield groups.pop(candidate.best_of)


def _best_first(offer: tuple[CompiledInstrument, Grant]) -> tuple[int, int, tuple[str, str]]:
    """The greatest discount comes first, then bonuses, then the id."""
    candidate, grant = offer
    return -grant.given.discount, -grant.given.points, candidate.ids


def _attempt(
    candidate: CompiledInstrument, result: Stack, worthless: frozenset[CompiledInstrument]
) -> Grant | Failure:
    """What it would be granted on what remains; points are worked out again at the end."""
    if by := result.outranked(candidate):
        return Failure("outranked", outranked_by=by.ids)
    reading = result.reading
    times = candidate.times(reading)
    given = candidate.offer.give(
        Context(reading, candidate.eligible(reading), result.remaining, times)
    )
    if given.points and reading.basket.customer_id is None:
        return Failure("customer_unknown")
    slots = _find_slots(candidate, result, given.discount)
    if isinstance(slots, Failure):
        return slots
    if not given or candidate in worthless:
        # Later discounts can only lower points: what is nothing now need not be tried.
        return Failure("nothing_to_discount")
    return Grant(slots, given, times)


def _add_bonuses(result: Stack) -> CompiledInstrument | None:
    """Work out the points of all bonus grants; the first that comes to nothing, if one does."""
    reading, most = result.reading, MAX_MONEY
    for candidate, grant in result.grants.items():
        if grant.given.points:
            eligible = candidate.eligible(reading)
            given = candidate.offer.give(Context(reading, eligible, result.remaining, grant.times))
            if given.points > most:  # a receipt cannot state more
                given = msgspec.structs.replace(given, points=most)
            most -= given.points
            if not given:
                return candidate
            result.grants[candidate] = Grant(grant.slots, given, grant.times)
    return None


_NO_SLOTS = Slots()


def _find_slots(candidate: CompiledInstrument, result: Stack, discount: int) -> Slots | Failure:
    """Room in each of its limits, by the first way to meet its conditions that has it."""
    if not candidate.needs and not candidate.rules:
        return _NO_SLOTS
    reading = result.reading
    first: Failure | None = None
    for way in candidate.ways(reading, candidate.eligible(reading)):
        slots = _slots_of(candidate, way, result, discount)
        if isinstance(slots, Slots):
            return slots
        first = first or slots
    return first or Failure("limit_reached")


def is_possible(candidate: CompiledInstrument, result: Stack) -> bool:
    """Whether an instrument could still be granted beside the others, were its conditions met."""
    if result.outranked(candidate) or not _beats_its_group(candidate, result):
        return False
    if not candidate.needs and not candidate.rules:
        return True
    reading, discount = result.reading, 1
    if any(rule.money for rule in candidate.rules):
        discount = max(1, _now(candidate, result, result.remaining).discount)
    ways = candidate.ways(reading, candidate.eligible(reading)) or ((),)
    return any(isinstance(_slots_of(candidate, way, result, discount), Slots) for way in ways)


def _beats_its_group(candidate: CompiledInstrument, result: Stack) -> bool:
    """Whether it would give more than the one of its best-of group that is granted, if one is."""
    if candidate.best_of is None:
        return True
    for best, grant in result.grants.items():
        if best.best_of == candidate.best_of:
            before = list(result.remaining)
            for position, share in grant.given.shares:
                before[position] += share
            mine = Grant(_NO_SLOTS, _now(candidate, result, before))
            return _best_first((candidate, mine)) < _best_first((best, grant))
    return True


def _now(candidate: CompiledInstrument, result: Stack, remaining: Sequence[int]) -> Given:
    """What it would give for the goods that are there: with what is missing, no less."""
    reading = result.reading
    return candidate.offer.give(Context(reading, candidate.eligible(reading), remaining))


def _slots_of(
    candidate: CompiledInstrument, way: Way, result: Stack, discount: int
) -> Slots | Failure:
    """A slot of each limit: for every code condition the smallest code that has one."""
    reading, capacity = result.reading, result.capacity
    claims: list[Claim] = []
    used: list[PresentedCode] = []
    for need in way:
        if need.cap and (limit := need.cap.limit(reading, None)):
            if not capacity.has(Claim(limit), claims):
                return _full(need.condition_id, limit, capacity)
            claims.append(Claim(limit))
        if not used and _lacks_customer(candidate, reading):
            return Failure("customer_unknown", need.condition_id)
        full: Limit | None = None
        for code in need.codes(reading):
            own = _per_code(candidate, reading, discount, code) if not used else []
            if need.single_use:
                own.append(Claim(limits.of_code(code.digest)))
            full = next((claim.limit for claim in own if not capacity.has(claim, claims)), None)
            if full is None:
                claims += own
                used.append(code)
                break
        else:
            return _full(need.condition_id, full, capacity)
    if failed := _take_rules(candidate, result, discount, claims):
        return failed
    return Slots(tuple(claims), used[0] if used else None, tuple(used))


def _full(name: str | None, limit: Limit | None, capacity: Capacity) -> Failure:
    """A limit has no room; what is left of it may do for a smaller benefit."""
    left = capacity.left(limit) if limit else 0
    return Failure("limit_reached", name, left=left)


def _take_rules(
    candidate: CompiledInstrument, result: Stack, discount: int, claims: list[Claim]
) -> Failure | None:
    """Add what its rules take to ``claims``, but for those per code."""
    for rule in candidate.rules:
        if "code" in rule.per:
            continue
        limit = rule.limit(result.reading, None)
        if limit is None:
            return Failure("customer_unknown", rule.name)
        amount = discount if rule.money else 1
        if amount:
            if not result.capacity.has(Claim(limit, amount), claims):
                return _full(rule.name, limit, result.capacity)
            claims.append(Claim(limit, amount))
    return None


def _per_code(
    candidate: CompiledInstrument, reading: Reading, discount: int, code: PresentedCode
) -> list[Claim]:
    """What it takes of the limits per code when it uses this one."""
    found = []
    for rule in candidate.rules:
        amount = discount if rule.money else 1
        if "code" in rule.per and amount and (limit := rule.limit(reading, code)):
            found.append(Claim(limit, amount))
    return found


def _lacks_customer(candidate: CompiledInstrument, reading: Reading) -> bool:
    """Whether a limit per code and customer asks for one who is not known."""
    return reading.basket.customer_id is None and any(
        "code" in rule.per and "customer" in rule.per for rule in candidate.rules
    )


def used_codes(grants: Iterable[Grant]) -> set[int]:
    """The positions of the codes that grants use."""
    return {code.position for grant in grants for code in grant.slots.used}
