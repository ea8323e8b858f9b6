"""The codes an instrument needs: which conditions ask for one, and what using it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, product

from services.evaluator.promotion.basket import Eligible, PresentedCode, Reading
from services.evaluator.promotion.conditions import Terms, compile_condition
from services.evaluator.promotion.limits import Rule, cap_rule
from shared.events.conditions import All, AnyOf, Condition, Not, PromoCode, children
from shared.events.promotion import EmissionSummary

_MOST_WAYS = 64


@dataclass(frozen=True, slots=True, eq=False)
class CodeNeed:
    """A code condition's claims on limits.

    They are a slot of ``cap``, if it is capped, and the code's own, if it is ``single_use``. ``own``:
    only a code bound to the customer will do. ``emission`` is as the campaign describes it, if it does.
    """

    condition_id: str
    emission_id: str
    emission: EmissionSummary | None
    cap: Rule | None
    single_use: bool
    own: bool

    def codes(self, reading: Reading) -> Sequence[PresentedCode]:
        """The presented codes that would do, the smallest first."""
        at, customer_id = reading.at, reading.basket.customer_id
        return [
            code
            for code in reading.codes.get(self.emission_id, ())
            if not code.is_over(at) and (not self.own or code.holder == customer_id)
        ]


Way = tuple[CodeNeed, ...]
Ways = Callable[[Reading, Eligible], Sequence[Way]]
"""The ways in which a cart meets conditions, by the codes each uses; in the order to try them."""


def needs_of(conditions: Sequence[Condition], prefix: str, terms: Terms) -> dict[str, CodeNeed]:
    """Every code condition that may use a code, by its id; none within ``not``."""
    found: dict[str, CodeNeed] = {}
    for condition in conditions:
        match condition:
            case PromoCode():
                emission = terms.emissions.get(condition.emission_id)
                cap = condition.cap
                found[condition.condition_id] = CodeNeed(
                    condition_id=condition.condition_id,
                    emission_id=condition.emission_id,
                    emission=emission,
                    cap=cap_rule(prefix, condition.condition_id, cap, terms.window_at)
                    if cap
                    else None,
                    single_use=emission is not None and emission.single_use,
                    own=condition.own,
                )
            case Not():
                continue
            case _:
                below = [child for _, child in children(condition)]
                found |= needs_of(below, prefix, terms)
    return found


def compile_ways(conditions: Sequence[Condition], needs: dict[str, CodeNeed], terms: Terms) -> Ways:
    """The ways to meet the conditions, all of them."""
    if not needs:
        return _without_codes
    if not any(_is_choice(condition) for condition in conditions):
        only = (tuple(needs.values()),)
        return lambda _reading, _eligible: only
    return _all([_ways(condition, needs, terms) for condition in conditions])


def _without_codes(_reading: Reading, _eligible: Eligible) -> Sequence[Way]:
    return ((),)


def _is_choice(condition: Condition) -> bool:
    """Whether it may be met with different codes."""
    below = [child for _, child in children(condition)]
    if isinstance(condition, AnyOf):
        return any(_asks(child) for child in below)
    return not isinstance(condition, Not) and any(_is_choice(child) for child in below)


def _asks(condition: Condition) -> bool:
    if isinstance(condition, Not):
        return False
    return isinstance(condition, PromoCode) or any(_asks(c) for _, c in children(condition))


def _ways(condition: Condition, needs: dict[str, CodeNeed], terms: Terms) -> Ways:
    match condition:
        case All():
            return _all([_ways(child, needs, terms) for child in condition.conditions])
        case AnyOf():
            return _any([_ways(child, needs, terms) for child in condition.conditions])
        case _:
            check = compile_condition(condition, terms)
            way: Way = ()
            if isinstance(condition, PromoCode):
                way = (needs[condition.condition_id],)
            return lambda reading, eligible: () if check(reading, eligible) else (way,)


def _all(parts: Sequence[Ways]) -> Ways:
    def ways(reading: Reading, eligible: Eligible) -> Sequence[Way]:
        found = product(*(part(reading, eligible) for part in parts))
        return [tuple(need for way in one for need in way) for one in islice(found, _MOST_WAYS)]

    return ways


def _any(parts: Sequence[Ways]) -> Ways:
    def ways(reading: Reading, eligible: Eligible) -> Sequence[Way]:
        return [way for part in parts for way in part(reading, eligible)][:_MOST_WAYS]

    return ways
