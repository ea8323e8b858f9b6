"""Stacking: the instruments a cart meets, one after another, on what the earlier ones left."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.evaluator.promotion import limits
from services.evaluator.promotion.basket import PresentedCode, Reading
from services.evaluator.promotion.benefits import BonusOffer, GiftOffer, PercentOffer, Shares
from services.evaluator.promotion.conditions import Failure
from services.evaluator.promotion.instrument import CompiledInstrument
from services.evaluator.promotion.limits import Capacity, Limit
from shared.events.values import Gift


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The slots one redemption takes, and the code it uses (its first code condition's)."""

    limits: tuple[Limit, ...]
    code: PresentedCode | None


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """What an instrument gives to this cart."""

    slots: Slots
    shares: Shares = ()
    points: int = 0
    gifts: tuple[Gift, ...] = ()


@dataclass(slots=True)
class Stack:
    """Instruments as granted or refused so far, and what is left to pay of every line."""

    remaining: list[int]
    grants: dict[CompiledInstrument, Grant] = field(default_factory=dict)
    failures: dict[CompiledInstrument, Failure] = field(default_factory=dict)


def stack(met: Sequence[CompiledInstrument], reading: Reading, capacity: Capacity) -> Stack:
    """Grant what can be granted of the instruments that the basket meets, in their order.

    Limits are taken together or not at all, and only for a benefit above zero. Bonuses take their
    slots in their turn but are worked out last, on money paid; one that comes to nothing is
    dropped and the cart is decided again without it, so that its slots are there for others.
    """
    worthless: set[CompiledInstrument] = set()
    while True:
        result = _pass(met, reading, Capacity(capacity.free), worthless)
        empty = _add_bonuses(result, reading)
        if empty is None:
            return result
        worthless.add(empty)


def _pass(
    met: Sequence[CompiledInstrument],
    reading: Reading,
    capacity: Capacity,
    worthless: set[CompiledInstrument],
) -> Stack:
    result = Stack([line.amount for line in reading.lines])
    for candidate in met:
        slots = _find_slots(candidate, reading, capacity)
        if isinstance(slots, Failure):
            result.failures[candidate] = slots
            continue
        grant = None if candidate in worthless else _grant(candidate, reading, result, slots)
        if grant is None:
            result.failures[candidate] = Failure("nothing_to_discount")
            continue
        capacity.take(slots.limits)
        result.grants[candidate] = grant
        for position, share in grant.shares:
            result.remaining[position] -= share
    return result


def _grant(
    candidate: CompiledInstrument, reading: Reading, result: Stack, slots: Slots
) -> Grant | None:
    """Its grant on what remains, or None if that is nothing; points are added at the end."""
    eligible = candidate.eligible(reading)
    match candidate.offer:
        case PercentOffer() as offer:
            shares = offer.shares(reading, eligible, result.remaining)
            return Grant(slots, shares=shares) if shares else None
        case GiftOffer() as offer:
            gifts = offer.gifts(eligible)
            return Grant(slots, gifts=gifts) if gifts else None
        case BonusOffer() as offer:
            # Later discounts can only lower it: what is nothing now need not be tried.
            return Grant(slots) if offer.points(eligible, result.remaining) else None


def _add_bonuses(result: Stack, reading: Reading) -> CompiledInstrument | None:
    """Work out the points of all bonus grants; the first that comes to nothing, if one does."""
    for candidate, grant in result.grants.items():
        if isinstance(candidate.offer, BonusOffer):
            points = candidate.offer.points(candidate.eligible(reading), result.remaining)
            if not points:
                return candidate
            result.grants[candidate] = Grant(grant.slots, points=points)
    return None


def _find_slots(
    candidate: CompiledInstrument, reading: Reading, capacity: Capacity
) -> Slots | Failure:
    """A slot of each of its limits: for every code condition the smallest code that has one."""
    needed: list[Limit] = []
    used: PresentedCode | None = None
    for need in candidate.needs:
        if need.cap and not capacity.has(need.cap):
            return Failure("limit_reached", need.condition_id)
        for code in reading.codes[need.emission_id]:
            own = limits.of_code(code.digest)
            if not need.single_use or capacity.has(own, needed.count(own)):
                break
        else:
            return Failure("limit_reached", need.condition_id)
        needed += [need.cap] if need.cap else []
        needed += [own] if need.single_use else []
        used = used or code
    if candidate.cap and not capacity.has(candidate.cap):
        return Failure("limit_reached")
    needed += [candidate.cap] if candidate.cap else []
    return Slots(tuple(needed), used)
