"""Trainings and what is foretold of customers, in PostgreSQL. Every function runs in its caller's transaction."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from services.customers.forecast.backtest import Score
from services.customers.forecast.outlook import Outlook
from shared.database import Connection
from shared.events.customers import ErasedTable, Forecast

_TRAINS = 0x7111_F0CA
_KEPT_RUNS = 400

_SCORES = msgspec.json.Decoder(list[Score])


@dataclass(frozen=True)
class Run:
    """A training. ``done`` is how much of it, in thousandths; ``learnt_from`` how many customers models learnt from."""

    run_id: str
    status: str
    reason: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stage: str
    done: int
    model: str | None
    basis: str | None
    customers: int
    learnt_from: int
    history_days: int
    foretold: int
    changed: int
    scores: Sequence[Score]


@dataclass(frozen=True)
class Soon:
    """A customer who is expected to buy."""

    customer_id: str
    expected_on: date
    probability: int
    purchases: int


_COLUMNS = (
    "run_id, status, reason, asked_at, started_at, finished_at, stage, done, model, basis,"
    " customers, learnt_from, history_days, foretold, changed, scores"
)


def _run(row: Any) -> Run:
    return Run(**{**row, "scores": _SCORES.decode(row["scores"])})


async def ask(connection: Connection, run_id: str, reason: str, now: datetime) -> bool:
    """Ask for a training; False if one waits already."""
    tag = await connection.execute(
        "insert into forecast_runs (run_id, reason, asked_at) values ($1, $2, $3)"
        " on conflict (status) where status = 'asked' do nothing",
        run_id,
        reason,
        now,
    )
    return tag.endswith(" 1")


async def lock(connection: Connection) -> bool:
    """Become the one who trains, for as long as the connection lives; False if somebody is."""
    mine: bool = await connection.fetchval("select pg_try_advisory_lock($1)", _TRAINS)
    return mine


async def give_up(connection: Connection, now: datetime) -> bool:
    """Trainings whose process has ended early have failed; False while somebody trains."""
    if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _TRAINS):
        return False
    await connection.execute(
        "update forecast_runs set status = 'failed', finished_at = $1 where status = 'running'", now
    )
    return True


async def begin(connection: Connection, now: datetime) -> Run | None:
    """The training that was asked for, begun. The caller has the lock."""
    row = await connection.fetchrow(
        "update forecast_runs set status = 'running', started_at = $1, stage = 'reading'"  # noqa: S608 - our own names
        f" where status = 'asked' returning {_COLUMNS}",
        now,
    )
    return None if row is None else _run(row)


async def progress(connection: Connection, run_id: str, stage: str, done: int) -> None:
    """Note how far a training is."""
    await connection.execute(
        "update forecast_runs set stage = $2, done = $3 where run_id = $1", run_id, stage, done
    )


async def learnt(
    connection: Connection,
    run_id: str,
    model: str,
    basis: str,
    scores: Sequence[Score],
    *,
    customers: int,
    learnt_from: int,
    history_days: int,
) -> None:
    """Note what models were compared by, and which is used."""
    await connection.execute(
        "update forecast_runs set model = $2, basis = $3, scores = $4::jsonb, customers = $5,"
        " learnt_from = $6, history_days = $7 where run_id = $1",
        run_id,
        model,
        basis,
        msgspec.json.encode(scores).decode(),
        customers,
        learnt_from,
        history_days,
    )


async def finish(
    connection: Connection, run_id: str, foretold: int, changed: int, now: datetime
) -> None:
    """A training is done; of the oldest ones nothing is kept."""
    await connection.execute(
        "update forecast_runs set status = 'done', stage = 'done', done = 1000, foretold = $2,"
        " changed = $3, finished_at = $4 where run_id = $1",
        run_id,
        foretold,
        changed,
        now,
    )
    await connection.execute(
        "delete from forecast_runs where run_id in"
        " (select run_id from forecast_runs order by asked_at desc, run_id offset $1)",
        _KEPT_RUNS,
    )


async def open_runs(connection: Connection) -> frozenset[str]:
    """Of trainings that have not ended: whether some are ``asked`` for, or ``running``."""
    rows = await connection.fetch(
        "select distinct status from forecast_runs where status in ('asked', 'running')"
    )
    return frozenset(row["status"] for row in rows)


async def runs(connection: Connection, limit: int) -> list[Run]:
    """The latest trainings, the last asked for first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from forecast_runs order by asked_at desc, run_id limit $1",  # noqa: S608 - our own names
        limit,
    )
    return [_run(row) for row in rows]


async def find(connection: Connection, run_id: str) -> Run | None:
    """A training."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from forecast_runs where run_id = $1",  # noqa: S608 - our own names
        run_id,
    )
    return None if row is None else _run(row)


async def latest_done(connection: Connection) -> Run | None:
    """The training whose predictions are used."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from forecast_runs where status = 'done'"  # noqa: S608 - our own names
        " order by asked_at desc, run_id limit 1"
    )
    return None if row is None else _run(row)


