"""What the API of forecasts answers with. Errors are in trips, probabilities and shares in basis points."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from services.customers.forecast.backtest import DAYS, Score
from services.customers.forecast.figures import Figures, figures, pooled
from services.customers.forecast.store import Run, Soon
from shared.events.values import CustomerId, Event, Id

_ALL = 10_000
_DIGITS = 4

Stage = Literal["waiting", "reading", "comparing", "learning", "foretelling", "done"]
Basis = Literal["compared", "too_few_customers", "too_short_a_history"]
Figure = Annotated[float, Field(description="to four digits")]


def _figure(value: float) -> float:
    return round(value, _DIGITS)


class RunView(Event):
    """A training. ``progress``: how much is done. It looks at all ``customers``; models ``learnt_from`` some of them.

    ``basis`` is why ``model`` is used: it was the best of those compared, or there is too little to tell. ``foretold``: of so many
    customers something is; of ``changed`` something else than before.
    """

    run_id: Id
    status: Literal["asked", "running", "done", "failed"]
    reason: Literal["asked", "schedule", "overdue", "more_customers"]
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stage: Stage
    progress: Annotated[int, Field(description="basis points", ge=0, le=_ALL)]
    model: Id | None
    basis: Basis | None
    customers: int
    learnt_from: int
    history_days: int
    foretold: int
    changed: int

    @classmethod
    def of(cls, run: Run) -> Self:
        """The view of a training."""
        return cls.model_validate(
            {name: getattr(run, name) for name in cls.model_fields if name != "progress"}
            | {"progress": run.done * 10}
        )


class ScoreView(Event):
    """How good a model was ``ago`` days before the training: it foretold the trips of the ``days`` after that.

    ``error``: mean absolute error of trips; ``bias``: mean of foretold less real ones; ``trips``: what there were in the mean. ``brier``: mean
    squared error of the probability of a trip within two weeks.
    """

    ago: int
    days: int
    customers: int
    trips: Figure
    error: Figure
    bias: Figure
    brier: Figure

    @classmethod
    def of(cls, score: Score) -> Self:
        """The view of a score."""
        return cls(
            ago=score.ago,
            days=score.days,
            customers=score.customers,
            trips=_figure(score.trips),
            error=_figure(score.mae),
            bias=_figure(score.bias),
            brier=_figure(score.brier),
        )


class ModelView(Event):
    """A model and how good it is, over all times at which it was tried.

    ``ratio``: its error to that of the running mean. ``brier_mean``: the Brier score of foretelling everybody the share of customers
    who come. ``wait_error``: median absolute error of the day of the next purchase, in days.
    """

    model: Id
    used: bool
    error: Figure
    ratio: Figure
    bias: Figure
    brier: Figure
    brier_mean: Figure
    wait_error: Figure | None
    scores: tuple[ScoreView, ...]

    @classmethod
    def of(cls, found: Figures, used: str | None) -> Self:
        """The view of a model's figures."""
        return cls(
            model=found.model,
            used=found.model == used,
            error=_figure(found.error),
            ratio=_figure(found.ratio),
            bias=_figure(found.bias),
            brier=_figure(found.brier),
            brier_mean=_figure(found.brier_mean),
            wait_error=None if found.wait_error is None else _figure(found.wait_error),
            scores=tuple(ScoreView.of(score) for score in found.scores),
        )


class BinView(Event):
    """Customers with a like probability, by the model in use: what was foretold in the mean, and the share who came."""

    customers: int
    foretold: int
    came: int


class ForecastView(Event):
    """What the next purchase is foretold with: the training whose model is ``used``, and how good the models are.

    ``latest`` is the training asked for last, whatever became of it. Probabilities are of a purchase within ``days``.
    """

    days: int = DAYS
    used: RunView | None
    latest: RunView | None
    models: tuple[ModelView, ...]
    reliability: tuple[BinView, ...]

    @classmethod
    def of(cls, used: Run | None, latest: Run | None) -> Self:
        """The view of the training in use, and of the latest."""
        scores: Sequence[Score] = used.scores if used else ()
        model = used.model if used else None
        own = [score for score in scores if score.model == model]
        return cls(
            used=RunView.of(used) if used else None,
            latest=RunView.of(latest) if latest else None,
            models=tuple(ModelView.of(found, model) for found in figures(scores)),
            reliability=tuple(
                BinView(
                    customers=one.customers,
                    foretold=round(one.foretold * _ALL),
                    came=round(one.came * _ALL),
                )
                for one in pooled(own)
            ),
        )


class Runs(Event):
    """Trainings, the last asked for first."""

    items: tuple[RunView, ...]


class SoonView(Event):
    """A customer who is expected to buy: on that day, within two weeks with that probability, so many times (thousandths)."""

    customer_id: CustomerId
    expected_on: date
    probability: int
    expected_purchases: int

    @classmethod
    def of(cls, found: Soon) -> Self:
        """The view of a customer."""
        return cls(
            customer_id=found.customer_id,
            expected_on=found.expected_on,
            probability=found.probability,
            expected_purchases=found.purchases,
        )


class DayView(Event):
    """How many customers are expected on a day."""

    day: date
    customers: int


class ExpectedView(Event):
    """Who is expected in the next days, by day and id; how many on each day."""

    by_day: tuple[DayView, ...]
    items: tuple[SoonView, ...]
    next: str | None
