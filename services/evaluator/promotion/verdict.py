"""What the engine answers. What is sent as it is found has the fields of ``shared.events.outcome``.

What the contract has a default for, and is so, is left out of what is sent.
"""

from typing import Literal

import msgspec

from services.evaluator.promotion.benefits.offer import FOR_EVER, Lifetime
from services.evaluator.promotion.limits import Claim
from shared.events.outcome import Reason, Unit
from shared.events.values import Gift

UnusedReason = Reason | Literal["unknown_code", "no_campaign", "locked_out", "not_applied"]


class PriceGroup(msgspec.Struct, frozen=True, gc=False):
    """So many units (thousandths) of a line at one price each."""

    quantity: int
    price: int


class DecidedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line with all its discounts (minor units)."""

    line: int
    amount: int
    discount: int
    price_groups: tuple[PriceGroup, ...] = ()


class Granted(msgspec.Struct, frozen=True):
    """A benefit granted. ``lines`` are (line number, discount above zero) by line number.

    ``code`` is the position of the code used (the first code condition's, if an instrument has
    several), ``limits`` what it takes of each limit. ``choose``: how many of ``gifts`` may be
    taken; None = all. ``keeps_slot``: also when the sale is returned. ``lifetime`` is the points'.
    """

    campaign_id: str
    instrument_id: str
    discount: int
    lines: tuple[tuple[int, int], ...]
    bonuses: int
    gifts: tuple[Gift, ...]
    choose: int | None
    code: int | None
    emission_id: str | None
    times: int
    limits: tuple[Claim, ...]
    keeps_slot: bool = False
    lifetime: Lifetime = FOR_EVER


class InstrumentName(msgspec.Struct, frozen=True, gc=False):
    """Which instrument of which campaign."""

    campaign_id: str
    instrument_id: str


class Refused(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An instrument considered that gives nothing.

    ``condition`` is the one that failed: a code condition's id, others' kind, a limit's name.
    ``missing`` is how much more of ``unit`` would meet it; ``left`` is what is left of a limit that refused.
    """

    campaign_id: str
    instrument_id: str
    reason: Reason
    condition: str | None = None
    missing: int | None = None
    unit: Unit | None = None
    left: int | None = None
    outranked_by: InstrumentName | None = None


class NearMiss(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """``missing`` more of ``unit`` for ``condition`` would get the benefit called ``name``."""

    campaign_id: str
    instrument_id: str
    name: str
    missing: int
    unit: Unit
    condition: str | None = None


class UnusedCode(msgspec.Struct, frozen=True, gc=False):
    """Why the code at a position stays unused."""

    code: int
    reason: UnusedReason


class Verdict(msgspec.Struct, frozen=True):
    """The decision on a basket.

    ``lines`` are in the basket's order, ``granted`` and ``refused`` in the order instruments are
    tried, ``near_misses`` by how little is missing, ``unused_codes`` by position. Money is in minor
    units; ``total`` is before discounts.
    """

    lines: tuple[DecidedLine, ...]
    granted: tuple[Granted, ...]
    refused: tuple[Refused, ...]
    near_misses: tuple[NearMiss, ...]
    unused_codes: tuple[UnusedCode, ...]
    total: int
    discount: int
    bonuses: int