async def asked_between(connection: Connection) -> tuple[datetime, datetime] | None:
    """When a training was first asked for, as far as is known, and when last."""
    row = await connection.fetchrow("select min(asked_at), max(asked_at) from forecast_runs")
    return None if row is None or row[0] is None else (row[0], row[1])


async def customers(connection: Connection) -> int:
    """How many customers have bought something."""
    count: int = await connection.fetchval("select count(*) from profiles where bought")
    return count


async def save(
    connection: Connection,
    found: Sequence[Outlook],
    *,
    model: str,
    days: int,
    now: datetime,
    told_before: datetime,
) -> list[str]:
    """Keep what is foretold; returns those of whom something else is than was, or who were last told of before then."""
    rows = await connection.fetch(
        "merge into forecasts as kept using unnest($1::text[], $2::int[], $3::bigint[], $4::date[])"
        " as made (customer_id, probability, expected_purchases, expected_on)"
        " on kept.customer_id = made.customer_id"
        " when matched and kept.told_at >= $8 and kept.model = $5 and kept.days = $6"
        " and (kept.probability, kept.expected_purchases) = (made.probability, made.expected_purchases)"
        " and kept.expected_on is not distinct from made.expected_on"
        " then update set made_at = $7"
        " when matched then update set made_at = $7, told_at = $7, model = $5, days = $6,"
        " probability = made.probability, expected_purchases = made.expected_purchases,"
        " expected_on = made.expected_on"
        " when not matched then insert (customer_id, made_at, told_at, model, days, probability,"
        " expected_purchases, expected_on) values (made.customer_id, $7, $7, $5, $6,"
        " made.probability, made.expected_purchases, made.expected_on)"
        " returning kept.customer_id, kept.told_at = $7 as told",
        [one.customer_id for one in found],
        [one.probability for one in found],
        [one.purchases for one in found],
        [one.expected_on for one in found],
        model,
        days,
        now,
        told_before,
    )
    return [row["customer_id"] for row in rows if row["told"]]


async def drop(connection: Connection, customer_ids: Collection[str]) -> list[str]:
    """Foretell nothing of customers; returns those of whom something was."""
    rows = await connection.fetch(
        "delete from forecasts where customer_id = any($1) returning customer_id",
        list(customer_ids),
    )
    return [row["customer_id"] for row in rows]


async def drop_others(connection: Connection) -> list[str]:
    """Foretell nothing of who has bought nothing that did not come back; returns those of whom something was."""
    rows = await connection.fetch(
        "delete from forecasts using profiles where profiles.customer_id = forecasts.customer_id"
        " and not bought returning forecasts.customer_id"
    )
    return [row["customer_id"] for row in rows]


Expect = Callable[[Connection, Collection[str]], Awaitable[Mapping[str, Forecast]]]
"""Says what is foretold of customers: ``expected``, or a test."""


async def expected(connection: Connection, customer_ids: Collection[str]) -> dict[str, Forecast]:
    """What is foretold of those customers of whom something is."""
    rows = await connection.fetch(
        "select customer_id, model, made_at, days, probability, expected_purchases, expected_on"
        " from forecasts where customer_id = any($1)",
        list(customer_ids),
    )
    return {
        row["customer_id"]: Forecast(
            model=row["model"],
            made_at=row["made_at"],
            days=row["days"],
            probability=row["probability"],
            expected_purchases=row["expected_purchases"],
            expected_on=row["expected_on"],
        )
        for row in rows
    }


async def soon(
    connection: Connection, first: date, last: date, after: tuple[date, str], limit: int
) -> list[Soon]:
    """Customers expected on ``first`` ≤ day ≤ ``last``, by day and id; those after ``after``."""
    rows = await connection.fetch(
        "select customer_id, expected_on, probability, expected_purchases from forecasts"
        " where expected_on between $1 and $2 and (expected_on, customer_id) > ($3, $4)"
        " order by expected_on, customer_id limit $5",
        first,
        last,
        *after,
        limit,
    )
    return [Soon(*row) for row in rows]


async def by_day(connection: Connection, first: date, last: date) -> dict[date, int]:
    """How many customers are expected on each of the days."""
    rows = await connection.fetch(
        "select expected_on, count(*) as customers from forecasts"
        " where expected_on between $1 and $2 group by expected_on order by expected_on",
        first,
        last,
    )
    return {row["expected_on"]: row["customers"] for row in rows}


async def erase(connection: Connection, customer_id: str) -> list[ErasedTable]:
    """Foretell nothing of a customer any more. What models learnt keeps no customer."""
    dropped = await drop(connection, [customer_id])
    return [ErasedTable(table="forecasts", deleted=len(dropped))]
