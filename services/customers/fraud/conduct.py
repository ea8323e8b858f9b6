"""What a subject did lately: sums of measures by ten minutes and by day, whom it met, the latest receipts.

Pure. A subject is a customer, a device, an address, a store or a cashier. Everything goes by the facts' own times, in
whole seconds since 1970 (UTC), and is bounded: what a fact costs does not grow with what is known. Whatever order
facts come in, the sums are the same, as long as a fact is not later than what is kept.

A window ends with the ten minutes (or the day, UTC) that hold its end: an hour is those and the five before.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Literal, NamedTuple, get_args

import msgspec
from msgspec import Struct

SLOT_S = 600
DAY_S = 86_400
KEPT_SLOTS = DAY_S // SLOT_S
KEPT_DAYS = 28
MOST_PARTIES = 32
MOST_MARKS = 12
_PARTY_BYTES = 6

Kind = Literal["customer", "device", "address", "store", "cashier"]
Measure = Literal[
    "receipts",
    "promo_receipts",
    "code_receipts",
    "codes",
    "discount",
    "unauthorised",
    "unauthorised_discount",
    "returns",
    "quick_returns",
    "promo_returns",
    "code_returns",
    "unknown_codes",
    "surplus_codes",
    "foreign_codes",
    "lockouts",
]
"""What is counted. Receipts and returns are counted, discounts are in minor units.

``receipts``: all, of stores and cashiers only. ``promo_receipts``: with a benefit; ``code_receipts``: by a code.
``codes``: used ones. ``discount``: by codes. ``unauthorised``: receipts with a benefit given without right.
``quick_returns``: within the hour. ``promo_returns``: of receipts with a benefit, wholly; ``code_returns``: by a code. ``unknown_codes``: that belong
to no emission; ``surplus_codes``: of these, those beyond the first two of a receipt, which nobody mistypes.
``foreign_codes``: receipts with a code that is bound to another customer.
"""

MEASURES: tuple[Measure, ...] = get_args(Measure)
"""In the order of their places in a cell; a new one comes last, cells that were stored before have none of it."""
_PLACES = {measure: place for place, measure in enumerate(MEASURES)}

Sums = Mapping[Measure, int]
Cell = list[int]
"""The sums of ten minutes, or of a day, by the measures' places."""


class Subject(NamedTuple):
    """Whose conduct it is. A cashier is named ``store:cashier``."""

    kind: Kind
    name: str


class Mark(Struct, array_like=True, frozen=True, gc=False, order=True):
    """A receipt that counted, when, and for which measures (names, sorted)."""

    at: int
    receipt_id: str
    measures: str


class Met(Struct, array_like=True, gc=False):
    """A party's latest day, how often it was met on it, and whether nothing was known of it when it was met first."""

    day: int
    count: int
    new: bool = False


class Conduct(Struct, array_like=True):
    """What is kept. ``parties`` are hashes: a device's, an address's or a cashier's customers, a customer's stores.

    Of parties, those met longest ago are forgotten first.
    """

    latest: int = 0
    slots: dict[int, Cell] = msgspec.field(default_factory=dict)
    days: dict[int, Cell] = msgspec.field(default_factory=dict)
    parties: dict[int, Met] = msgspec.field(default_factory=dict)
    marks: list[Mark] = msgspec.field(default_factory=list)


class Signal(NamedTuple):
    """What a fact adds to a subject's conduct, in a receipt: counted ``at``, but ``seen`` later, if that is given.

    ``party`` is whom it met; ``customer`` is that one, where it matters whether anything is known of them.
    """

    subject: Subject
    at: int
    receipt_id: str
    sums: Sums
    party: int | None = None
    seen: int | None = None
    customer: Subject | None = None


PLAIN: Sums = {"receipts": 1}
"""What most receipts add to their store and cashier."""

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Conduct).decode


def pack(conduct: Conduct) -> bytes:
    """The conduct as it is stored."""
    return _ENCODE(conduct)


def unpack(packed: bytes) -> Conduct:
    """The conduct as it was stored."""
    return _DECODE(packed)


def party_of(name: str) -> int:
    """A party's name as it is remembered: enough of a hash to tell a few apart."""
    return int.from_bytes(blake2b(name.encode(), digest_size=_PARTY_BYTES).digest())


