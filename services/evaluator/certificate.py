"""The certificate of a limit: its slots with what takes them, its sums, and what contradicts. Pure.

Slots are numbered from the ledger, in the order in which they were first taken; nobody stores their numbers.
First come those that redemptions take now, then those leased, by lease, then the free ones: ranges, however
many they are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from services.evaluator.counters import counts_money, rolling_days
from services.evaluator.lease import Lease
from services.evaluator.promotion.codes import needs_of
from services.evaluator.promotion.instrument import rules_of, terms_of
from services.evaluator.promotion.limits import Rule
from services.evaluator.redemption import Change
from shared.events.outcome import RedemptionStatus
from shared.events.promotion import Campaign

State = Literal["held", "leased", "used"]
STATES: Sequence[State] = ("held", "leased", "used")
Kind = Literal["redemption", "reward"]


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What takes of a limit: a redemption on a receipt, or a reward at the end of a period.

    ``amount`` is 1, or minor units of a limit on money. ``taken_at``: when it was first taken.
    ``receipt_status`` is None if the ledger has no such receipt. ``history`` is empty of what is older
    than histories.
    """

    use_id: str
    kind: Kind
    status: RedemptionStatus
    amount: int
    campaign_id: str
    instrument_id: str
    receipt_id: str | None
    receipt_status: str | None
    keeps_slot: bool
    taken_at: datetime
    history: tuple[Change, ...] = ()

    @property
    def state(self) -> State | None:
        """What it makes of the slot; None: it takes none (any more)."""
        if self.status == "held":
            return "held"
        kept = self.status == "returned" and self.keeps_slot
        return "used" if self.status == "committed" or kept else None


class Sums(msgspec.Struct, frozen=True):
    """How much is held, leased and used: redemptions, or minor units."""

    held: int = 0
    leased: int = 0
    used: int = 0

    @property
    def all(self) -> int:
        """What is not free."""
        return self.held + self.leased + self.used


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as its counter has it, and as the ledger adds up.

    ``cap`` is None if there is no counter. Of a rolling limit the sums are of what was ever used:
    ``in_window`` is what its counter counts now, ``noted`` all uses that it knows by their minutes, and
    ``taken_in_window`` what the ledger has in the window. ``highest_cap`` is the highest there ever was:
    when a cap is lowered, what was used stays used.
    """

    limit_id: str
    cap: int | None
    counted: Sums
    taken: Sums
    in_window: int | None = None
    noted: int | None = None
    taken_in_window: int | None = None
    highest_cap: int | None = None

    @property
    def money(self) -> bool:
        """Whether it counts minor units."""
        return counts_money(self.limit_id)

    @property
    def window_days(self) -> int | None:
        """How many days a rolling limit looks back; None for others."""
        return rolling_days(self.limit_id)

    @property
    def now(self) -> Sums:
        """What its counter counts now."""
        if self.in_window is None:
            return self.counted
        return Sums(self.counted.held, self.counted.leased, self.in_window)

    @property
    def free(self) -> int:
        """What is left; negative if the cap was lowered below what is in use."""
        return (self.cap or 0) - self.now.all

    @property
    def exceeds(self) -> bool:
        """Whether more is in use than the cap allows now."""
        return self.cap is not None and max(self.now.all, self.occupied) > self.cap

    @property
    def occupied(self) -> int:
        """How much the ledger says is not free now: of a count limit, how many slots are taken."""
        used = self.taken.used if self.taken_in_window is None else self.taken_in_window
        return self.taken.held + self.taken.leased + used


def differences(standing: Standing) -> list[str]:
    """What does not agree of a limit, in words; nothing, if all is well."""
    counted, taken, cap = standing.counted, standing.taken, standing.cap
    if cap is None:
        return [f"there is no counter, and the ledger takes {taken.all} of it"]
    found = [
        f"{state}: the counter says {getattr(counted, state)}, the ledger adds up to {getattr(taken, state)}"
        for state in STATES
        if getattr(counted, state) != getattr(taken, state)
    ]
    if standing.in_window != standing.taken_in_window:
        found.append(
            f"used within the window: the counter says {standing.in_window}, the ledger adds up to"
            f" {standing.taken_in_window}"
        )
    if standing.noted is not None and standing.noted > counted.used:
        found.append(
            f"used: the counter says {counted.used}, its minutes add up to {standing.noted}"
        )
    highest = max(cap, standing.highest_cap or 0)
    for who, total in (("the counter", standing.now.all), ("the ledger", standing.occupied)):
        if total > highest:
            found.append(f"{who} has {total} held, leased and used of a cap of {highest}")
    return found


class LeaseStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A lease as it is kept, and what the redemptions that name it took of its limit, in all (``drawn``).

    ``used`` is None if there is no such lease.
    """

    lease_id: str
    used: int | None
    drawn: int


def drawn(limit_id: str, discount: int, mismatch: int) -> int:
    """What a redemption took of a lease of the limit; what came back since does not go back to the lease."""
    return min(discount, discount - mismatch) if counts_money(limit_id) else 1


