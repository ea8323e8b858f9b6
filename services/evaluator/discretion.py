"""What anonymous callers are told of the codes they present: those that apply, and nothing of the others.

Pure. A code that nobody could use on this cart – unknown, not valid, used up, somebody else's, of a campaign
that does not run there and then – is taken off the cart before anything else is looked at: what comes after is
the same work and the same answer, whichever it was. What the rest of them do not apply to is taken off,
too, until all that are left apply, so that no refusal and no near miss tells of a code. For that

1. read ``limits_of_codes``, of whatever codes there are,
2. decide ``without_dead``; as long as codes stay unused, decide ``without`` those,
3. answer ``anonymous``, at ``release``.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta

from msgspec.structs import replace

from services.evaluator.answer import Decision
from services.evaluator.promotion.basket import PresentedCode
from services.evaluator.promotion.codes import CodeNeed
from services.evaluator.promotion.conditions.check import valid_at
from services.evaluator.promotion.instrument import CompiledInstrument
from services.evaluator.promotion.limits import Limit, of_code
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.promotion.verdict import UnusedCode

GRID = timedelta(milliseconds=20)
"""Answers about codes leave at whole multiples of this after their request came."""


def limits_of_codes(considered: Considered) -> tuple[Limit, ...]:
    """The limits that say which of the presented codes are used up: one for each, known or not.

    More of those that lead somewhere; in the order of their ids.
    """
    reading = considered.reading
    found = [of_code(code.digest) for code in reading.basket.codes]
    for candidate in considered.candidates:
        for need in candidate.needs:
            for code in reading.codes.get(need.emission_id, ()):
                found += _limits(candidate, need, code, considered)
    by_id = {limit.limit_id: limit for limit in found}
    return tuple([by_id[limit_id] for limit_id in sorted(by_id)])


def without_dead(considered: Considered, free: Callable[[Limit], int]) -> Considered:
    """The cart without the codes that nobody could use on it; ``free`` knows ``limits_of_codes``."""
    reading, held = considered.reading, considered.held()
    alive = {
        code.position
        for candidate in considered.candidates
        if candidate.needs and candidate.campaign.failure(reading, held) is None
        for need in candidate.needs
        for code in reading.codes.get(need.emission_id, ())
        if _is_alive(candidate, need, code, considered, free)
    }
    return without(considered, {code.position for code in reading.basket.codes} - alive)


def without(considered: Considered, positions: Collection[int]) -> Considered:
    """The cart without the codes at these positions."""
    basket = considered.reading.basket
    kept = tuple([code for code in basket.codes if code.position not in positions])
    return considered.ruleset.consider(replace(basket, codes=kept))


def anonymous(decision: Decision, absent: Iterable[int]) -> Decision:
    """The answer, whose cart had more codes, at the positions that are ``absent``.

    A customer's balance is none of an anonymous caller's business, nor is from whom promotions are withheld.
    """
    return replace(
        decision,
        unused_codes=tuple([UnusedCode(position, "not_applied") for position in absent]),
        unknown_codes=(),
        foreign_codes=(),
        bonus_balance=None,
        bonuses_payable=0,
        blocked=None,
    )


def release(took: timedelta) -> timedelta:
    """How long an answer that took so long is to wait, so that its duration says nothing."""
    return -took % GRID


def _is_alive(
    candidate: CompiledInstrument,
    need: CodeNeed,
    code: PresentedCode,
    considered: Considered,
    free: Callable[[Limit], int],
) -> bool:
    reading = considered.reading
    return (
        need.emission is not None
        and valid_at(need.emission, reading.at)
        and not code.is_over(reading.at)
        and (not need.own or _is_own(code, reading.basket.customer_id))
        and all(free(limit) > 0 for limit in _limits(candidate, need, code, considered))
    )


def _is_own(code: PresentedCode, customer_id: str | None) -> bool:
    return customer_id is not None and code.holder == customer_id


def _limits(
    candidate: CompiledInstrument, need: CodeNeed, code: PresentedCode, considered: Considered
) -> list[Limit]:
    """Of those that the candidate takes of when it uses the code for the need: the code's and the need's."""
    reading = considered.reading
    found = [rule.limit(reading, code) for rule in candidate.rules if "code" in rule.per]
    if need.cap:
        found.append(need.cap.limit(reading, None))
    if need.single_use:
        found.append(of_code(code.digest))
    return [limit for limit in found if limit is not None]
