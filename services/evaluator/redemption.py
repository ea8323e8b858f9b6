"""The life of a redemption: held → committed → returned, or held → released / expired (domain: Terms).

Pure: functions of values, with ``now`` given. Only ``Counters``, a transaction's working copy, changes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from services.evaluator.counters import Counters, Taken, counts_money
from services.evaluator.promotion.benefits.offer import FOR_EVER, Lifetime
from services.evaluator.promotion.verdict import Granted
from shared.events.checkout import GivenBenefit
from shared.events.outcome import RedemptionStatus
from shared.events.values import Gift

Key = tuple[str, str]
"""Campaign id, instrument id: what names a redemption on its receipt."""


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A state that a redemption took, and the event that brought it (none: time did)."""

    status: RedemptionStatus
    at: datetime
    event_key: bytes | None = None


class Redemption(msgspec.Struct, frozen=True):
    """One use of one instrument on one receipt, and what it takes of limits.

    ``taken`` is in the order of limit ids; its rolling limits count uses after ``since``. Once
    committed, it is what was really used. ``mismatch`` is given − decided (minor units),
    ``gifts_beyond`` what was given of gifts beyond the decided ones. ``returned`` and
    ``bonuses_returned`` are what returns have taken back so far, ``gifts_back`` gifts that came back.
    ``lease_id``: one of its slots was the lease's. ``emission_id``: that of the code it uses. ``keeps_slot`` and ``lifetime``: see ``Granted``. ``history`` are the states that it took before.
    """

    redemption_id: str
    campaign_id: str
    instrument_id: str
    status: RedemptionStatus
    discount: int
    bonuses: int
    taken: tuple[Taken, ...] = ()
    gifts: tuple[Gift, ...] = ()
    mismatch: int = 0
    since: datetime | None = None
    expires_at: datetime | None = None
    keeps_slot: bool = False
    choose: int | None = None
    lifetime: Lifetime = FOR_EVER
    gifts_beyond: tuple[Gift, ...] = ()
    gifts_back: tuple[Gift, ...] = ()
    returned: int = 0
    bonuses_returned: int = 0
    history: tuple[Change, ...] = ()
    lease_id: str | None = None
    emission_id: str | None = None

    @property
    def limit_ids(self) -> tuple[str, ...]:
        """The limits that it takes of, or could take of again."""
        return tuple([limit_id for limit_id, _ in self.taken])

    @property
    def key(self) -> Key:
        """What names it on its receipt."""
        return self.campaign_id, self.instrument_id


Redemptions = Mapping[Key, Redemption]
NO_LEASES: Mapping[Key, str] = MappingProxyType({})


def redemption_id(receipt_id: str, key: Key) -> str:
    """The id of a receipt's use of an instrument: the same for every revision and retry."""
    return "r-" + blake2b("/".join((receipt_id, *key)).encode(), digest_size=12).hexdigest()


def granted(receipt_id: str, grant: Granted) -> Redemption:
    """What a grant gives a receipt a right to; nothing is taken of its limits yet (``released``)."""
    key = (grant.campaign_id, grant.instrument_id)
    return Redemption(
        redemption_id(receipt_id, key),
        *key,
        "released",
        grant.discount,
        grant.bonuses,
        tuple(sorted([Taken(claim.limit.limit_id, claim.amount) for claim in grant.limits])),
        grant.gifts,
        # An instrument has one processing period: its rolling limits have the same window.
        since=next((c.limit.since for c in grant.limits if c.limit.since is not None), None),
        keeps_slot=grant.keeps_slot,
        choose=grant.choose,
        lifetime=grant.lifetime,
        emission_id=grant.emission_id,
    )


def hold(
    receipt_id: str,
    before: Redemptions,
    grants: Iterable[Granted],
    expires_at: datetime,
    counters: Counters,
) -> dict[Key, Redemption]:
    """The redemptions after a decision whose slots are held: new ones held, the rest released.

    The slots of ``before`` must have been let go (``let_go``), so that one still needed is taken
    again within the same step.
    """
    after = {
        key: replace(redemption, status="released") if redemption.status == "held" else redemption
        for key, redemption in before.items()
    }
    for grant in grants:
        fresh = replace(granted(receipt_id, grant), status="held", expires_at=expires_at)
        if fresh.key in before:
            fresh = replace(fresh, history=before[fresh.key].history)
        counters.move(fresh.taken, held=1)
        after[fresh.key] = fresh
    return after


def let_go(redemptions: Redemptions, counters: Counters) -> None:
    """Free what is held of limits."""
    for redemption in redemptions.values():
        if redemption.status == "held":
            counters.move(redemption.taken, held=-1)


def end_holds(
    redemptions: Redemptions, status: RedemptionStatus, counters: Counters
) -> dict[Key, Redemption]:
    """Free what is held, as ``released`` or ``expired``."""
    let_go(redemptions, counters)
    return {
        key: replace(redemption, status=status) if redemption.status == "held" else redemption
        for key, redemption in redemptions.items()
    }


