"""The models that are compared."""

from services.customers.forecast.bg_nbd import BgNbd
from services.customers.forecast.boosted import HORIZONS, Boosted
from services.customers.forecast.features import SHORTEST
from services.customers.forecast.model import Model
from services.customers.forecast.running_mean import RunningMean

SEED = 1
FEWEST_CUSTOMERS = 200
"""Of fewer, differences between models are chance."""


def models(days: int, seed: int = SEED) -> tuple[Model, ...]:
    """Those that can learn from a history of so many days; the plainest first: of equals it is chosen."""
    plain: tuple[Model, ...] = (RunningMean(), BgNbd())
    if days < SHORTEST + HORIZONS[0]:
        return plain
    return (*plain, Boosted(seed=seed))
