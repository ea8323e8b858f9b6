"""What was changed, by whom: written with the change itself, and never again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from shared.database import Connection

Kind = Literal[
    "emission", "instrument", "campaign", "store", "group", "product", "user", "key", "session"
]


@dataclass(frozen=True)
class Change:
    """One change: ``actor`` did ``action`` to the thing of that kind and id.

    ``body``: what it is from then on, without codes, words, secrets and lists of customers; None where there is
    nothing to tell (a sign-in, say).
    """

    actor: str
    action: str
    kind: Kind
    id: str
    body: dict[str, Any] | None = None


async def record(connection: Connection, change: Change, now: datetime) -> None:
    """Keep the change, in the transaction that makes it."""
    await connection.execute(
        "insert into changes (at, actor, action, kind, id, body) values ($1, $2, $3, $4, $5, $6)",
        now,
        change.actor,
        change.action,
        change.kind,
        change.id,
        None if change.body is None else orjson.dumps(change.body).decode(),
    )
