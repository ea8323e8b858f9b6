"""Alerts, what became of them, and what is learnt from them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg
from msgspec import json, msgpack
from pydantic import TypeAdapter

from services.customers.fraud.alerting import State
from services.customers.fraud.model import Sample
from shared.database import Connection
from shared.events.customers import Evidence

Key = tuple[str, str, str]
"""A rule, and the kind and name of the subject that met it."""
Action = Literal["raised", "confirmed", "dismissed", "blocked", "unblocked"]
MOST_LABELS = 5_000
MOST_SUSPECTS = 5_000
"""So many are learnt from, the latest."""
_COLUMNS = (
    "alert_id, rule, kind, subject, status, severity, score, times, excess, evidence, sample,"
    " first_seen_at, last_seen_at, changed_at, blocked, quiet_until, told_at, untold"
)
_EVIDENCE = TypeAdapter(tuple[Evidence, ...])
_PACK = msgpack.Encoder().encode
_SAMPLE = msgpack.Decoder(Sample).decode


@dataclass(frozen=True)
class Change:
    """What was done to an alert, when, and by whom (None: by a rule)."""

    action: Action
    changed_at: datetime
    changed_by: str | None
    note: str | None


@dataclass(frozen=True)
class Wanted:
    """Which alerts are asked for; None: any. ``after``: the id of the last one of the page before."""

    status: str | None = None
    rule: str | None = None
    kind: str | None = None
    severity: str | None = None
    subject: str | None = None
    after: str | None = None


async def latest(connection: Connection, keys: Collection[Key]) -> dict[Key, State]:
    """The latest alert of each subject and rule, locked until the transaction ends."""
    ordered = sorted(keys)
    rows = await connection.fetch(
        f"select {_COLUMNS} from alerts where alert_id in ("  # noqa: S608 - constants
        " select (select alert_id from alerts a where a.kind = wanted.kind and a.subject = wanted.subject"
        "   and a.rule = wanted.rule order by first_seen_at desc, changed_at desc limit 1)"
        " from unnest($1::text[], $2::text[], $3::text[]) as wanted (rule, kind, subject))"
        " order by alert_id for update",
        [rule for rule, _, _ in ordered],
        [kind for _, kind, _ in ordered],
        [subject for _, _, subject in ordered],
    )
    return {(row["rule"], row["kind"], row["subject"]): _state(row) for row in rows}


async def one(connection: Connection, alert_id: str, *, lock: bool = False) -> State | None:
    """An alert; ``lock``: until the transaction ends."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from alerts where alert_id = $1"  # noqa: S608 - constants
        + (" for update" if lock else ""),
        alert_id,
    )
    return None if row is None else _state(row)


async def page(connection: Connection, wanted: Wanted, limit: int) -> list[State]:
    """Alerts, first seen last first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from alerts"  # noqa: S608 - constants
        " where ($1::text is null or status = $1) and ($2::text is null or rule = $2)"
        " and ($3::text is null or kind = $3) and ($4::text is null or severity = $4)"
        " and ($5::text is null or subject = $5)"
        " and ($6::text is null or (first_seen_at, alert_id) <"
        "   (select first_seen_at, alert_id from alerts where alert_id = $6))"
        " order by first_seen_at desc, alert_id desc limit $7",
        wanted.status,
        wanted.rule,
        wanted.kind,
        wanted.severity,
        wanted.subject,
        wanted.after,
        limit,
    )
    return [_state(row) for row in rows]


async def untold(connection: Connection, before: datetime, limit: int) -> list[State]:
    """Alerts that changed since the topic was told of them before that instant, locked; those in hand elsewhere later."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from alerts where untold and told_at <= $1"  # noqa: S608 - constants
        " order by alert_id limit $2 for update skip locked",
        before,
        limit,
    )
    return [_state(row) for row in rows]


async def save(connection: Connection, states: Iterable[State]) -> None:
    """Save alerts, new ones or changed ones."""
    values = [_values(state) for state in sorted(states, key=lambda state: state.alert_id)]
    places = ", ".join(f"${n}" for n in range(1, len(_COLUMNS.split(",")) + 1))
    await connection.executemany(
        f"insert into alerts ({_COLUMNS}) values ({places})"  # noqa: S608 - constants
        " on conflict (alert_id) do update set status = excluded.status, severity = excluded.severity,"
        " score = excluded.score, times = excluded.times, excess = excluded.excess,"
        " evidence = excluded.evidence, sample = excluded.sample,"
        " first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,"
        " changed_at = excluded.changed_at, blocked = excluded.blocked,"
        " quiet_until = excluded.quiet_until, told_at = excluded.told_at, untold = excluded.untold",
        values,
    )


