"""What is delivered: events in CloudEvents' JSON batch format.

``data`` is the message as it is on the topic; null says that its subject is to be forgotten.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple, Protocol

import msgspec

from shared.codec import header
from shared.topics import ALERTS, BY_NAME, OFFERS, PROFILES, SEGMENTS, Topic

CONTENT_TYPE = "application/cloudevents-batch+json"
MOST_EVENTS = 100
MOST_BYTES = 1024 * 1024
"""Of a batch; an event that is larger goes alone."""
KINDS: dict[str, Topic] = {
    "profiles": PROFILES,
    "segments": SEGMENTS,
    "offers": OFFERS,
    "alerts": ALERTS,
}
"""What a webhook may be told of, and the topic that says it."""


class Record(Protocol):
    """A record of a topic, as a consumer gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Move(NamedTuple):
    """How far a batch goes in a partition: from ``start`` up to and without ``end``."""

    topic: str
    partition: int
    start: int
    end: int


class Batch(NamedTuple):
    """What is sent at once: the body, how many records it took, and how many of them are events in it."""

    body: bytes
    records: int
    events: int
    moves: tuple[Move, ...]

    def delivery_id(self, webhook_id: str) -> str:
        """The same for the same records, however often they are sent."""
        return sha256(repr((webhook_id, self.moves)).encode()).hexdigest()[:32]


class _Event(msgspec.Struct, gc=False):
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: msgspec.Raw | None
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


_encode = msgspec.json.Encoder().encode


def batch(records: Sequence[Record], starts: dict[tuple[str, int], int]) -> Batch:
    """As many of the records, in their order, as go at once; ``starts`` are the positions of their partitions.

    What is not JSON is left out: no receiver could ever take it, and all behind it would wait for ever.
    """
    bodies: list[bytes] = []
    ends: dict[tuple[str, int], int] = {}
    size, taken = 2, 0
    for record in records[:MOST_EVENTS]:
        body = _event(record)
        if body is not None:
            if bodies and size + len(body) + 1 > MOST_BYTES:
                break
            bodies.append(body)
            size += len(body) + 1
        taken += 1
        ends[record.topic, record.partition] = record.offset + 1
    moves = tuple(Move(*one, starts[one], end) for one, end in sorted(ends.items()))
    return Batch(b"[" + b",".join(bodies) + b"]", taken, len(bodies), moves)


def trial(webhook_id: str, now: datetime) -> bytes:
    """A batch of one event that says nothing, for a receiver to be tried with."""
    event = _Event(
        id=f"test-{webhook_id}-{now.timestamp():.6f}",
        source="/customers",
        type="tillstream.webhook.test.v1",
        subject=webhook_id,
        time=now.isoformat(),
        data=msgspec.Raw(b"{}"),
    )
    return b"[" + _encode(event) + b"]"


def _event(record: Record) -> bytes | None:
    data = None
    if record.value is not None:
        try:
            msgspec.json.decode(record.value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        data = msgspec.Raw(record.value)
    return _encode(
        _Event(
            id=header(record.headers, "ce_id") or f"{record.partition}-{record.offset}",
            source=header(record.headers, "ce_source") or f"/topics/{record.topic}",
            type=header(record.headers, "ce_type") or BY_NAME[record.topic].event_type,
            subject=(record.key or b"").decode(errors="replace"),
            time=header(record.headers, "ce_time") or "1970-01-01T00:00:00+00:00",
            data=data,
        )
    )
