"""The ledger: events seen, receipts, redemptions, limits, bonuses; and the arbiter's clock."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import asyncpg
import msgspec

from services.evaluator import answer
from services.evaluator.bonuses import Entry
from services.evaluator.counters import Taken
from services.evaluator.promotion.benefits.offer import FOR_EVER, Lifetime
from services.evaluator.receipt import Receipt, event_key_of
from services.evaluator.redemption import Change, Key, Redemption
from shared.database import Connection, Query, together
from shared.events.values import Gift


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkout event that was applied before, and what answered it, if anything did."""

    body_digest: bytes
    answer: bytes | None


async def now(connection: Connection) -> datetime:
    """The arbiter's clock: lifetimes of holds and plausibility of times go by it."""
    instant: datetime = await connection.fetchval("select clock_timestamp()")
    return instant


def seen(event_keys: Sequence[bytes]) -> Query[dict[bytes, Seen]]:
    """The events that were applied before."""
    return Query(
        "select event_key, body_digest, coalesce(answer, decision) from checkout_events"
        " where event_key = any($1)",
        (event_keys,),
        lambda rows: {event_key: Seen(digest, answer) for event_key, digest, answer in rows},
    )


class Applied(NamedTuple):
    """An event as it was applied: what it said, what was decided of it, and by which facts.

    ``facts`` are there if it was decided by the rules, ``decision`` if it was decided at all; ``answer``
    is what its sender was told besides. ``customer_id`` is whose event it is ("" nobody's), ``told_customer_id``
    another customer whom what was told names: who is to be forgotten is found by them.
    """

    event_key: bytes
    body_digest: bytes
    receipt_id: str
    kind: Literal["cart", "sale", "return"]
    body: bytes
    received_at: datetime
    decision: bytes | None = None
    facts: bytes | None = None
    answer: bytes | None = None
    customer_id: str = ""
    told_customer_id: str | None = None


async def save_applied(connection: Connection, rows: Sequence[Applied]) -> None:
    """Note events."""
    await connection.copy_records_to_table("checkout_events", records=rows, columns=Applied._fields)


async def forget_applied(connection: Connection, before: datetime, most: int) -> int:
    """Delete events that came before then: one so old is refused if it comes again; how many."""
    done: str = await connection.execute(
        "delete from checkout_events where event_key in ("
        " select event_key from checkout_events where received_at < $1 limit $2)",
        before,
        most,
    )
    return int(done.rsplit(maxsplit=1)[-1])


_CLOCKS_DIFFER = timedelta(seconds=5)
_RECEIPTS = """
select r.receipt_id, r.store_id, r.terminal_id, r.revision, r.body_digest, r.status, r.decided_by,
    e.decision
from receipts r left join checkout_events e on e.event_key = r.decided_by
where r.receipt_id = any($1) order by r.receipt_id
"""


async def receipts(
    connection: Connection, receipt_ids: Collection[str], confirmed: Collection[str] = ()
) -> tuple[dict[str, Receipt], dict[str, bytes]]:
    """The known ones of the receipts, locked in the order of their ids, with their redemptions.

    With them comes what was said by the carts of those to be ``confirmed``.
    """
    rows = await connection.fetch(_RECEIPTS + "for update of r", list(receipt_ids))
    if not rows:
        return {}, {}
    ids = [row["receipt_id"] for row in rows]
    if not confirmed:
        return _receipts(rows, await _redemptions(ids).of(connection)), {}
    named = {row["decided_by"]: row["receipt_id"] for row in rows if row["receipt_id"] in confirmed}
    redemptions, bodies = await together(connection, _redemptions(ids), _bodies([*named]))
    return _receipts(rows, redemptions), {named[key]: body for key, body in bodies.items()}


async def receipt(connection: Connection, receipt_id: str) -> Receipt | None:
    """One receipt as it is, unlocked; None if it is not known."""
    rows = await connection.fetch(_RECEIPTS, [receipt_id])
    if not rows:
        return None
    return _receipts(rows, await _redemptions([receipt_id]).of(connection))[receipt_id]


def _receipts(
    rows: Sequence[asyncpg.Record], redemptions: Mapping[str, dict[Key, Redemption]]
) -> dict[str, Receipt]:
    return {
        row["receipt_id"]: Receipt(
            receipt_id=row["receipt_id"],
            store_id=row["store_id"],
            terminal_id=row["terminal_id"],
            revision=row["revision"],
            body_digest=row["body_digest"],
            status=row["status"],
            decision=answer.decode(row["decision"]) if row["decision"] else None,
            redemptions=redemptions.get(row["receipt_id"], {}),
        )
        for row in rows
    }