def lease_differences(standing: LeaseStanding) -> list[str]:
    """What does not agree of a lease, in words; nothing, if all is well."""
    if standing.used is None:
        return [f"it is not there, and redemptions that name it add up to {standing.drawn}"]
    if standing.used == standing.drawn:
        return []
    return [f"used: it says {standing.used}, redemptions that name it add up to {standing.drawn}"]


def highest_cap(limit_id: str, versions: Iterable[Campaign]) -> int | None:
    """The highest cap that the limit had in any version of its campaign; None if it is not the campaign's."""
    caps = [
        rule.cap
        for campaign in versions
        for rule in _rules(campaign)
        # Behind the rule's name: whose limit it is, and its window.
        if limit_id == rule.prefix or limit_id.startswith((f"{rule.prefix}=", f"{rule.prefix}@"))
    ]
    return max(caps, default=None)


def _rules(campaign: Campaign) -> Iterator[Rule]:
    for instrument in campaign.instruments:
        terms = terms_of(campaign, instrument, {e.emission_id: e for e in campaign.emissions})
        yield from rules_of(campaign, instrument, terms.window_at)
        prefix = f"{campaign.campaign_id}/{instrument.instrument_id}"
        needs = needs_of(instrument.conditions, prefix, terms)
        yield from (need.cap for need in needs.values() if need.cap)


_FOLLOWS: Mapping[RedemptionStatus | None, Sequence[RedemptionStatus]] = {
    None: ("held", "committed", "unauthorised"),
    "held": ("committed", "released", "expired", "unauthorised"),
    "released": ("held", "committed", "unauthorised"),
    "expired": ("held", "committed", "unauthorised"),
    "committed": ("returned",),
    "returned": (),
    "unauthorised": (),
}
"""The states that may follow each; a redemption may also change and stay in its state."""
_RECEIPT: Mapping[State | None, str] = {"held": "open", "used": "paid"}


def contradictions(use: Use) -> list[str]:
    """What is wrong with one use by itself: its history against its state, its state against its receipt."""
    found = []
    before: RedemptionStatus | None = None
    for change in use.history:
        if change.status != before and change.status not in _FOLLOWS[before]:
            found.append(f"its history has {change.status} after {before or 'nothing'}")
        before = change.status
    if use.history and before != use.status:
        found.append(f"it is {use.status}, and its history ends with {before}")
    expected = _RECEIPT.get(use.state)
    if use.kind == "redemption" and expected is not None and use.receipt_status != expected:
        receipt = f"is {use.receipt_status}" if use.receipt_status else "is not there"
        found.append(f"it is {use.status}, and its receipt {receipt}")
    return found


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered slot that a redemption or a reward takes (of a limit on money: an entry), and what is wrong with it."""

    number: int
    state: State
    amount: int
    use_id: str
    kind: Kind
    campaign_id: str
    instrument_id: str
    receipt_id: str | None
    status: RedemptionStatus
    taken_at: datetime
    history: tuple[Change, ...]
    differences: tuple[str, ...] = ()


def slots(uses: Iterable[Use], first: int = 1) -> list[Slot]:
    """The slots of what takes of a limit now, in the order in which they were taken, from number ``first``."""
    taking = [(use, state) for use in uses if (state := use.state) is not None and use.amount]
    return [
        Slot(
            number=number,
            state=state,
            amount=use.amount,
            use_id=use.use_id,
            kind=use.kind,
            campaign_id=use.campaign_id,
            instrument_id=use.instrument_id,
            receipt_id=use.receipt_id,
            status=use.status,
            taken_at=use.taken_at,
            history=use.history,
            differences=tuple(contradictions(use)),
        )
        for number, (use, state) in enumerate(taking, start=first)
    ]


class Leased(msgspec.Struct, frozen=True):
    """The slots that a store has leased and not used: a range (of a limit on money: an amount)."""

    lease: Lease
    first: int | None
    last: int | None


def leased_slots(standing: Standing, leases: Iterable[Lease]) -> list[Leased]:
    """The slots of a limit's leases: they follow those that are held and used."""
    found, first = [], standing.occupied - standing.taken.leased + 1
    for lease in leases:
        if standing.money:
            found.append(Leased(lease, None, None))
        elif lease.left:
            found.append(Leased(lease, first, first + lease.left - 1))
            first += lease.left
    return found


def free_slots(standing: Standing) -> tuple[int, int] | None:
    """The numbers of the first and last free slot of a count limit; None if none is free."""
    if standing.money or standing.cap is None or standing.occupied >= standing.cap:
        return None
    return standing.occupied + 1, standing.cap


def owner(limit_id: str) -> tuple[str | None, str | None]:
    """Campaign and instrument whose redemptions take of a limit; None: of all of them do."""
    if limit_id.startswith("code:"):
        return None, None
    campaign_id, _, rest = limit_id.partition("/")
    instrument_id = rest.partition("/")[0]
    return campaign_id, None if instrument_id.startswith("~") else instrument_id


def document(slot: Slot) -> dict[str, Any]:
    """A slot for programs; events of its history by their keys in hex."""
    fields = msgspec.to_builtins(slot)
    fields["history"] = [
        {
            "status": change.status,
            "at": change.at.isoformat(),
            "event": change.event_key.hex() if change.event_key else None,
        }
        for change in slot.history
    ]
    return fields  # type: ignore[no-any-return]
