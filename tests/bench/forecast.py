"""How well the next purchases are foretold, on real baskets: ``make bench-forecast``. The last line is JSON.

    python -m tests.bench.forecast [--seed 1] [--shopping-days]

The year of the "Complete Journey" (365 days, 2,469 households) by the days of its stores' clocks; a trip is a basket
(``--shopping-days``: a day with any). The last 13 weeks, from 2 October 2017, are cut off: models are compared, and one is chosen, by
a rolling backtest within what came before; then each learns from all of that, and is asked for the trips of the 13 weeks, for
the households with a trip before them.
"""

import argparse
import json
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from deploy.demo import dataset
from deploy.demo.mapping import TIME_ZONE
from services.customers.forecast.backtest import (
    Plan,
    Score,
    backtest,
    choose,
    plan,
    since_first,
)
from services.customers.forecast.history import History
from services.customers.forecast.model import QUARTER
from services.customers.forecast.models import models
from shared import clock

_FIRST_DAY = np.datetime64("2017-01-01")
DAYS = 365
CUT = DAYS - QUARTER


def read() -> History:
    """The year: households × days. Nothing of it is kept."""
    table = pq.read_table(
        dataset.folder() / "transactions.parquet",
        columns=["household_id", "basket_id", "transaction_timestamp", "sales_value"],
    )
    baskets = table.group_by(["household_id", "basket_id"]).aggregate(
        [("transaction_timestamp", "min"), ("sales_value", "sum")]
    )
    instants = pc.assume_timezone(baskets["transaction_timestamp_min"], "UTC")
    local = pc.local_timestamp(instants.cast(pa.timestamp("ns", TIME_ZONE)))
    day = (local.to_numpy().astype("datetime64[D]") - _FIRST_DAY).astype(np.int64)
    households, row = np.unique(baskets["household_id"].to_numpy(), return_inverse=True)
    trips = np.zeros((len(households), DAYS), np.float32)
    paid = np.zeros_like(trips)
    np.add.at(trips, (row, day), 1)
    # In cents: a sum of floats depends on the order in which threads come to it.
    np.add.at(paid, (row, day), np.rint(baskets["sales_value_sum"].to_numpy() * 100))
    return History(trips, paid)


def show(title: str, scores: list[Score]) -> None:
    """A row for each model and cut."""
    plain = {one.ago: one.mae for one in scores if one.model == "running-mean"}
    print(f"\n{title}")  # noqa: T201
    print(f"{'model':14}{'days ago':>9}{'customers':>10}{'MAE':>8}{'ratio':>8}{'bias':>8}", end="")  # noqa: T201
    print(f"{'Brier':>8}{'(mean)':>8}{'wait':>6}")  # noqa: T201
    for one in scores:
        ratio = one.mae / plain[one.ago]
        print(  # noqa: T201
            f"{one.model:14}{one.ago:9}{one.customers:10}{one.mae:8.3f}{ratio:8.3f}{one.bias:8.3f}"
            f"{one.brier:8.4f}{one.brier_mean:8.4f}{one.wait_error or 0:6.1f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shopping-days", action="store_true")
    asked = parser.parse_args()
    started = clock.monotonic()
    year = read()
    if asked.shopping_days:
        year = replace(year, trips=np.minimum(year.trips, 1))
    before, tried = year.until(CUT), models(CUT, asked.seed)
    planned = plan(CUT)
    assert planned is not None
    with threadpool_limits(1):  # threads that wait for each other cost more than they bring here
        earlier = backtest(before, tried, planned)
        chosen = choose(earlier)
        last = backtest(year, tried, Plan((CUT,), QUARTER))
    show("rolling backtest before the last 13 weeks (the choice is made here)", earlier)
    show("the last 13 weeks", last)
    found = next(one for one in last if one.model == chosen)
    show_bins(found)
    plain = next(one for one in last if one.model == "running-mean")
    known = before.of(before.known())
    real = year.of(before.known()).counted(CUT, DAYS)
    first = float(np.abs(since_first(known) * QUARTER - real).mean())
    figures = {
        "mae": round(found.mae, 4),
        "baseline_mae": round(plain.mae, 4),
        "model": chosen,
        "ratio": round(found.mae / plain.mae, 4),
        "baseline_since_first_mae": round(first, 4),
        "customers": found.customers,
        "seed": asked.seed,
        "seconds": round(clock.monotonic() - started, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def show_bins(found: Score) -> None:
    """What was foretold for two weeks, and what came."""
    print(f"\nprobability of a trip within two weeks, by {found.model}")  # noqa: T201
    print(f"{'customers':>10}{'foretold':>10}{'came':>8}")  # noqa: T201
    for one in found.bins:
        print(f"{one.customers:10}{one.foretold:10.3f}{one.came:8.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
