"""What leaves of alerts and blocks: through the outbox, in the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime

from services.customers.fraud import alerting
from services.customers.fraud.alerting import State
from services.customers.fraud.store import alerts as alert_store
from services.customers.fraud.store.blocks import Blocked
from shared.database import Connection
from shared.events.customers import Block
from shared.outbox import Message, put
from shared.topics import ALERTS, BLOCKS

SOURCE = "/customers"


async def tell(connection: Connection, states: Iterable[State], now: datetime) -> None:
    """Tell of alerts as they are now, and save that they were told of."""
    told = [alerting.told(state, now) for state in states]
    await alert_store.save(connection, told)
    messages = [
        Message(ALERTS, _key(state.kind, state.subject), alerting.event(state), _id(state, now))
        for state in told
    ]
    await put(connection, messages, SOURCE, now)


async def withhold(connection: Connection, blocks: Iterable[Blocked], now: datetime) -> None:
    """Tell whom promotions are withheld from."""
    await put(connection, [_message(block, now, blocked=True) for block in blocks], SOURCE, now)


async def give_again(connection: Connection, blocks: Iterable[Blocked], now: datetime) -> None:
    """Tell whose block is lifted, or over."""
    await put(connection, [_message(block, now, blocked=False) for block in blocks], SOURCE, now)


def _message(block: Blocked, now: datetime, *, blocked: bool) -> Message:
    event = Block(
        subject_kind=block.kind,
        subject=block.subject,
        blocked=blocked,
        alert_id=block.alert_id,
        until=block.until if blocked else None,
        changed_at=now,
    )
    key = _key(block.kind, block.subject)
    return Message(BLOCKS, key, event, f"{key.decode()}:{_stamp(now)}")


def _key(kind: str, subject: str) -> bytes:
    return f"{kind}:{subject}".encode()


def _id(state: State, now: datetime) -> str:
    return f"{state.alert_id}:{_stamp(now)}"


def _stamp(now: datetime) -> str:
    return now.isoformat()