def _bodies(event_keys: Sequence[bytes | None]) -> Query[dict[bytes, bytes]]:
    return Query(
        "select event_key, body from checkout_events where event_key = any($1)",
        (event_keys,),
        dict,
    )


class _Gift(msgspec.Struct, frozen=True, array_like=True):
    sku: str
    quantity: int
    value: int = 0


class _Details(msgspec.Struct, frozen=True, array_like=True):
    """What only its own receipt needs to know of a redemption."""

    gifts: list[_Gift] = []
    gifts_beyond: list[_Gift] = []
    gifts_back: list[_Gift] = []
    choose: int | None = None
    lifetime: Lifetime = FOR_EVER
    lease_id: str | None = None
    emission_id: str | None = None


_PACK = msgspec.msgpack.Encoder().encode
_GIFTS = msgspec.json.Decoder(list[_Gift])
_DETAILS = msgspec.msgpack.Decoder(_Details)
_HISTORY = msgspec.msgpack.Decoder(tuple[Change, ...])
_NO_DETAILS = _Details()


def _redemptions(receipt_ids: Sequence[str]) -> Query[dict[str, dict[Key, Redemption]]]:
    return Query(
        "select redemption_id, receipt_id, campaign_id, instrument_id, status, discount, bonuses,"
        " mismatch, limit_ids, limit_amounts, since, gifts, expires_at, keeps_slot, returned,"
        " bonuses_returned, details, history"
        " from redemptions where receipt_id = any($1)",
        (receipt_ids,),
        _by_receipt,
    )


def _by_receipt(rows: Iterable[Any]) -> dict[str, dict[Key, Redemption]]:
    found: dict[str, dict[Key, Redemption]] = {}
    for (
        redemption_id,
        receipt_id,
        campaign_id,
        instrument_id,
        status,
        discount,
        bonuses,
        mismatch,
        limit_ids,
        limit_amounts,
        since,
        gifts,
        expires_at,
        keeps_slot,
        returned,
        bonuses_returned,
        packed,
        history,
    ) in rows:
        details = _DETAILS.decode(packed) if packed else _NO_DETAILS
        redemption = Redemption(
            redemption_id=redemption_id,
            campaign_id=campaign_id,
            instrument_id=instrument_id,
            status=status,
            discount=discount,
            bonuses=bonuses,
            taken=tuple(map(Taken, limit_ids, limit_amounts)),
            since=since,
            gifts=_gifts(details.gifts or (_GIFTS.decode(gifts) if gifts else [])),
            gifts_beyond=_gifts(details.gifts_beyond),
            gifts_back=_gifts(details.gifts_back),
            choose=details.choose,
            lifetime=details.lifetime,
            mismatch=mismatch,
            expires_at=expires_at,
            keeps_slot=keeps_slot,
            returned=returned,
            bonuses_returned=bonuses_returned,
            history=_HISTORY.decode(history) if history else (),
            lease_id=details.lease_id,
            emission_id=details.emission_id,
        )
        found.setdefault(receipt_id, {})[redemption.key] = redemption
    return found


def _gifts(kept: Sequence[_Gift]) -> tuple[Gift, ...]:
    return tuple([Gift(sku=g.sku, quantity=g.quantity, value=g.value) for g in kept])


def lease_of(details: bytes) -> str | None:
    """The lease that a redemption names, by its kept details."""
    return _DETAILS.decode(details).lease_id


def _details(r: Redemption) -> bytes | None:
    """What is kept of a redemption's details; mostly there are none."""
    special = r.gifts or r.gifts_beyond or r.choose or r.lease_id or r.emission_id
    if not special and r.lifetime == FOR_EVER:
        return None
    given, beyond, back = (
        [_Gift(g.sku, g.quantity, g.value) for g in some]
        for some in (r.gifts, r.gifts_beyond, r.gifts_back)
    )
    return _PACK(_Details(given, beyond, back, r.choose, r.lifetime, r.lease_id, r.emission_id))