def commit(
    receipt_id: str,
    decided: Redemptions,
    given: Iterable[GivenBenefit],
    counters: Counters,
    at: datetime,
    leases: Mapping[Key, str] = NO_LEASES,
) -> dict[Key, Redemption]:
    """The redemptions of a paid receipt that was decided for the instant ``at``.

    What was decided and given is committed, with its own slot or, when its hold is over, one of the lease
    (its id in ``leases``) that it was given of, or a free one; a limit on money is used by what was given,
    if that is less.
    Bonuses are ours to give, so the sale need not name them. What was decided and not given is
    released; what was given without right, other goods than the gifts decided, too, is
    ``unauthorised``: a cost, outside the cap.
    """
    named = {(benefit.campaign_id, benefit.instrument_id): benefit for benefit in given}
    after = {
        key: _settle(redemption, named.get(key), counters, at, leases.get(key))
        for key, redemption in decided.items()
    }
    for key, benefit in named.items():
        if key not in decided and (benefit.discount or benefit.gifts):
            after[key] = Redemption(
                redemption_id(receipt_id, key),
                *key,
                "unauthorised",
                benefit.discount,
                0,
                gifts=_worth(benefit.gifts, ()),
                mismatch=benefit.discount,
            )
    return after


def as_earned(decided: Redemption, *, same_customer: bool, paid: int, due: int) -> Redemption:
    """Bonuses are earned on money paid, by whom they were promised to.

    ``paid`` and ``due`` are minor units after discounts, as sold and as decided: who pays less gets
    proportionally less (half up), another customer nothing.
    """
    if not decided.bonuses or (same_customer and paid >= due):
        return decided
    earned = (2 * decided.bonuses * paid + due) // (2 * due) if same_customer else 0
    return replace(decided, bonuses=earned)


def _settle(
    decided: Redemption,
    given: GivenBenefit | None,
    counters: Counters,
    at: datetime,
    lease_id: str | None,
) -> Redemption:
    held = decided.status == "held"
    if held:
        counters.move(decided.taken, held=-1)
    discount = given.discount if given else 0
    gifts = given.gifts if given else ()
    ours = _is_ours_to_give(decided)
    # Nothing given, or a gift not taken: a zero benefit is no redemption.
    if not ours and not discount and not gifts:
        return replace(decided, status="released") if held else decided
    if given and not ours and not _is_of_the_decided(given, decided):
        return replace(
            decided,
            status="unauthorised",
            discount=discount,
            bonuses=0,
            gifts=_worth(gifts, decided.gifts),
            mismatch=discount - decided.discount,
        )
    settled = replace(
        decided,
        discount=discount,
        gifts=_worth(gifts, decided.gifts),
        gifts_beyond=_beyond(gifts, decided),
        mismatch=discount - decided.discount,
        taken=_used(decided.taken, discount),
    )
    # A hold keeps its slot, also when the cap was lowered meanwhile; so does a lease.
    leased = None if held or lease_id is None else counters.covered(settled.taken, lease_id)
    others = [one for one in settled.taken if one != leased]
    if held or counters.has_room(others, settled.since):
        counters.move(settled.taken, used=1, at=at)
        if leased is None or lease_id is None:
            return replace(settled, status="committed")
        counters.draw(lease_id, leased.amount)
        return replace(settled, status="committed", lease_id=lease_id)
    if ours:
        return decided
    return replace(settled, status="unauthorised", bonuses=0)


def noted(
    before: Redemptions, after: Redemptions, at: datetime, event_key: bytes | None
) -> dict[Key, Redemption]:
    """The redemptions, those that have changed with what they have become now in their history."""
    return {
        key: replace(r, history=(*r.history, Change(r.status, at, event_key)))
        if before.get(key) != r
        else r
        for key, r in after.items()
    }


def _is_of_the_decided(given: GivenBenefit, decided: Redemption) -> bool:
    """Whether some of it was decided: a discount for a discount, a gift of the list for a gift."""
    ours = {gift.sku for gift in decided.gifts}
    return bool(given.discount and decided.discount) or any(g.sku in ours for g in given.gifts)


def _used(taken: tuple[Taken, ...], discount: int) -> tuple[Taken, ...]:
    """What is really used: of a limit on money no more than was given, nor than was decided."""
    return tuple(
        [
            Taken(one.limit_id, min(one.amount, discount)) if counts_money(one.limit_id) else one
            for one in taken
        ]
    )


def _worth(given: tuple[Gift, ...], decided: tuple[Gift, ...]) -> tuple[Gift, ...]:
    """The gifts given, with the values that the instrument gives them: a till does not know them."""
    values = {gift.sku: gift.value for gift in decided}
    return tuple([Gift(sku=g.sku, quantity=g.quantity, value=values.get(g.sku, 0)) for g in given])


def _beyond(given: tuple[Gift, ...], decided: Redemption) -> tuple[Gift, ...]:
    """Gifts that were not decided, more of one than was decided, or more of a choice than may be taken."""
    allowed = {gift.sku: gift.quantity for gift in decided.gifts}
    beyond, kinds = [], 0
    for gift in given:
        right = allowed.get(gift.sku, 0)
        kinds += 1 if right else 0
        if decided.choose is not None and kinds > decided.choose:
            right = 0
        if gift.quantity > right:
            beyond.append(Gift(sku=gift.sku, quantity=gift.quantity - right))
    return tuple(beyond)


def _is_ours_to_give(redemption: Redemption) -> bool:
    """Bonus points only: they are accrued by us, not registered by the till."""
    return redemption.bonuses > 0 and redemption.discount == 0 and not redemption.gifts
