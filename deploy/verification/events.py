"""What the events add up to, read from the topics' beginning.

A relay may send a message twice: as every reader must, a number that is not above the highest of its
producer on its partition is skipped. Sums are kept twice, of what the ledger had sent by its snapshot,
and of what the statistics had read by theirs: so the sources are compared while traffic flows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from aiokafka.structs import ConsumerRecord

from deploy import log
from deploy.log import Repeats
from deploy.verification.figures import Key, Sums
from services.evaluator.store.proof import Cut
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER
from shared.topics import BONUSES, RECEIPTS, REDEMPTIONS, RETURNS, Topic

TOPICS: Sequence[Topic] = (REDEMPTIONS, RECEIPTS, RETURNS, BONUSES)
COUNTED: Sequence[Topic] = (RECEIPTS, RETURNS)
"""Those that the statistics are made of."""

Offsets = Mapping[tuple[str, int], int]
"""By topic and partition."""


class _Redemption(msgspec.Struct, frozen=True, gc=False):
    redemption_id: str
    status: str
    campaign_id: str
    instrument_id: str
    discount: int
    bonuses: int
    discount_returned: int = 0


class _Paid(msgspec.Struct, frozen=True):
    campaign_id: str
    instrument_id: str
    status: str
    discount: int
    bonuses: int


class _Receipt(msgspec.Struct, frozen=True):
    redemptions: tuple[_Paid, ...]


class _TakenBack(msgspec.Struct, frozen=True):
    campaign_id: str
    instrument_id: str
    status: Literal["committed", "returned", "unauthorised"]
    released: bool
    discount: int
    bonuses: int


class _Returned(msgspec.Struct, frozen=True):
    redemptions: tuple[_TakenBack, ...]


class _Bonus(msgspec.Struct, frozen=True):
    points: int


_DECODERS: Mapping[str, msgspec.json.Decoder[Any]] = {
    REDEMPTIONS.name: msgspec.json.Decoder(_Redemption),
    RECEIPTS.name: msgspec.json.Decoder(_Receipt),
    RETURNS.name: msgspec.json.Decoder(_Returned),
    BONUSES.name: msgspec.json.Decoder(_Bonus),
}
_State = tuple[Key, str, int, int, int]
"""Of a redemption: instrument, status, discount, bonuses, discount returned."""


@dataclass
class Events:
    """Sums of what was read so far. ``by_state`` is of redemptions' last events, after ``finish``.

    ``said``: receipts and returns that the ledger had sent by ``cut``; ``counted``: those before the
    offsets that the statistics had ``read``. ``missing`` are topics that do not begin at 0 any more.
    """

    cut: Cut
    read: Offsets
    said: Sums = field(default_factory=Sums)
    counted: Sums = field(default_factory=Sums)
    by_state: Sums = field(default_factory=Sums)
    bonuses: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    _repeats: Repeats = field(default_factory=Repeats)
    # Some 200 bytes for each redemption that gave something.
    _states: dict[bytes, _State] = field(default_factory=dict)

    def take(self, record: ConsumerRecord) -> None:
        """Add a record, unless it is there already."""
        if self._repeats.has(record) or record.value is None:
            return
        headers = dict(record.headers)
        event = _DECODERS[record.topic].decode(record.value)
        if record.topic in (RECEIPTS.name, RETURNS.name):
            if record.offset < self.read.get((record.topic, record.partition), 0):
                _add(self.counted, event)
            if self._is_said(headers):
                _add(self.said, event)
        elif self._is_said(headers):
            if isinstance(event, _Redemption):
                self._keep(event)
            else:
                self.bonuses += event.points

    def _is_said(self, headers: Mapping[str, bytes]) -> bool:
        """Whether the ledger had it by the snapshot; of another ledger all is said, and differs."""
        if headers.get(PRODUCER_HEADER) != str(self.cut.producer).encode():
            return True
        if int(headers[NUMBER_HEADER]) <= self.cut.number:
            return True
        return headers.get("ce_id", b"").decode() in self.cut.waiting

    def _keep(self, event: _Redemption) -> None:
        """A redemption's events are on one partition, in order: the last is its state."""
        name = event.redemption_id.encode()
        if event.status in ("committed", "returned", "unauthorised"):
            key = (event.campaign_id, event.instrument_id)
            back = event.discount_returned
            self._states[name] = (key, event.status, event.discount, event.bonuses, back)
        else:
            self._states.pop(name, None)

    def finish(self) -> None:
        """Sum the last states up, once all has been read."""
        for key, status, discount, bonuses, back in self._states.values():
            sums = self.by_state.of(key)
            if status == "unauthorised":
                sums["unauthorised"] += 1
                sums["unauthorised_discount"] += discount
                sums["unauthorised_returned"] += back
                continue
            sums["activations"] += 1
            sums["discount"] += discount
            sums["bonuses"] += bonuses
            sums["discount_returned"] += back
            sums["returned"] += status == "returned"


def _add(sums: Sums, event: _Receipt | _Returned) -> None:
    if isinstance(event, _Receipt):
        sums.receipts += 1
        for paid in event.redemptions:
            one = sums.of((paid.campaign_id, paid.instrument_id))
            if paid.status == "committed":
                one["activations"] += 1
                one["discount"] += paid.discount
                one["bonuses"] += paid.bonuses
            else:
                one["unauthorised"] += 1
                one["unauthorised_discount"] += paid.discount
        return
    for back in event.redemptions:
        one = sums.of((back.campaign_id, back.instrument_id))
        if back.status == "unauthorised":
            one["unauthorised_returned"] += back.discount
            continue
        one["returned"] += back.status == "returned"
        one["released"] += back.released
        one["discount_returned"] += back.discount
        one["bonuses_returned"] += back.bonuses


async def read(kafka: str, events: Events, progress: Callable[[int, int], None]) -> None:
    """Everything on the topics, from their beginning to their end as of now; ``progress`` (done, of all)."""
    names = [topic.name for topic in TOPICS]
    first, last = await log.beginnings_of(kafka, names), await log.ends_of(kafka, names)
    for one, offset in first.items():
        if offset:
            events.missing[one.topic] = max(offset, events.missing.get(one.topic, 0))
    total, done = sum(last.values()) - sum(first.values()), 0
    async for batch in log.read(kafka, first, last):
        for record in batch:
            events.take(record)
        done += len(batch)
        progress(done, total)
    events.finish()
