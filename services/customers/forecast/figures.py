"""How good models are, over all times at which they were tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from services.customers.forecast.backtest import Bin, Score

PLAIN = "running-mean"
"""What all others are compared with."""


@dataclass(frozen=True)
class Figures:
    """Means over the scores of a model; ``ratio`` is its error to that of the running mean."""

    model: str
    error: float
    ratio: float
    bias: float
    brier: float
    brier_mean: float
    wait_error: float | None
    scores: Sequence[Score]


def figures(scores: Sequence[Score]) -> list[Figures]:
    """Of each model, in the order in which they were tried."""
    plain = [one.mae for one in scores if one.model == PLAIN]
    found = []
    for model in dict.fromkeys(one.model for one in scores):
        own = [one for one in scores if one.model == model]
        waits = [one.wait_error for one in own if one.wait_error is not None]
        error = fmean(one.mae for one in own)
        found.append(
            Figures(
                model,
                error,
                error / fmean(plain) if sum(plain) else 1.0,
                fmean(one.bias for one in own),
                fmean(one.brier for one in own),
                fmean(one.brier_mean for one in own),
                fmean(waits) if waits else None,
                own,
            )
        )
    return found


def ratio_of(scores: Sequence[Score], model: str | None) -> float:
    """The error of a model to that of the running mean; 1 where nothing was compared."""
    return next((one.ratio for one in figures(scores) if one.model == model), 1.0)


def pooled(scores: Sequence[Score]) -> list[Bin]:
    """Bins of probability of all scores together: each tenth of them, lowest first."""
    by_tenth: dict[int, list[Bin]] = {}
    for score in scores:
        for one in score.bins:
            by_tenth.setdefault(min(int(one.foretold * 10), 9), []).append(one)
    return [_sum(by_tenth[tenth]) for tenth in sorted(by_tenth)]


def _sum(bins: Sequence[Bin]) -> Bin:
    customers = sum(one.customers for one in bins)
    return Bin(
        customers,
        sum(one.customers * one.foretold for one in bins) / customers,
        sum(one.customers * one.came for one in bins) / customers,
    )
