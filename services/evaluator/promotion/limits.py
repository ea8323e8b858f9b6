"""Limits: caps on redemptions, and what is left of them within one decision."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limit:
    """A counter that allows ``cap`` redemptions.

    ``limit_id`` is one of

    - ``{campaign}/{instrument}/{condition}``: the cap of a promo-code condition,
    - ``{campaign}/{instrument}``: the instrument's ``max_redemptions``,
    - ``code:{digest in hex}``: a single-use code, for life, over all campaigns.
    """

    limit_id: str
    cap: int


def of_condition(campaign_id: str, instrument_id: str, condition_id: str, cap: int) -> Limit:
    """The cap of a promo-code condition, shared by all codes of its emission."""
    return Limit(f"{campaign_id}/{instrument_id}/{condition_id}", cap)


def of_instrument(campaign_id: str, instrument_id: str, cap: int) -> Limit:
    """The instrument's own cap within the campaign."""
    return Limit(f"{campaign_id}/{instrument_id}", cap)


def of_code(digest: bytes) -> Limit:
    """The one use of a single-use code."""
    return Limit(f"code:{digest.hex()}", 1)


@dataclass(slots=True)
class Capacity:
    """What is left of every limit while one cart is decided.

    ``free`` says how many slots others have left; what this decision takes is counted here, so
    that an instrument never gets a slot that an earlier one of the same cart has taken.
    """

    free: Callable[[Limit], int]
    taken: dict[str, int] = field(default_factory=dict)

    def has(self, limit: Limit, besides: int = 0) -> bool:
        """Whether one more slot is left after ``besides`` that are about to be taken."""
        return self.free(limit) - self.taken.get(limit.limit_id, 0) - besides > 0

    def take(self, limits: tuple[Limit, ...]) -> None:
        """Count one slot of each; the caller has asked ``has`` before."""
        for limit in limits:
            self.taken[limit.limit_id] = self.taken.get(limit.limit_id, 0) + 1
