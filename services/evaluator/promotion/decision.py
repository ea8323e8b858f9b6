"""The decision on one cart: what is granted, what is refused and why, and every line's discount."""

from collections.abc import Callable, Mapping

from services.evaluator.promotion.basket import Basket, PresentedCode, Reading
from services.evaluator.promotion.benefits.extras import TierOffer
from services.evaluator.promotion.codes import CodeNeed
from services.evaluator.promotion.failure import Failure
from services.evaluator.promotion.instrument import CompiledInstrument
from services.evaluator.promotion.limits import Capacity, Limit, of_code
from services.evaluator.promotion.ruleset import Considered, Ruleset
from services.evaluator.promotion.stacking import (
    Grant,
    Stack,
    is_possible,
    stack,
    used_codes,
)
from services.evaluator.promotion.verdict import (
    DecidedLine,
    Granted,
    InstrumentName,
    NearMiss,
    Refused,
    UnusedCode,
    UnusedReason,
    Verdict,
)

MOST_NEAR_MISSES = 10


def decide(basket: Basket, ruleset: Ruleset, free: Callable[[Limit], int]) -> Verdict:
    """Decide a basket whose purchases, if they matter, are there."""
    return judge(ruleset.consider(basket), free)


def judge(considered: Considered, free: Callable[[Limit], int]) -> Verdict:
    """Decide a basket that has been considered.

    ``free`` says how much of a limit is left, not counting this decision's own; it is only asked
    for limits among ``considered.limits()``. The same basket, ruleset and answers of ``free`` give
    the same verdict.
    """
    reading, candidates = considered.reading, considered.candidates
    failures = considered.failures
    met = [c for c, failed in zip(candidates, failures, strict=True) if failed is None]
    result = stack(met, reading, Capacity(free))
    refused = {
        candidate: failed or result.failures.get(candidate)
        for candidate, failed in zip(candidates, failures, strict=True)
    }
    discounts = {
        line.line: amount - remaining
        for line, amount, remaining in zip(
            reading.lines, reading.amounts, result.remaining, strict=True
        )
    }
    basket = reading.basket
    return Verdict(
        lines=tuple([DecidedLine(x.line, x.amount, discounts[x.line]) for x in basket.lines]),
        granted=tuple([_granted(c, grant, reading) for c, grant in result.grants.items()]),
        refused=tuple([_refused(c, failed) for c, failed in refused.items() if failed]),
        near_misses=_near_misses(refused, result),
        unused_codes=_unused_codes(refused, result) if basket.codes else (),
        total=sum(reading.amounts),
        discount=sum(discounts.values()),
        bonuses=sum([grant.given.points for grant in result.grants.values()]),
    )


def _granted(candidate: CompiledInstrument, grant: Grant, reading: Reading) -> Granted:
    code, given, lines = grant.slots.code, grant.given, reading.lines
    return Granted(
        campaign_id=candidate.campaign.campaign_id,
        instrument_id=candidate.instrument_id,
        discount=given.discount,
        lines=tuple([(lines[position].line, share) for position, share in given.shares]),
        bonuses=given.points,
        gifts=given.gifts,
        choose=given.choose,
        code=code.position if code else None,
        emission_id=code.emission_id if code else None,
        times=grant.times,
        limits=grant.slots.claims,
        keeps_slot=candidate.keeps_slot,
        lifetime=given.lifetime,
    )


def _refused(candidate: CompiledInstrument, failure: Failure) -> Refused:
    by = failure.outranked_by
    return Refused(
        candidate.campaign.campaign_id,
        candidate.instrument_id,
        failure.reason,
        failure.condition,
        failure.missing,
        failure.unit,
        failure.left,
        InstrumentName(*by) if by else None,
    )


def _near_misses(
    refused: Mapping[CompiledInstrument, Failure | None], result: Stack
) -> tuple[NearMiss, ...]:
    """What a little more would get: of what is refused, and higher tiers of what is granted."""
    found = [
        (c, failed)
        for c, failed in refused.items()
        if failed and failed.near and is_possible(c, result)
    ]
    for candidate in result.grants:
        if isinstance(candidate.offer, TierOffer):
            ahead = candidate.offer.next(result.reading, candidate.eligible(result.reading))
            found += [(candidate, ahead)] if ahead else []
    found.sort(key=_nearness)
    return tuple(
        [
            NearMiss(*candidate.ids, candidate.name, failed.missing, failed.unit, failed.condition)
            for candidate, failed in found[:MOST_NEAR_MISSES]
            if failed.missing is not None and failed.unit is not None
        ]
    )


def _nearness(miss: tuple[CompiledInstrument, Failure]) -> tuple[int, str]:
    candidate, failed = miss
    return failed.share, candidate.order


def _unused_codes(
    refused: Mapping[CompiledInstrument, Failure | None], result: Stack
) -> tuple[UnusedCode, ...]:
    """Why codes stay unused: the reason of the first instrument that each led to."""
    basket = result.reading.basket
    if basket.blocked:
        return tuple([UnusedCode(code.position, "not_applied") for code in basket.codes])
    used = used_codes(result.grants.values())
    reasons: dict[PresentedCode, UnusedReason] = {}
    for candidate, failed in refused.items():
        for need in candidate.needs:
            for code in result.reading.codes.get(need.emission_id, ()):
                if code not in reasons:
                    reasons[code] = _reason(code, candidate, need, failed, result)
    unused: dict[int, UnusedReason] = {}
    for code in basket.codes:
        if code.emission_id is None:
            unused[code.position] = "locked_out" if basket.locked_out else "unknown_code"
        elif code.position not in used:
            unused[code.position] = reasons.get(code, "no_campaign")
    return tuple([UnusedCode(position, unused[position]) for position in sorted(unused)])


def _reason(
    code: PresentedCode,
    candidate: CompiledInstrument,
    need: CodeNeed,
    failed: Failure | None,
    result: Stack,
) -> UnusedReason:
    """Why the instrument did not use this code for the need."""
    if code.is_over(result.reading.at):
        return "code_not_valid"
    return failed.reason if failed else _passed_over(code, candidate, need, result)


def _passed_over(
    code: PresentedCode, candidate: CompiledInstrument, need: CodeNeed, result: Stack
) -> UnusedReason:
    """Why an instrument that is granted did not use this code of the emission."""
    reading = result.reading
    if need.own and code.holder != reading.basket.customer_id:
        return "code_not_yours"
    caps = [rule.limit(reading, code) for rule in candidate.rules if "code" in rule.per]
    if need.single_use:
        caps.append(of_code(code.digest))
    if need.cap:
        caps.append(need.cap.limit(reading, None))
    is_full = any(cap is not None and result.capacity.free(cap) < 1 for cap in caps)
    return "limit_reached" if is_full else "outranked"
