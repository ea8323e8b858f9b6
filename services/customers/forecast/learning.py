"""A training: the models are compared, the best learns from everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.customers.forecast.backtest import Score, Watch, backtest, choose, plan
from services.customers.forecast.history import History
from services.customers.forecast.model import Fitted, Model
from services.customers.forecast.models import FEWEST_CUSTOMERS, SEED, models
from services.customers.forecast.running_mean import RunningMean

Basis = Literal["compared", "too_few_customers", "too_short_a_history"]
"""Why a model is used: it was the best, or there is too little to tell, and the plain average it is."""


@dataclass(frozen=True)
class Learnt:
    """The model that is used, what it has learnt, and what it was chosen by."""

    model: str
    basis: Basis
    fitted: Fitted
    scores: Sequence[Score] = ()


def learn(history: History, watch: Watch = lambda *_: None, seed: int = SEED) -> Learnt:
    """Compare the models on times of the past, and have the best learn from all of the history."""
    planned = plan(history.days)
    known = history.of(history.known())
    if known.customers < FEWEST_CUSTOMERS:
        return Learnt(RunningMean().name, "too_few_customers", RunningMean())
    if planned is None:
        return Learnt(RunningMean().name, "too_short_a_history", RunningMean())
    tried: Sequence[Model] = models(min(planned.cuts), seed)
    scores = backtest(known, tried, planned, watch)
    chosen = choose(scores)
    best = next(model for model in tried if model.name == chosen)
    return Learnt(chosen, "compared", best.fit(known), scores)
