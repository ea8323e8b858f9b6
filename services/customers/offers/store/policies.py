"""Policies as they stand, what was done to them, and the cap over all of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.customers.offers.life import Tally
from services.customers.offers.policy import Cap, Policy
from shared.codec import decode
from shared.database import Connection

Status = Literal["draft", "running", "paused"]
Action = Literal["created", "edited", "started", "paused"]


@dataclass(frozen=True)
class Kept:
    """A policy as it stands; ``version`` rises with each change of its definition."""

    policy: Policy
    version: int
    status: Status
    created_at: datetime
    changed_at: datetime
    changed_by: str

    @property
    def running(self) -> bool:
        """Whether it makes offers."""
        return self.status == "running"


@dataclass(frozen=True)
class Change:
    """What was done to a policy, and what it said then."""

    number: int
    action: Action
    version: int
    policy: Policy
    changed_at: datetime
    changed_by: str


_KEPT = "select policy_id, version, status, definition, created_at, changed_at, changed_by from policies"


def _read(body: bytes) -> Policy:
    return decode(Policy, body, ignore_unknown=True)


def _written(policy: Policy) -> bytes:
    # With what is null: no quiet hours are not the usual ones.
    return policy.model_dump_json().encode()


def _kept(row: Any) -> Kept:
    _, version, status, definition, created_at, changed_at, changed_by = row
    return Kept(_read(definition), version, status, created_at, changed_at, changed_by)


async def every(connection: Connection) -> list[Kept]:
    """All policies, by id."""
    return [_kept(row) for row in await connection.fetch(f"{_KEPT} order by policy_id")]


async def running(connection: Connection) -> list[Kept]:
    """Those that make offers, in the order in which they are asked."""
    rows = await connection.fetch(f"{_KEPT} where status = 'running'")
    return sorted(map(_kept, rows), key=lambda one: (-one.policy.priority, one.policy.policy_id))


async def these(connection: Connection, policy_ids: Collection[str]) -> dict[str, Kept]:
    """Policies by id."""
    rows = await connection.fetch(f"{_KEPT} where policy_id = any($1)", sorted(policy_ids))
    return {one.policy.policy_id: one for one in map(_kept, rows)}


async def one(connection: Connection, policy_id: str, *, lock: bool = False) -> Kept | None:
    """A policy; ``lock``: nobody else changes it until the transaction ends."""
    # Not "for update": offers that are made meanwhile refer to it.
    sql = f"{_KEPT} where policy_id = $1{' for no key update' if lock else ''}"
    row = await connection.fetchrow(sql, policy_id)
    return None if row is None else _kept(row)


async def add(connection: Connection, policy: Policy, actor: str, now: datetime) -> bool:
    """A new policy, as a draft; False if there is one of its id."""
    tag = await connection.execute(
        "insert into policies (policy_id, version, status, definition, created_at, changed_at, changed_by)"
        " values ($1, 1, 'draft', $2, $3, $3, $4) on conflict do nothing",
        policy.policy_id,
        _written(policy),
        now,
        actor,
    )
    if tag.endswith(" 0"):
        return False
    await _note(connection, policy.policy_id, "created", actor, now)
    return True


async def edit(connection: Connection, policy: Policy, actor: str, now: datetime) -> None:
    """Another definition, in force from now on."""
    await connection.execute(
        "update policies set version = version + 1, definition = $2, changed_at = $3, changed_by = $4"
        " where policy_id = $1",
        policy.policy_id,
        _written(policy),
        now,
        actor,
    )
    await _note(connection, policy.policy_id, "edited", actor, now)


async def turn(
    connection: Connection, policy_id: str, status: Status, actor: str, now: datetime
) -> None:
    """Start or pause it."""
    await connection.execute(
        "update policies set status = $2, changed_at = $3, changed_by = $4 where policy_id = $1",
        policy_id,
        status,
        now,
        actor,
    )
    action: Action = "started" if status == "running" else "paused"
    await _note(connection, policy_id, action, actor, now)


async def _note(
    connection: Connection, policy_id: str, action: Action, actor: str, now: datetime
) -> None:
    await connection.execute(
        "insert into policy_changes"
        " (policy_id, number, action, version, definition, changed_at, changed_by)"
        " select policy_id, 1 + (select count(*) from policy_changes where policy_id = $1),"
        " $2, version, definition, $3, $4 from policies where policy_id = $1",
        policy_id,
        action,
        now,
        actor,
    )


async def changes(connection: Connection, policy_id: str, most: int) -> list[Change]:
    """What was done to a policy, the latest first."""
    rows = await connection.fetch(
        "select number, action, version, definition, changed_at, changed_by from policy_changes"
        " where policy_id = $1 order by number desc limit $2",
        policy_id,
        most,
    )
    return [Change(row[0], row[1], row[2], _read(row[3]), row[4], row[5]) for row in rows]


async def tallies(
    connection: Connection, policy_ids: Collection[str]
) -> dict[tuple[str, int], Tally]:
    """How the offers of each policy's steps stand."""
    rows = await connection.fetch(
        "select policy_id, step, codes, offered, used, expired, refused, held_back, likely, given"
        " from policy_steps where policy_id = any($1) order by policy_id, step",
        sorted(policy_ids),
    )
    return {(row[0], row[1]): Tally(*row[2:]) for row in rows}


async def tally(connection: Connection, sums: Iterable[tuple[tuple[str, int], Tally]]) -> None:
    """Add to them; in their order, so that two transactions do not wait for each other."""
    for (policy_id, step), one in sums:
        await connection.execute(
            "insert into policy_steps as kept values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            " on conflict (policy_id, step) do update set codes = kept.codes + $3,"
            " offered = kept.offered + $4, used = kept.used + $5, expired = kept.expired + $6,"
            " refused = kept.refused + $7, held_back = kept.held_back + $8,"
            " likely = kept.likely + $9, given = kept.given + $10",
            policy_id,
            step,
            one.codes,
            one.offered,
            one.used,
            one.expired,
            one.refused,
            one.held_back,
            one.likely,
            one.given,
        )


async def cap(connection: Connection) -> Cap:
    """How many offers a customer may have, of all policies."""
    [row] = await connection.fetch("select offers, days from offer_cap")
    return Cap(offers=row["offers"], days=row["days"])


async def set_cap(connection: Connection, new: Cap, actor: str, now: datetime) -> None:
    """Another one, from now on."""
    await connection.execute(
        "update offer_cap set offers = $1, days = $2, changed_at = $3, changed_by = $4",
        new.offers,
        new.days,
        now,
        actor,
    )
