"""Limits: caps on redemptions and money, and what is left of them within one decision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from services.evaluator.promotion.basket import PresentedCode, Reading
from services.evaluator.promotion.period import WindowAt, day_of
from shared.events.promotion import LimitRule, Per


class Limit(msgspec.Struct, frozen=True):
    """A counter that allows ``cap`` redemptions, or minor units of discounts (``money``).

    Of a rolling limit only uses after ``since`` count. ``limit_id`` is one of

    - ``{campaign}/{instrument}/{condition}``: the cap of a promo-code condition,
    - ``{campaign}/{instrument}``: the instrument's redemptions in all,
    - ``{campaign}/{instrument}/~{what}={whose}``: a limit per customer, code, store or day, or of
      money; ``{campaign}/~…``: a campaign's,
    - ``code:{digest in hex}``: a single-use code, for life, over all campaigns.

    All but the last end with ``@{window}`` if the processing period has windows.
    """

    limit_id: str
    cap: int
    money: bool = False
    since: datetime | None = None


class Claim(msgspec.Struct, frozen=True):
    """What a redemption takes of a limit: 1, or minor units."""

    limit: Limit
    amount: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A limit's rule, compiled: there is a limit of its own for each window and each of ``per``.

    ``name`` is what refusals call it; None: the instrument's redemptions in all.
    """

    prefix: str
    name: str | None
    cap: int
    money: bool
    per: tuple[Per, ...]
    window_at: WindowAt
    time_zone: str

    def limit(self, reading: Reading, code: PresentedCode | None) -> Limit | None:
        """The limit that the basket counts for, using ``code``; None without a customer it needs."""
        at = reading.at
        whose = []
        for one in self.per:
            match one:
                case "customer":
                    if reading.basket.customer_id is None:
                        return None
                    whose.append(reading.basket.customer_id)
                case "store":
                    whose.append(reading.basket.store_id)
                case "day":
                    whose.append(day_of(at, self.time_zone))
                case "code":
                    whose.append(code.digest.hex() if code else "")
        window = self.window_at(at)
        limit_id = self.prefix
        if whose:
            limit_id += "=" + ",".join(whose)
        if window.name:
            limit_id += "@" + window.name
        return Limit(limit_id, self.cap, self.money, window.start if window.slides else None)


_ORDER: tuple[Per, ...] = ("customer", "code", "store", "day")


def compile_rule(rule: LimitRule, prefix: str, window_at: WindowAt, time_zone: str) -> Rule:
    """A rule of the campaign or instrument that ``prefix`` names."""
    per = tuple(one for one in _ORDER if one in rule.per)
    words = [*per, *(["money"] if rule.money is not None else [])]
    return Rule(
        prefix=f"{prefix}/~{'.'.join(words)}" if words or "/" not in prefix else prefix,
        name=".".join(["limit" if "/" in prefix else "campaign_limit", *words])
        if words or "/" not in prefix
        else None,
        cap=rule.money if rule.money is not None else rule.redemptions or 0,
        money=rule.money is not None,
        per=per,
        window_at=window_at,
        time_zone=time_zone,
    )


def cap_rule(prefix: str, condition_id: str, cap: int, window_at: WindowAt) -> Rule:
    """The cap of a promo-code condition, shared by all codes of its emission."""
    return Rule(
        prefix=f"{prefix}/{condition_id}",
        name=condition_id,
        cap=cap,
        money=False,
        per=(),
        window_at=window_at,
        time_zone="UTC",
    )


def of_code(digest: bytes) -> Limit:
    """The one use of a single-use code."""
    return Limit(f"code:{digest.hex()}", 1)


@dataclass(slots=True)
class Capacity:
    """What is left of every limit while one cart is decided.

    ``free`` says how much others have left; what this decision takes is counted here, so that an
    instrument never gets a slot that an earlier one of the same cart has taken.
    """

    free: Callable[[Limit], int]
    taken: dict[str, int] = field(default_factory=dict)

    def has(self, claim: Claim, besides: Sequence[Claim] = ()) -> bool:
        """Whether there is room for the claim after ``besides`` that are about to be taken."""
        limit_id = claim.limit.limit_id
        asked = claim.amount + sum([c.amount for c in besides if c.limit.limit_id == limit_id])
        return self.free(claim.limit) - self.taken.get(limit_id, 0) >= asked

    def left(self, limit: Limit) -> int:
        """What is left of a limit, for who is refused; no less than nothing."""
        return max(0, self.free(limit) - self.taken.get(limit.limit_id, 0))

    def take(self, claims: Sequence[Claim]) -> None:
        """Count the claims; the caller has asked ``has`` before."""
        for claim in claims:
            limit_id = claim.limit.limit_id
            self.taken[limit_id] = self.taken.get(limit_id, 0) + claim.amount