async def note(connection: Connection, changes: Iterable[tuple[str, Change]]) -> None:
    """Add to the history of alerts."""
    await connection.executemany(
        "insert into alert_changes (alert_id, number, action, changed_at, changed_by, note)"
        " select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 from alert_changes where alert_id = $1",
        [
            (alert_id, change.action, change.changed_at, change.changed_by, change.note)
            for alert_id, change in changes
        ],
    )


async def history(connection: Connection, alert_id: str) -> list[Change]:
    """What became of an alert, from the beginning."""
    rows = await connection.fetch(
        "select action, changed_at, changed_by, note from alert_changes"
        " where alert_id = $1 order by number",
        alert_id,
    )
    return [Change(**dict(row)) for row in rows]


async def label(connection: Connection, state: State, now: datetime) -> None:
    """Note what was said of a closed alert; said again, it is what was said last."""
    await connection.execute(
        "insert into labels (alert_id, abuse, sample, said_at) values ($1, $2, $3, $4)"
        " on conflict (alert_id) do update set abuse = excluded.abuse, sample = excluded.sample,"
        " said_at = excluded.said_at",
        state.alert_id,
        bool(state.sample.abuse),
        _PACK(state.sample),
        now,
    )


async def suspect(connection: Connection, samples: Mapping[Key, Sample], now: datetime) -> None:
    """Note who was half-way to a rule and raised no alert."""
    keys = sorted(samples)
    await connection.execute(
        "insert into suspects (rule, kind, subject, sample, seen_at)"
        " select rule, kind, subject, sample, $5"
        " from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as new (rule, kind, subject, sample)"
        " on conflict (rule, kind, subject) do update set sample = excluded.sample,"
        " seen_at = excluded.seen_at",
        [rule for rule, _, _ in keys],
        [kind for _, kind, _ in keys],
        [subject for _, _, subject in keys],
        [_PACK(samples[key]) for key in keys],
        now,
    )


async def samples(connection: Connection) -> list[bytes]:
    """What is learnt from: the latest labels, and suspects of whom nothing was said, in a fixed order."""
    rows = await connection.fetch(
        "(select sample, alert_id as name from labels order by said_at desc, alert_id limit $1)"
        " union all (select s.sample, concat_ws('/', s.rule, s.kind, s.subject) from suspects s"
        "  where not exists (select from alerts a where a.kind = s.kind and a.subject = s.subject"
        "    and a.rule = s.rule)"
        "  order by s.seen_at desc, s.rule, s.kind, s.subject limit $2)"
        " order by name",
        MOST_LABELS,
        MOST_SUSPECTS,
    )
    return [row["sample"] for row in rows]


def unpacked(packed: Sequence[bytes]) -> list[Sample]:
    """Samples as they were kept."""
    return [_SAMPLE(one) for one in packed]


async def said(connection: Connection) -> tuple[int, int]:
    """How many alerts were confirmed and dismissed, as far as the score learns from them."""
    row = await connection.fetchrow(
        "select count(*) filter (where abuse) as confirmed, count(*) filter (where not abuse) as dismissed"
        " from labels"
    )
    return (0, 0) if row is None else (row["confirmed"], row["dismissed"])


async def labels_said(connection: Connection) -> tuple[int, datetime | None]:
    """How many labels there are, and when the latest was said: whether there is something new to learn."""
    row = await connection.fetchrow("select count(*) as n, max(said_at) as said_at from labels")
    return (0, None) if row is None else (row["n"], row["said_at"])


async def open_by_severity(connection: Connection) -> dict[str, int]:
    """How many alerts are open, by severity."""
    rows = await connection.fetch(
        "select severity, count(*) as n from alerts where status = 'open' group by severity"
    )
    return {row["severity"]: row["n"] for row in rows}


async def forget(connection: Connection, before: datetime) -> int:
    """Delete alerts and suspects not seen since ``before``; how many."""
    alerts = await connection.execute("delete from alerts where last_seen_at < $1", before)
    suspects = await connection.execute("delete from suspects where seen_at < $1", before)
    return sum(int(status.rpartition(" ")[2]) for status in (alerts, suspects))


def _state(row: asyncpg.Record) -> State:
    fields = dict(row)
    fields["evidence"] = _EVIDENCE.validate_json(fields["evidence"])
    fields["sample"] = _SAMPLE(fields["sample"])
    return State(**fields)


def _values(state: State) -> tuple[Any, ...]:
    return (
        state.alert_id,
        state.rule,
        state.kind,
        state.subject,
        state.status,
        state.severity,
        state.score,
        state.times,
        state.excess,
        json.encode([one.model_dump(exclude_defaults=True) for one in state.evidence]).decode(),
        _PACK(state.sample),
        state.first_seen_at,
        state.last_seen_at,
        state.changed_at,
        state.blocked,
        state.quiet_until,
        state.told_at,
        state.untold,
    )