def add(conduct: Conduct, signal: Signal, *, new: bool = False) -> None:
    """Add a signal; ``new``: nothing is known of its party. What is older than what is kept adds nothing."""
    at, before = signal.at, conduct.latest
    if at > before:
        conduct.latest = at
        if at // SLOT_S > before // SLOT_S:
            _forget(conduct.slots, at // SLOT_S - KEPT_SLOTS)
            _forget(conduct.days, at // DAY_S - KEPT_DAYS)
    # Of stores and cashiers days are enough, and they are those that have the most facts.
    if signal.subject.kind not in ("store", "cashier"):
        _count(conduct.slots, at // SLOT_S, conduct.latest // SLOT_S - KEPT_SLOTS, signal.sums)
    _count(conduct.days, at // DAY_S, conduct.latest // DAY_S - KEPT_DAYS, signal.sums)
    if signal.party is not None:
        _meet(conduct.parties, signal.party, at // DAY_S, new=new)
    if signal.sums is not PLAIN:
        _mark(conduct.marks, Mark(at, signal.receipt_id, " ".join(sorted(signal.sums))))


def total(conduct: Conduct, measure: Measure, end: int, window_s: int) -> int:
    """The sum of a measure within the window that ends with ``end``; up to a day by slots, longer by days."""
    place = _PLACES[measure]
    return sum([cell[place] for cell in _cells(conduct, end, window_s) if len(cell) > place])


def busy_days(conduct: Conduct, measure: Measure, end: int, window_s: int) -> int:
    """On how many of the window's days there was anything of the measure."""
    place, last = _PLACES[measure], end // DAY_S
    cells = [
        conduct.days.get(day, ()) for day in range(last - _count_of(window_s, DAY_S) + 1, last + 1)
    ]
    return sum(1 for cell in cells if len(cell) > place and cell[place])


def parties_met(conduct: Conduct, end: int, window_s: int) -> int:
    """How many different parties were met within the days of the window, as far as they are remembered."""
    last = end // DAY_S
    first = last - _count_of(window_s, DAY_S) + 1
    return sum(1 for met in conduct.parties.values() if first <= met.day <= last)


def newcomers_met(conduct: Conduct, end: int, window_s: int) -> int:
    """Of how many of those parties nothing was known when they were met first."""
    last = end // DAY_S
    first = last - _count_of(window_s, DAY_S) + 1
    return sum(1 for met in conduct.parties.values() if met.new and first <= met.day <= last)


def is_new(conduct: Conduct | None) -> bool:
    """Whether nothing is known of a subject but what it did on its latest day."""
    return conduct is None or len(conduct.days) <= 1


def meetings(conduct: Conduct, party: int | None, end: int) -> int:
    """How often the party was met on the day of ``end``, as far as it is remembered."""
    met = conduct.parties.get(party) if party is not None else None
    return met.count if met is not None and met.day == end // DAY_S else 0


def most_met(conduct: Conduct, end: int) -> int:
    """How often the party met most on the day of ``end`` was met on it."""
    day = end // DAY_S
    return max((met.count for met in conduct.parties.values() if met.day == day), default=0)


def receipts_of(conduct: Conduct, measures: Iterable[str], start: int, end: int) -> list[str]:
    """The latest receipts that counted for one of the measures, start < at ≤ end, newest first."""
    wanted = set(measures)
    found = [
        mark.receipt_id
        for mark in reversed(conduct.marks)
        if start < mark.at <= end and not wanted.isdisjoint(mark.measures.split(" "))
    ]
    return list(dict.fromkeys(found))


def later_ends(conduct: Conduct, at: int, window_s: int) -> Iterator[int]:
    """The ends of the windows that a fact at ``at`` changes: its own, and of later cells if it came late."""
    yield at
    size = SLOT_S if conduct.slots and window_s <= DAY_S else DAY_S
    cells = conduct.slots if size == SLOT_S else conduct.days
    if conduct.latest // size > at // size:
        last = at // size + _count_of(window_s, size)
        yield from (cell * size for cell in sorted(cells) if at // size < cell < last)


def _cells(conduct: Conduct, end: int, window_s: int) -> Iterator[Cell]:
    size = SLOT_S if conduct.slots and window_s <= DAY_S else DAY_S
    cells = conduct.slots if size == SLOT_S else conduct.days
    last = end // size
    first = last - _count_of(window_s, size) + 1
    if len(cells) <= last - first:
        return (cell for key, cell in cells.items() if first <= key <= last)
    return (cells[key] for key in range(first, last + 1) if key in cells)


def _count_of(window_s: int, size_s: int) -> int:
    """Of how many cells a window is; at least its end's."""
    return max(window_s // size_s, 1)


def _forget(cells: dict[int, Cell], oldest: int) -> None:
    """Cells up to ``oldest`` are over. They are in no order, because facts come late."""
    for key in [key for key in cells if key <= oldest]:
        del cells[key]


def _count(cells: dict[int, Cell], key: int, oldest: int, sums: Sums) -> None:
    if key <= oldest:
        return
    cell = cells.get(key)
    if cell is None:
        cell = cells[key] = [0] * len(MEASURES)
    elif len(cell) < len(MEASURES):
        cell.extend([0] * (len(MEASURES) - len(cell)))
    for measure, value in sums.items():
        cell[_PLACES[measure]] += value


def _meet(parties: dict[int, Met], party: int, day: int, *, new: bool) -> None:
    met = parties.pop(party, None)  # and put again at the end: the first are those met longest ago
    if met is None:
        met = Met(day, 0, new)
    elif day > met.day:
        met = Met(day, 0, met.new)
    if day == met.day:
        met.count += 1
    parties[party] = met
    if len(parties) > MOST_PARTIES:
        least = min(parties.values(), key=lambda one: (one.day, one.count))
        for key, one in parties.items():
            if (one.day, one.count) == (least.day, least.count) and key != party:
                del parties[key]
                return
        del parties[party]


def _mark(marks: list[Mark], mark: Mark) -> None:
    marks.append(mark)
    if len(marks) > 1 and marks[-2] > mark:
        marks.sort()
    del marks[:-MOST_MARKS]
