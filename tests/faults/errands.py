"""What happens at the tills and on the wire: functions of the seed. Pure.

An errand is one receipt from its first cart to its return; a fate is what the network does to one
message: it may come twice, late, or after those sent behind it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.faults.offers import CODES, CUSTOMERS, GROUPS

RECEIPTS = 120
PRICES = (990, 2_450, 4_900, 7_990, 12_500)

End = Literal["sale", "cancel", "abandon", "late", "offline", "cart after"]
"""``late``: paid when the hold is over; ``offline``: paid without asking; ``cart after``: as that, and
the cart comes behind."""

# In the first half of a run, so that their holds are over at its end.
_WAITING = ("abandon", "late")
_ENDS: dict[End, int] = {
    "sale": 70,
    "cancel": 6,
    "abandon": 6,
    "late": 3,
    "offline": 11,
    "cart after": 4,
}


@dataclass(frozen=True)
class Goods:
    """A line: so many pieces of one thing (``price`` in minor units)."""

    group: str
    pieces: int
    price: int


@dataclass(frozen=True)
class Errand:
    """One receipt: a basket for each revision of its cart, and what becomes of it.

    ``codes``: the word, or the number of a personal code. ``claims``: an offline till gives the first
    buyers' benefit by itself. ``withholds``: a till does not give one of the benefits decided.
    ``again``: the sale is sent once more as another event. ``echo``: an old cart comes once more.
    ``points``: how many the customer wants to pay with. ``switches``: it is paid the other way, over Kafka
    instead of HTTP. ``brings_back``: after the sale, all of it or a piece; ``hurries``: from the other store, at once.
    ``comes_again``: the rest is brought back, too; ``reprices``: what remains is decided again.
    """

    number: int
    baskets: tuple[tuple[Goods, ...], ...]
    end: End
    customer: int | None
    codes: tuple[str | int, ...]
    claims: bool
    withholds: bool
    again: bool
    echo: bool
    points: int
    switches: bool
    brings_back: Literal["nothing", "all", "a piece"]
    hurries: bool
    pause_seconds: float
    late_seconds: float
    comes_again: bool
    reprices: bool


def errand(seed: int, number: int, receipts: int = RECEIPTS) -> Errand:
    """The errand of that number in the run of that seed."""
    rng = Random(f"errand/{seed}/{number}")  # noqa: S311 - a replay needs the same numbers
    often = _often(rng)
    end: End = rng.choices([*_ENDS], [*_ENDS.values()])[0]
    if end in _WAITING and number > receipts // 2:
        end = "sale"
    paid = end not in ("cancel", "abandon")
    return Errand(
        number=number,
        baskets=tuple(_basket(rng) for _ in range(rng.choices((1, 2, 3), (75, 18, 7))[0])),
        end=end,
        customer=rng.randrange(CUSTOMERS) if often(0.6) else None,
        codes=_codes(rng),
        claims=end == "offline" and often(0.5),
        withholds=often(0.05),
        again=paid and often(0.04),
        echo=often(0.06),
        points=rng.choice((0, 0, 0, 200, 5_000)),
        switches=often(0.1),
        brings_back=rng.choices(("nothing", "all", "a piece"), (80, 10, 10))[0]
        if paid
        else "nothing",
        hurries=often(0.4),
        pause_seconds=rng.uniform(0.05, 0.7),
        late_seconds=rng.uniform(0.0, 7.0),
        comes_again=often(0.35),
        reprices=often(0.5),
    )


@dataclass(frozen=True)
class Fate:
    """After how many seconds each copy of a message is sent; it has one or more."""

    delays: tuple[float, ...]


def fate(seed: int, event_id: str, attempt: int) -> Fate:
    """What the network does to a message, each time it is sent."""
    rng = Random(f"fate/{seed}/{event_id}/{attempt}")  # noqa: S311 - a replay needs the same numbers
    late = rng.uniform(0.1, 1.5)
    kinds = ((0.0,), (0.0, 0.0), (0.0, late), (late,), (late, late / 2))
    return Fate(rng.choices(kinds, (80, 4, 6, 7, 3))[0])


def _often(rng: Random) -> Callable[[float], bool]:
    return lambda share: rng.random() < share


def _basket(rng: Random) -> tuple[Goods, ...]:
    return tuple(
        Goods(rng.choice(GROUPS), rng.randint(1, 3), rng.choice(PRICES))
        for _ in range(rng.randint(1, 4))
    )


def _codes(rng: Random) -> tuple[str | int, ...]:
    presented: tuple[str | int, ...] = ("word",) if rng.random() < 0.5 else ()
    if rng.random() < 0.25:
        presented += (rng.randrange(CODES),)
    return presented
