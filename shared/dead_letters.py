"""Messages that cannot be used: what is kept of them, and when there are too many."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiokafka.structs import ConsumerRecord

from shared.topics import MAX_MESSAGE_BYTES

_LARGEST = MAX_MESSAGE_BYTES - 16 * 1024  # leaves room for our own headers


@dataclass(frozen=True)
class DeadLetter:
    """A record that cannot be used.

    ``reason`` is a word for counting; ``detail`` names the field and holds none of its content.
    """

    record: ConsumerRecord
    reason: str
    detail: str

    @property
    def is_whole(self) -> bool:
        """Whether it fits on its dead-letter topic: a compressed batch may bring more."""
        record = self.record
        headers = sum(len(k) + len(v or b"") for k, v in record.headers)
        return len(record.key or b"") + len(record.value or b"") + headers <= _LARGEST

    @property
    def key(self) -> bytes | None:
        """The record's key; none of a letter that is not whole."""
        return self.record.key if self.is_whole else None

    @property
    def value(self) -> bytes | None:
        """The record's value; empty of a letter that is not whole: it is still where it came from.

        A record without key and value, which any client but ours may send, gets an empty value.
        """
        value = self.record.value if self.is_whole else b""
        return b"" if value is None and self.key is None else value

    @property
    def headers(self) -> list[tuple[str, bytes | None]]:
        """The record's own headers, then the reason and where it came from."""
        record = self.record
        own = [(k, v) for k, v in record.headers if not k.startswith("ts_")]
        return [
            *(own if self.is_whole else [("ts_truncated", b"too large to be kept")]),
            ("ts_reason", self.reason.encode()),
            ("ts_detail", self.detail.encode()),
            ("ts_origin_topic", record.topic.encode()),
            ("ts_origin_partition", str(record.partition).encode()),
            ("ts_origin_offset", str(record.offset).encode()),
        ]


class TooManyDeadLettersError(RuntimeError):
    """Nothing but dead letters, from several sources: the reader is likely at fault."""


@dataclass(frozen=True)
class Run:
    """Dead letters in a row, and their sources (record keys).

    One bad till must not stop the others; a bad deployment must not drain a topic.
    """

    longest: int = 200
    fewest_sources: int = 3
    length: int = 0
    sources: frozenset[bytes] = frozenset()

    def after(self, records: Sequence[ConsumerRecord], dead: Sequence[DeadLetter]) -> "Run":
        """The run after a batch; raises ``TooManyDeadLettersError`` when it is too long."""
        if not dead:
            return (
                self
                if self.length == 0 or not records
                else replace(self, length=0, sources=frozenset())
            )
        unusable = {(d.record.topic, d.record.partition, d.record.offset) for d in dead}
        length, sources = self.length, set(self.sources)
        for record in records:
            if (record.topic, record.partition, record.offset) in unusable:
                length += 1
                sources.add(record.key or b"")
            else:
                length, sources = 0, set()
            if length >= self.longest and len(sources) >= self.fewest_sources:
                message = (
                    f"{length} dead letters in a row from {len(sources)} sources, the last: "
                    f"{dead[-1].reason}: {dead[-1].detail}"
                )
                raise TooManyDeadLettersError(message)
        return replace(self, length=length, sources=frozenset(sources))