async def add_receipts(connection: Connection, new: Collection[Receipt], at: datetime) -> None:
    """Add receipts that were not known when they were looked for.

    Raises ``asyncpg.UniqueViolationError`` if one is by now: nothing was there to lock, and another
    evaluator was quicker. The transaction is tried again, and finds what the other did.
    """
    await connection.copy_records_to_table(
        "receipts",
        records=[
            (r.receipt_id, r.store_id, r.terminal_id, *_state(r), at)
            for r in sorted(new, key=lambda receipt: receipt.receipt_id)
        ],
        columns=("receipt_id", "store_id", "terminal_id", *_STATE, "updated_at"),
    )


async def save_receipts(connection: Connection, changed: Collection[Receipt], at: datetime) -> None:
    """Save known receipts, which are locked, as they are now."""
    if changed:
        await connection.execute(
            "update receipts set revision = new.revision, body_digest = new.body_digest,"
            " status = new.status, decided_by = new.decided_by, updated_at = $6"
            " from unnest($1::text[], $2::int[], $3::bytea[], $4::text[], $5::bytea[])"
            " as new (id, revision, body_digest, status, decided_by) where receipt_id = new.id",
            [r.receipt_id for r in changed],
            *map(list, zip(*map(_state, changed), strict=True)),
            at,
        )


_STATE = ("revision", "body_digest", "status", "decided_by")


def _state(r: Receipt) -> tuple[int, bytes | None, str, bytes | None]:
    decided_by = event_key_of(r.decision.decision_id) if r.decision else None
    return r.revision, r.body_digest, r.status, decided_by


_REDEMPTION = (
    "redemption_id",
    "receipt_id",
    "campaign_id",
    "instrument_id",
    "status",
    "discount",
    "bonuses",
    "mismatch",
    "limit_ids",
    "limit_amounts",
    "since",
    "expires_at",
    "keeps_slot",
    "returned",
    "bonuses_returned",
    "details",
    "history",
    "taken_at",
    "changed_at",
)


async def save_redemptions(
    connection: Connection,
    changed: Sequence[tuple[str, Redemption]],
    at: datetime,
    new_receipts: AbstractSet[str] = frozenset(),
) -> None:
    """Save redemptions as they are now: (receipt id, redemption); their receipts are locked or new."""
    known = [r.redemption_id for receipt_id, r in changed if receipt_id not in new_receipts]
    if known:
        await connection.execute("delete from redemptions where redemption_id = any($1)", known)
    if changed:
        await connection.copy_records_to_table(
            "redemptions",
            records=[
                (
                    r.redemption_id,
                    receipt_id,
                    r.campaign_id,
                    r.instrument_id,
                    r.status,
                    r.discount,
                    r.bonuses,
                    r.mismatch,
                    [one.limit_id for one in r.taken],
                    [one.amount for one in r.taken],
                    r.since,
                    r.expires_at,
                    r.keeps_slot,
                    r.returned,
                    r.bonuses_returned,
                    _details(r),
                    _PACK(r.history),
                    r.history[0].at if r.history else at,
                    at,
                )
                for receipt_id, r in changed
            ],
            columns=_REDEMPTION,
        )


async def save_bonuses(connection: Connection, entries: Sequence[Entry], at: datetime) -> None:
    """Add entries to the bonus ledger."""
    if entries:
        await connection.copy_records_to_table(
            "bonus_entries",
            records=[(e.entry_id, e.account, e.points, e.redemption_id, at) for e in entries],
            columns=("entry_id", "account", "points", "redemption_id", "recorded_at"),
        )


async def sales_read_until(
    connection: Connection, consumer: str, topic: str, partitions: int
) -> datetime | None:
    """Until when every partition of the sales has been read; None while any is unknown.

    Never later than the arbiter's own clock, and a little earlier: the consumer's and the broker's
    may be ahead of it.
    """
    [row] = await connection.fetch(
        "select least(min(read_until), clock_timestamp()) - $3::interval as until,"
        " count(read_until) as known from offsets where consumer = $1 and topic = $2",
        consumer,
        topic,
        _CLOCKS_DIFFER,
    )
    return row["until"] if row["known"] == partitions else None


async def expired_receipts(connection: Connection, until: datetime, most: int) -> list[str]:
    """Receipts that have holds which ended before ``until``, oldest first."""
    rows = await connection.fetch(
        "select receipt_id from redemptions where status = 'held' and expires_at < $1"
        " order by expires_at limit $2",
        until,
        most,
    )
    return sorted({row["receipt_id"] for row in rows})
