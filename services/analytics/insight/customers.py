"""How many different customers: sketches of who bought, whose unions count nobody twice. Pure.

A HyperLogLog sketch (datasketches, 4,096 registers) takes 2 KiB at most and tells few exactly, many to 1.6%. What
was added is in it once, however often it comes.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from datasketches import hll_sketch, hll_union, tgt_hll_type
from msgspec import msgpack

_LG_REGISTERS = 12
_KIND = tgt_hll_type.HLL_4
_DEVIATIONS = 2
"""The bounds are so many standard deviations away: 95%."""
_EPOCH = date(1970, 1, 1)


class Mark(NamedTuple):
    """Somebody bought: on which day (since 1970, UTC), with which campaign, where, and who; all by numbers."""

    day: int
    campaign: int
    place: int
    customer: int

    @property
    def date(self) -> date:
        """The day."""
        return _EPOCH + timedelta(days=self.day)


def pack(columns: tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]) -> bytes:
    """Marks as they are kept, from a column for each of their parts."""
    return msgpack.encode(columns)


def unpack(kept: bytes) -> list[Mark]:
    """What ``pack`` made them of."""
    return list(map(Mark, *_DECODER.decode(kept)))


_DECODER = msgpack.Decoder(tuple[list[int], list[int], list[int], list[int]])


def extended(sketch: bytes | None, customers: Iterable[int]) -> bytes:
    """A sketch (None: an empty one) with these customers in it."""
    known = hll_sketch.deserialize(sketch) if sketch else hll_sketch(_LG_REGISTERS, _KIND)
    for customer in customers:
        known.update(customer)
    return bytes(known.serialize_compact())


class Counted(NamedTuple):
    """An estimate of how many customers there are, and its bounds."""

    estimate: int = 0
    lower: int = 0
    upper: int = 0


class Union:
    """Customers of sketches and of marks together."""

    def __init__(self) -> None:
        self._union = hll_union(_LG_REGISTERS)

    def add(self, sketch: bytes) -> None:
        """Add those of a sketch."""
        self._union.update(hll_sketch.deserialize(sketch))

    def add_one(self, customer: int) -> None:
        """Add one."""
        self._union.update(customer)

    @property
    def counted(self) -> Counted:
        """How many there are."""
        union = self._union
        return Counted(
            round(union.get_estimate()),
            round(union.get_lower_bound(_DEVIATIONS)),
            round(union.get_upper_bound(_DEVIATIONS)),
        )
