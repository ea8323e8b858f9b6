"""What a condition is compiled to, and what compiling needs to know of its campaign."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.failure import Failure
from services.evaluator.promotion.period import WindowAt
from shared.events.promotion import EmissionSummary

Check = Callable[[Reading, Eligible], Failure | None]
"""None when the condition is met by the lines that count."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What conditions of an instrument depend on besides themselves."""

    emissions: Mapping[str, EmissionSummary]
    window_at: WindowAt
    include_discounted: bool


def valid_at(emission: EmissionSummary, at: datetime) -> bool:
    """Whether codes of the emission are valid then: ``valid_from`` ≤ t < ``valid_until``."""
    return (emission.valid_from is None or emission.valid_from <= at) and (
        emission.valid_until is None or at < emission.valid_until
    )
