"""What people do: confirm or dismiss an alert, block a subject, lift its block. Each is one transaction."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.customers.feed.forgotten import hold_off_erasure
from services.customers.fraud import alerting, announcing
from services.customers.fraud.alerting import State, Verdict
from services.customers.fraud.store import alerts as alert_store
from services.customers.fraud.store import blocks as block_store
from services.customers.fraud.store.alerts import Change
from services.customers.fraud.store.blocks import Blocked
from shared.database import Connection


class UnknownAlertError(LookupError):
    """There is no such alert."""


class AlreadyClosedError(RuntimeError):
    """Somebody has said something else of the alert before."""


_NO_ALERT = "no alert has this id"


@dataclass(frozen=True)
class Act:
    """Who does it (None: a rule, or time), when, and why."""

    by: str | None
    at: datetime
    note: str | None = None


async def close(pool: asyncpg.Pool, alert_id: str, verdict: Verdict, act: Act) -> State:
    """Confirm or dismiss an open alert; to say the same again changes nothing. Dismissing lifts its block.

    Raises ``UnknownAlertError``, ``AlreadyClosedError``.
    """
    async with pool.acquire() as connection, connection.transaction():
        await hold_off_erasure(connection)
        state = (await _locked(connection, alert_id)).get(alert_id)
        if state is None:
            raise UnknownAlertError(_NO_ALERT)
        if state.status == verdict:
            return state
        if state.status != "open":
            message = f"the alert is {state.status}"
            raise AlreadyClosedError(message)
        state = alerting.closed(state, verdict, act.at)
        changes = [Change(verdict, act.at, act.by, act.note)]
        if verdict == "dismissed" and state.blocked:
            await _lift_its_block(connection, state, act)
            state = alerting.blocked(state, act.at, blocked=False)
            changes.append(Change("unblocked", act.at, act.by, None))
        await announcing.tell(connection, [state], act.at)
        await alert_store.note(connection, [(alert_id, change) for change in changes])
        await alert_store.label(connection, state, act.at)
        return state


async def block(pool: asyncpg.Pool, blocked: Blocked, act: Act) -> None:
    """Withhold promotions from a subject; a block that it has is replaced.

    Raises ``UnknownAlertError`` if it is for an alert that is not, or not about the subject.
    """
    async with pool.acquire() as connection, connection.transaction():
        await hold_off_erasure(connection)
        before = await block_store.one(connection, blocked.kind, blocked.subject)
        alerts = await _locked(connection, before and before.alert_id, blocked.alert_id)
        if blocked.alert_id is not None:
            state = alerts.get(blocked.alert_id)
            if state is None or (state.kind, state.subject) != (blocked.kind, blocked.subject):
                raise UnknownAlertError(_NO_ALERT)
            await _mark(connection, state, act, blocked=True)
        if before is not None and before.alert_id != blocked.alert_id:
            await _mark(connection, alerts.get(before.alert_id or ""), act, blocked=False)
        await block_store.put(connection, blocked)
        await announcing.withhold(connection, [blocked], act.at)


async def unblock(pool: asyncpg.Pool, kind: str, subject: str, act: Act) -> Blocked | None:
    """Lift a subject's block; it, or None if there was none."""
    async with pool.acquire() as connection, connection.transaction():
        await hold_off_erasure(connection)
        blocked = await block_store.one(connection, kind, subject)
        if blocked is None:
            return None
        await lift(connection, blocked, act)
        return blocked


async def lift(connection: Connection, blocked: Blocked, act: Act) -> None:
    """Lift a block that was read in the caller's transaction, unless it has changed since."""
    alerts = await _locked(connection, blocked.alert_id)
    if await block_store.lift(connection, blocked):
        await announcing.give_again(connection, [blocked], act.at)
        await _mark(connection, alerts.get(blocked.alert_id or ""), act, blocked=False)


async def _lift_its_block(connection: Connection, state: State, act: Act) -> None:
    found = await block_store.one(connection, state.kind, state.subject)
    if found is not None and found.alert_id == state.alert_id:
        await block_store.lift(connection, found)
        await announcing.give_again(connection, [found], act.at)


async def _mark(connection: Connection, state: State | None, act: Act, *, blocked: bool) -> None:
    """The alert that a block is for says whether it is in force."""
    if state is None or state.blocked == blocked:
        return
    await announcing.tell(connection, [alerting.blocked(state, act.at, blocked=blocked)], act.at)
    change = Change("blocked" if blocked else "unblocked", act.at, act.by, act.note)
    await alert_store.note(connection, [(state.alert_id, change)])


async def _locked(connection: Connection, *alert_ids: str | None) -> dict[str, State]:
    """Alerts, locked, before the blocks that are for them: everybody in this order, else two would wait for each other."""
    wanted = sorted({alert_id for alert_id in alert_ids if alert_id is not None})
    found = [await alert_store.one(connection, alert_id, lock=True) for alert_id in wanted]
    return {state.alert_id: state for state in found if state is not None}
