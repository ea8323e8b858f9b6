"""Code guessing: who has presented too many codes that cannot be used, and is not listened to for a while.

Pure. Held against a caller are **different** codes that cannot be used, within a window: the same code
again tells a guesser nothing, but a cart is sent again with every item, and half a town may come with a
word that is over. Too many lock a caller out; the lock-out doubles with each that follows soon.

A caller counts as a store, a terminal, a customer and, over HTTP, an address, each with a tally of its own:
a till, which is one person at a time, a customer and an address are soon locked out, the terminal of a page,
which is the same for all its visitors, late, a store later than any one terminal can bring about. Tallies
are kept by realm: anonymous callers state store and customer as they like, and lock out no till by it.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Literal

import msgspec
from msgspec.structs import replace

from services.evaluator.answer import Decision
from shared.events.values import Channel

Who = Literal["store", "terminal", "customer", "address"]
Realm = Literal["till", "web", "anonymous"]
"""Where a cart comes from: trusted tills, trusted web shops and apps, anonymous callers."""

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONGEST = DAY
"""No lock-out lasts longer."""
REMEMBERED = DAY
"""How long after a lock-out the next one is twice as long."""
PRINT_BYTES = 8
"""What is kept of a failed code's digest: enough to tell a few hundred apart."""

_DOUBLINGS = 10  # of ten minutes: more than the longest
_FAILED = frozenset({"unknown_code", "code_not_valid", "code_not_yours"})
_ADDRESS_BYTES = 16
_NETWORK_BITS = 64


class Rule(msgspec.Struct, frozen=True):
    """``failures`` different failed codes within a ``window`` lock out: at first for ``lockout``."""

    failures: int
    window: timedelta
    lockout: timedelta


POLICY: Mapping[Who, Rule] = {
    # A code has at least 100,000 spellings for each that is issued: a hit in months, by doubled lock-outs.
    "store": Rule(1_000, 10 * MINUTE, 10 * MINUTE),
    # More than two customers in a row with as many old coupons as a receipt takes.
    "terminal": Rule(25, 10 * MINUTE, 10 * MINUTE),
    "customer": Rule(15, HOUR, 30 * MINUTE),
    "address": Rule(25, 10 * MINUTE, 10 * MINUTE),
}
PAGE = Rule(500, 10 * MINUTE, 10 * MINUTE)
"""Of a terminal that is no till: everybody's."""


class Subject(msgspec.Struct, frozen=True, order=True):
    """One of those that a caller counts as. A terminal is named ``store:terminal``."""

    realm: Realm
    who: Who
    name: str

    @property
    def rule(self) -> Rule:
        """What locks it out."""
        return PAGE if self.who == "terminal" and self.realm != "till" else POLICY[self.who]


class Caller(msgspec.Struct, frozen=True):
    """Whoever sends a cart. ``address`` is the shopper's, hashed (``address_hash``), if it is known."""

    anonymous: bool = False
    address: str | None = None


TILL = Caller()
"""Trusted, and without an address: whoever writes to Kafka."""


class Tally(msgspec.Struct, frozen=True):
    """What is held against a subject: prints of failed codes ``since`` the window's start, lock-outs."""

    failed: tuple[bytes, ...] = ()
    since: datetime | None = None
    lockouts: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether it is locked out."""
        return self.locked_until is not None and now < self.locked_until

    def forgotten_from(self, rule: Rule) -> datetime | None:
        """From when on nothing of it matters any more; None: nothing matters now."""
        ends = [
            *([self.since + rule.window] if self.since else []),
            *([self.locked_until + REMEMBERED] if self.locked_until else []),
        ]
        return max(ends, default=None)


NOTHING = Tally()


class Lockout(msgspec.Struct, frozen=True):
    """Who of a caller's subjects is locked out, and until when."""

    subject: Subject
    until: datetime


