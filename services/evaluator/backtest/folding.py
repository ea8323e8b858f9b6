"""From what each receipt gets to the report: sums that are the same in whatever order they are made."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from services.evaluator.backtest.caps import Caps, CapUse, Entry, Key, Settlement
from services.evaluator.backtest.draft import Plan
from services.evaluator.backtest.report import (
    CapFigures,
    Cell,
    Displaced,
    InstrumentFigures,
    NearMisses,
    Refusals,
    Report,
)
from services.evaluator.backtest.trial import Missed, Outcome, Recorded, deltas
from services.evaluator.promotion.instrument import compile_campaign
from shared.events.values import Gift

DIMENSIONS = ("store", "device", "region", "day")
_BASIS_POINTS = 10_000
_MOST_REFUSALS = 100


@dataclass
class Page:
    """What came of some receipts: all that needs no cap, and entries for those the draft is met by."""

    entries: list[Entry] = field(default_factory=list)
    variants: dict[Key, Outcome] = field(default_factory=dict)
    looked: Counter[tuple[str, str]] = field(default_factory=Counter)
    revenue: Counter[tuple[str, str]] = field(default_factory=Counter)
    receipts: int = 0
    paid: int = 0
    paid_revenue: int = 0
    currencies: set[str] = field(default_factory=set)
    not_considered: int = 0
    without_facts: int = 0
    undecided: int = 0
    missed: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)
    near: defaultdict[tuple[str, str | None, str], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def look_at(self, recorded: Recorded, currency: str, zone: ZoneInfo) -> None:
        """Count a receipt of the interval."""
        self.receipts += 1
        self.currencies.add(currency)
        keys = keys_of(recorded, zone)
        self.looked.update(keys)
        if recorded.paid:
            revenue = revenue_of(recorded)
            self.paid += 1
            self.paid_revenue += revenue
            for key in keys:
                self.revenue[key] += revenue

    def miss(self, missed: Iterable[Missed]) -> None:
        """Count why a receipt gets nothing of instruments."""
        for one in missed:
            self.missed[one.instrument_id, one.reason, one.condition] += 1
            if one.near and one.missing is not None and one.unit is not None:
                self.near[one.instrument_id, one.condition, one.unit].append(one.missing)

    def add(self, other: "Page") -> None:
        """Take another page in."""
        self.entries += other.entries
        self.variants |= other.variants
        self.looked.update(other.looked)
        self.revenue.update(other.revenue)
        self.receipts += other.receipts
        self.paid += other.paid
        self.paid_revenue += other.paid_revenue
        self.currencies |= other.currencies
        self.not_considered += other.not_considered
        self.without_facts += other.without_facts
        self.undecided += other.undecided
        self.missed.update(other.missed)
        for key, gaps in other.near.items():
            self.near[key] += gaps


def revenue_of(recorded: Recorded) -> int:
    """What the receipt came to, after what it got."""
    return recorded.total - sum(g.discount for g in recorded.live)


def keys_of(recorded: Recorded, zone: ZoneInfo) -> list[tuple[str, str]]:
    """The cells that a receipt counts in."""
    day = recorded.occurred_at.astimezone(zone).date().isoformat()
    whose = (recorded.store_id, recorded.device, recorded.region, day)
    return list(zip(DIMENSIONS, whose, strict=True))


@dataclass
class _Sums:
    """What the draft gives, added up: over all (``receipts``), and over paid receipts (the rest)."""

    receipts: int = 0
    all_discount: int = 0
    paid: int = 0
    discount: int = 0
    bonuses: int = 0
    gifts: Counter[str] = field(default_factory=Counter)

    def add(
        self, discount: int, bonuses: int, gifts: Iterable[tuple[str, int]], *, paid: bool
    ) -> None:
        self.receipts += 1
        self.all_discount += discount
        if paid:
            self.paid += 1
            self.discount += discount
            self.bonuses += bonuses
            for sku, quantity in gifts:
                self.gifts[sku] += quantity

    @property
    def goods(self) -> tuple[Gift, ...]:
        """The gifts by sku."""
        return tuple(Gift(sku=sku, quantity=n) for sku, n in sorted(self.gifts.items()))


@dataclass
class _Fold:
    """Sums over the entries, as they were settled."""

    zone: ZoneInfo
    whole: _Sums = field(default_factory=_Sums)
    instruments: defaultdict[str, _Sums] = field(default_factory=lambda: defaultdict(_Sums))
    cells: defaultdict[tuple[str, str], _Sums] = field(default_factory=lambda: defaultdict(_Sums))
    customers: set[str] = field(default_factory=set)
    granted_revenue: int = 0
    displaced: defaultdict[tuple[str, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0])
    )
    assumed_free: int = 0

    def add(self, recorded: Recorded, outcome: Outcome) -> None:
        """Count what one receipt gets."""
        self.assumed_free += outcome.assumed_free
        if recorded.paid:
            for key, delta in deltas(recorded.live, outcome.live).items():
                changed = self.displaced[key]
                for n, value in enumerate(
                    (delta.lost, delta.gained, delta.discount, delta.bonuses)
                ):
                    changed[n] += value
        if not outcome.gave:
            return
        discount = sum(g.discount for g in outcome.gave)
        points = sum(g.bonuses for g in outcome.gave)
        gifts = [gift for g in outcome.gave for gift in g.gifts]
        for sums in (self.whole, *(self.cells[key] for key in keys_of(recorded, self.zone))):
            sums.add(discount, points, gifts, paid=recorded.paid)
        for g in outcome.gave:
            self.instruments[g.instrument_id].add(
                g.discount, g.bonuses, g.gifts, paid=recorded.paid
            )
        if recorded.paid:
            self.granted_revenue += revenue_of(recorded)
        if recorded.customer_id is not None:
            self.customers.add(recorded.customer_id)


def fold(plan: Plan, page: Page, settled: Settlement) -> Report:
    """The report on all pages together, whose entries were settled."""
    sums = _Fold(ZoneInfo(plan.campaign.time_zone))
    for entry, outcome in zip(page.entries, settled.outcomes, strict=True):
        sums.add(entry.recorded, outcome)
        page.miss(outcome.missed)
    live_discount = sum(d[2] for d in sums.displaced.values())
    net = sums.whole.discount + live_discount
    cells = {d: _cells(d, page, sums) for d in DIMENSIONS}
    return Report(
        campaign_id=plan.campaign.campaign_id,
        start=plan.start,
        end=plan.end,
        time_zone=plan.campaign.time_zone,
        assume_codes=plan.assume_codes,
        currency=", ".join(sorted(page.currencies)),
        receipts=page.receipts,
        paid=page.paid,
        granted=sums.whole.receipts,
        granted_paid=sums.whole.paid,
        customers=len(sums.customers),
        discount=sums.whole.discount,
        granted_discount=sums.whole.all_discount,
        bonuses=sums.whole.bonuses,
        gifts=sums.whole.goods,
        live_discount=live_discount,
        live_bonuses=sum(d[3] for d in sums.displaced.values()),
        net_cost=net,
        revenue=page.paid_revenue,
        granted_revenue=sums.granted_revenue,
        cost_share=_share(net, page.paid_revenue),
        granted_cost_share=_share(net, sums.granted_revenue),
        caps=_caps(plan, settled.caps),
        instruments=_instruments(plan, sums),
        by_store=cells["store"],
        by_device=cells["device"],
        by_region=cells["region"],
        by_day=cells["day"],
        displaced=tuple(
            Displaced(
                campaign_id=campaign_id,
                instrument_id=instrument_id,
                lost=lost,
                gained=gained,
                discount=discount,
                bonuses=bonuses,
            )
            for (campaign_id, instrument_id), (lost, gained, discount, bonuses) in sorted(
                sums.displaced.items()
            )
        ),
        not_considered=page.not_considered,
        refusals=_refusals(page),
        near_misses=_near_misses(page.near),
        left_out=left_out(plan, page, assumed_free=sums.assumed_free),
    )


def _share(part: int, whole: int) -> int:
    """Basis points, half up."""
    return (2 * part * _BASIS_POINTS + whole) // (2 * whole) if whole else 0


def _cells(dimension: str, page: Page, sums: _Fold) -> tuple[Cell, ...]:
    found = []
    for key in sorted(key for key in page.looked if key[0] == dimension):
        given = sums.cells.get(key, _Sums())
        found.append(
            Cell(
                key=key[1],
                receipts=page.looked[key],
                granted=given.receipts,
                paid=given.paid,
                discount=given.discount,
                bonuses=given.bonuses,
                revenue=page.revenue[key],
            )
        )
    return tuple(found)


def _instruments(plan: Plan, sums: _Fold) -> tuple[InstrumentFigures, ...]:
    found = []
    for instrument in plan.campaign.instruments:
        given = sums.instruments.get(instrument.instrument_id, _Sums())
        found.append(
            InstrumentFigures(
                instrument_id=instrument.instrument_id,
                name=instrument.name,
                receipts=given.receipts,
                paid=given.paid,
                discount=given.discount,
                bonuses=given.bonuses,
                gifts=given.goods,
            )
        )
    return tuple(found)


def _caps(plan: Plan, caps: Caps) -> tuple[CapFigures, ...]:
    """Every cap of the draft, also those that nobody came to."""
    every = dict(caps.rules)
    for instrument in compile_campaign(plan.campaign):
        for rule in (*instrument.rules, *[need.cap for need in instrument.needs if need.cap]):
            every.setdefault(rule.prefix, CapUse(rule.prefix, rule.cap, rule.money))
    return tuple(_cap(every[name]) for name in sorted(every))


def _cap(rule: CapUse) -> CapFigures:
    alone = len(rule.counters) <= 1 and not rule.slides
    return CapFigures(
        name=rule.name,
        cap=rule.cap,
        money=rule.money,
        counters=len(rule.counters),
        used=rule.used,
        left=rule.cap - rule.used if alone else None,
        full=len(rule.full),
        full_at=rule.full_at,
        refused=rule.refused,
    )


def _refusals(page: Page) -> tuple[Refusals, ...]:
    """The commonest first."""
    ordered = sorted(
        page.missed.items(), key=lambda item: (-item[1], item[0][:2], item[0][2] or "")
    )
    return tuple(
        Refusals(instrument_id=instrument, reason=reason, condition=condition, receipts=count)
        for (instrument, reason, condition), count in ordered[:_MOST_REFUSALS]
    )


def _near_misses(
    near: Mapping[tuple[str, str | None, str], Sequence[int]],
) -> tuple[NearMisses, ...]:
    """The commonest first."""
    ordered = sorted(near.items(), key=lambda item: (-len(item[1]), item[0][0], item[0][1] or ""))
    return tuple(
        NearMisses(
            instrument_id=instrument,
            condition=condition,
            unit=unit,
            receipts=len(gaps),
            least=min(gaps),
            median=sorted(gaps)[(len(gaps) - 1) // 2],
        )
        for (instrument, condition, unit), gaps in ordered[:_MOST_REFUSALS]
    )


def left_out(plan: Plan, page: Page, *, assumed_free: int) -> tuple[str, ...]:
    """What the figures leave out, the most important first."""
    found = [
        (
            "Changed demand: these are receipts as they were. People who come, buy more or wait because"
            " of the campaign are not in it, nor that many would have bought the same without it."
        ),
        "Quotes, and carts that were never sent: only checkouts and sales are looked at.",
        (
            "The limits of the live campaigns are as they were at each receipt: what the draft would"
            " have left in them for later receipts is not handed on."
        ),
        "Unpaid carts use up nothing of a cap; live, they hold their slots for some minutes.",
        "Returns: nothing is taken back, and no slot becomes free again.",
        (
            "Earlier purchases that only the draft asks for are those known today, without what came back"
            " since."
        ),
    ]
    if plan.campaign.emissions:
        found.append(
            "Codes: every receipt is taken to present a valid code, which is an upper bound."
            if plan.assume_codes
            else "Codes that nobody presented then: only receipts that showed a code of the draft's"
            " emissions count. Assume codes for an upper bound."
        )
    if any(one.trigger == "on_period_end" for one in plan.campaign.instruments):
        found.append("Instruments that give at the end of a period are not tried.")
    if page.without_facts:
        found.append(
            f"{page.without_facts} receipts were recorded without the facts of their decision."
        )
    if assumed_free:
        found.append(
            f"On {assumed_free} receipts a live campaign's limit came into play that was not asked"
            " about then; it was taken to be free."
        )
    if len(page.currencies) > 1:
        found.append("Amounts of different currencies are added up as if they were the same.")
    return tuple(found)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries by time, then receipt."""

    def when(entry: Entry) -> tuple[datetime, str]:
        return entry.recorded.occurred_at, entry.recorded.receipt_id

    return sorted(entries, key=when)
