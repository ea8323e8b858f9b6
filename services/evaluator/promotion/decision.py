"""The decision on one cart: what is granted, what is refused and why, and every line's discount."""

from collections.abc import Callable
from dataclasses import dataclass

from services.evaluator.promotion.basket import Basket, Reading, read
from services.evaluator.promotion.conditions import Failure, Unit
from services.evaluator.promotion.instrument import CompiledInstrument
from services.evaluator.promotion.limits import Capacity, Limit
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.promotion.stacking import Grant, stack
from shared.events.outcome import Reason
from shared.events.values import Gift


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """A line with all its discounts (minor units)."""

    line: int
    amount: int
    discount: int


@dataclass(frozen=True, slots=True)
class Granted:
    """A benefit granted. ``lines`` are (line number, discount above zero) by line number.

    ``code`` is the position of the code used, ``limits`` the slots taken, one of each (the
    first code condition's, if an instrument has several; ``limits`` are those of all).
    """

    campaign_id: str
    instrument_id: str
    discount: int
    lines: tuple[tuple[int, int], ...]
    bonuses: int
    gifts: tuple[Gift, ...]
    code: int | None
    emission_id: str | None
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """An instrument considered that gives nothing.

    ``condition`` is the one that failed: a code condition's id, others' kind. ``missing`` is how
    much more of ``unit`` (minor units, thousandths) would meet it.
    """

    campaign_id: str
    instrument_id: str
    reason: Reason
    condition: str | None
    missing: int | None
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a basket.

    ``lines`` are in the basket's order, ``granted`` and ``refused`` in the order instruments are
    tried. Money is in minor units; ``total`` is before discounts.
    """

    lines: tuple[DecidedLine, ...]
    granted: tuple[Granted, ...]
    refused: tuple[Refused, ...]
    total: int
    discount: int
    bonuses: int


def decide(basket: Basket, ruleset: Ruleset, free: Callable[[Limit], int]) -> Verdict:
    """Decide a basket.

    ``free`` says how many slots of a limit are left, not counting this decision's own; it is only
    asked for limits among ``ruleset.limits(basket)``. The same basket, ruleset and answers of
    ``free`` give the same verdict.
    """
    reading = read(basket)
    candidates = ruleset.met(reading)
    failures = {candidate: ruleset.failure(candidate, reading) for candidate in candidates}
    met = [candidate for candidate in candidates if failures[candidate] is None]
    result = stack(met, reading, Capacity(free))
    failures.update(result.failures)
    numbered = {
        line.line: line.amount - result.remaining[n] for n, line in enumerate(reading.lines)
    }
    return Verdict(
        lines=tuple(DecidedLine(x.line, x.amount, numbered[x.line]) for x in basket.lines),
        granted=tuple(
            _granted(candidate, grant, reading) for candidate, grant in result.grants.items()
        ),
        refused=tuple(
            _refused(candidate, failure) for candidate, failure in failures.items() if failure
        ),
        total=sum(line.amount for line in reading.lines),
        discount=sum(numbered.values()),
        bonuses=sum(grant.points for grant in result.grants.values()),
    )


def _granted(candidate: CompiledInstrument, grant: Grant, reading: Reading) -> Granted:
    code = grant.slots.code
    return Granted(
        campaign_id=candidate.campaign.campaign_id,
        instrument_id=candidate.instrument.instrument_id,
        discount=sum(share for _, share in grant.shares),
        lines=tuple((reading.lines[position].line, share) for position, share in grant.shares),
        bonuses=grant.points,
        gifts=grant.gifts,
        code=code.position if code else None,
        emission_id=code.emission_id if code else None,
        limits=grant.slots.limits,
    )


def _refused(candidate: CompiledInstrument, failure: Failure) -> Refused:
    return Refused(
        campaign_id=candidate.campaign.campaign_id,
        instrument_id=candidate.instrument.instrument_id,
        reason=failure.reason,
        condition=failure.condition,
        missing=failure.missing,
        unit=failure.unit,
    )