def subjects_of(
    store_id: str, terminal_id: str, customer_id: str | None, channel: Channel, caller: Caller
) -> tuple[Subject, ...]:
    """What the sender of a cart counts as."""
    realm: Realm = "anonymous" if caller.anonymous else "till" if channel == "till" else "web"
    found = [
        Subject(realm, "store", store_id),
        Subject(realm, "terminal", f"{store_id}:{terminal_id}"),
    ]
    if customer_id is not None:
        found.append(Subject(realm, "customer", customer_id))
    if caller.address is not None:
        found.append(Subject(realm, "address", caller.address))
    return tuple(found)


def failed_codes(
    digests: Sequence[bytes], decision: Decision, free: Mapping[str, int]
) -> list[bytes]:
    """The codes of a decision's cart, by their digests, that nobody could have used there.

    ``free`` is what was left of the limits that were asked about. That a store, a condition, a
    campaign or an emission's cap refused a code is no guess: only a limit of the code's own is.
    """
    if decision.outcome != "decided":
        return []
    return [
        digest
        for unused in decision.unused_codes
        for digest in (digests[unused.code],)
        if unused.reason in _FAILED
        or (unused.reason == "limit_reached" and _is_used_up(digest.hex(), free))
    ]


def _is_used_up(code: str, free: Mapping[str, int]) -> bool:
    return any(left < 1 and code in limit_id for limit_id, left in free.items())


def blame(tally: Tally, failed: Iterable[bytes], rule: Rule, now: datetime) -> Tally:
    """The tally once these codes (digests) have failed as well."""
    known, since, lockouts = tally.failed, tally.since, tally.lockouts
    if since is None or now >= since + rule.window:
        known, since = (), now
    prints = tuple(dict.fromkeys([*known, *[digest[:PRINT_BYTES] for digest in failed]]))
    if len(prints) < rule.failures:
        return replace(tally, failed=prints, since=since)
    if tally.locked_until is not None and now >= tally.locked_until + REMEMBERED:
        lockouts = 0
    lasts = min(rule.lockout * 2 ** min(lockouts, _DOUBLINGS), LONGEST)
    return Tally((), None, lockouts + 1, now + lasts)


@dataclass(slots=True)
class Guesses:
    """A transaction's working copy of the tallies of those whose carts have codes.

    ``blamed`` are the failures that it adds, for the tallies as they are when they are saved:
    other transactions may have added theirs.
    """

    tallies: dict[Subject, Tally] = field(default_factory=dict)
    blamed: dict[Subject, list[bytes]] = field(default_factory=dict)

    def lockout(self, subjects: Iterable[Subject], now: datetime) -> Lockout | None:
        """The longest lock-out of these, if one is locked out."""
        found = [
            Lockout(subject, until)
            for subject in subjects
            if (until := self.tallies.get(subject, NOTHING).locked_until) and now < until
        ]
        return max(found, key=lambda one: (one.until, one.subject), default=None)

    def blame(self, subjects: Iterable[Subject], failed: Collection[bytes], now: datetime) -> None:
        """Hold failed codes against all of these."""
        for subject in subjects if failed else ():
            before = self.tallies.get(subject, NOTHING)
            after = blame(before, failed, subject.rule, now)
            if after == before:
                continue  # a cart that is sent again costs nothing
            self.tallies[subject] = after
            self.blamed.setdefault(subject, []).extend(failed)

    def may_lock(self, presented: Mapping[Subject, Collection[bytes]]) -> set[Subject]:
        """Who would be locked out by the end of the transaction if all these codes failed."""
        return {
            subject
            for subject, digests in presented.items()
            if len(self.tallies.get(subject, NOTHING).failed) + len(set(digests))
            >= subject.rule.failures
        }


def address_hash(address: str, key: bytes, day: date) -> str:
    """An IP address as it is counted: keyed, with another key each (UTC) day.

    So no day's lead to the next day's. Of IPv6 the network of 64 bits: a household has all addresses in
    it. Raises ``ValueError`` for what is no address.
    """
    of_the_day = hmac.digest(key, f"addresses of {day.isoformat()}".encode(), "sha256")
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Address(int(found) >> _NETWORK_BITS << _NETWORK_BITS)
    return hmac.digest(of_the_day, found.packed, "sha256")[:_ADDRESS_BYTES].hex()
