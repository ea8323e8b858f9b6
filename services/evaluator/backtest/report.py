"""What a backtest says: who would have got it, what it would have cost, what it would have displaced."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.events.values import Event, Gift, Id, Instant, Money, Points, SignedMoney, Text

_Count = Annotated[int, Field(ge=0)]
_BasisPoints = Annotated[int, Field(description="basis points")]


class Cell(Event):
    """Receipts of one store, device, region or day (in the draft's time zone), by ``key``.

    ``receipts`` were looked at, ``granted`` would have got it. Of these ``paid`` were paid: they cost
    ``discount`` and ``bonuses``. ``revenue`` is what all paid ones of the cell came to, as they were.
    """

    key: str
    receipts: _Count
    granted: _Count
    paid: _Count
    discount: Money
    bonuses: Points
    revenue: Money


class InstrumentFigures(Event):
    """What one instrument of the draft gives: to ``receipts``, ``paid`` of them; costs of the paid."""

    instrument_id: Id
    name: Text
    receipts: _Count
    paid: _Count
    discount: Money
    bonuses: Points
    gifts: tuple[Gift, ...]


class CapFigures(Event):
    """What becomes of a cap: redemptions, or minor units of ``money``.

    It is one counter, or one for each customer, store, code, day or window: ``counters``, which
    together were ``used`` so far. ``full`` of them were used up, the first at ``full_at``; ``left`` is
    what was never used, where there is one counter. ``refused`` receipts found no room.
    """

    name: str
    cap: int
    money: bool
    counters: _Count
    used: _Count
    left: int | None
    full: _Count
    full_at: Instant | None
    refused: _Count


class Displaced(Event):
    """A live instrument that fares otherwise with the draft beside it.

    ``lost``: paid receipts that got it and would not; ``gained``: the other way round. ``discount``
    and ``bonuses`` are how much more it would have given, over all receipts where that differs.
    """

    campaign_id: Id
    instrument_id: Id
    lost: _Count
    gained: _Count
    discount: SignedMoney
    bonuses: int


class Refusals(Event):
    """Receipts that were considered for an instrument of the draft and got nothing of it."""

    instrument_id: Id
    reason: str
    condition: str | None
    receipts: _Count


class NearMisses(Event):
    """Receipts that lacked nothing but so much of ``unit``: the ``least``, and the ``median``."""

    instrument_id: Id
    condition: str | None
    unit: str
    receipts: _Count
    least: int
    median: int


class Report(Event):
    """A backtest's result. Money in minor units of ``currency``.

    ``granted`` of all ``receipts`` would have got something, ``granted_paid`` of those that were
    ``paid``, by ``customers`` known ones. Costs are those of paid receipts; ``granted_discount`` is
    of all, paid or not. ``live_discount`` is what live campaigns would have given more (or, negative,
    less), so ``net_cost`` = ``discount`` + ``live_discount``. ``revenue`` is what the paid receipts
    came to as they were, ``granted_revenue`` of it those that would have got it. ``cost_share`` and
    ``granted_cost_share`` are the net cost of these.
    """

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)

    campaign_id: Id
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    time_zone: Text
    assume_codes: bool
    currency: str
    receipts: _Count
    paid: _Count
    granted: _Count
    granted_paid: _Count
    customers: _Count
    discount: Money
    granted_discount: Money
    bonuses: Points
    gifts: tuple[Gift, ...]
    live_discount: SignedMoney
    live_bonuses: int
    net_cost: SignedMoney
    revenue: Money
    granted_revenue: Money
    cost_share: _BasisPoints
    granted_cost_share: _BasisPoints
    caps: tuple[CapFigures, ...]
    instruments: tuple[InstrumentFigures, ...]
    by_store: tuple[Cell, ...]
    by_device: tuple[Cell, ...]
    by_region: tuple[Cell, ...]
    by_day: tuple[Cell, ...]
    displaced: tuple[Displaced, ...]
    not_considered: _Count
    refusals: tuple[Refusals, ...]
    near_misses: tuple[NearMisses, ...]
    left_out: tuple[str, ...]


class Progress(Event):
    """How far a backtest is: receipts ``done`` of ``total`` (none while they are being counted).

    ``report`` is there once it is ``done``, ``error`` if it ``failed``.
    """

    backtest_id: Id
    status: Literal["running", "done", "failed"]
    done: _Count
    total: int | None
    fraction: Annotated[float, Field(ge=0, le=1)]
    report: Report | None = None
    error: str | None = None
