"""What tills ask for over HTTP: applied at the desk, with Stripe's meaning of an Idempotency-Key.

The first request with a key is applied and its answer is kept, be it a success or a refusal; the same
request gets it again for a day. Another request with that key is an error. What was never applied –
a bad body, a server that is away – keeps nothing: it may be tried again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Generic, Protocol, TypeVar

import orjson

from services.evaluator.desk import Outcome
from services.evaluator.group_commit import GroupCommit
from services.evaluator.receipt import ConflictError
from services.evaluator.regions import HEADER, NoAddressError, Regions, Whereabouts
from services.evaluator.store import idempotency, ledger
from services.evaluator.store.idempotency import Kept
from shared import clock
from shared.database import Connection
from shared.events.checkout import Cart, Sale
from shared.web.plain import Asked
from shared.web.problems import Problem

B = TypeVar("B")
B_contra = TypeVar("B_contra", contravariant=True)

_WITHIN_S = 10.0
_LONGEST_KEY = 255
_DIGEST_BYTES = 16
_NOT_FOUND = {"unknown_lease", "unknown_limit", "unknown_receipt"}
_IN_THE_WAY = {
    "already_paid",
    "campaign_not_active",
    "cancelled",
    "conflicting_event",
    "conflicting_lease",
    "conflicting_receipt",
    "conflicting_revision",
    "hold_expired",
    "limit_reached",
    "returned_too_much",
}


@dataclass(frozen=True, slots=True)
class Request(Generic[B]):
    """What is brought to a desk. ``key`` names it (with the caller), ``digest`` is of all that it says."""

    brought: B
    key: bytes | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``replayed``: it was given before."""

    status: int
    body: bytes
    replayed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What is said beside its body."""
        return {"Idempotent-Replayed": "true"} if self.replayed else {}


def key_of(caller: str, stated: str | None) -> bytes | None:
    """The key of a caller's request, None without one. Raises ``Problem`` for an unusable one."""
    if stated is None:
        return None
    if not stated or len(stated) > _LONGEST_KEY:
        message = f"1 to {_LONGEST_KEY} characters"
        raise Problem.of_field(
            HTTPStatus.BAD_REQUEST, "The request has invalid headers", "Idempotency-Key", message
        )
    return digest_of(caller.encode(), b"/", stated.encode())


CUSTOMER_ADDRESS = {
    "name": HEADER,
    "in": "header",
    "description": "the IP address of the shop's customer, for the region in statistics; only a hash of it is kept, another one each day",
    "schema": {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
}
"""How OpenAPI documents the header."""


def seen_in(regions: Regions, event: Cart | Sale, asked: Asked) -> Whereabouts:
    """Where a request's customer is, if the shop says the address. Raises ``Problem`` for what is none."""
    try:
        return regions.of(event, asked.headers.get(HEADER), clock.now().date())
    except NoAddressError:
        raise Problem.of_field(
            HTTPStatus.BAD_REQUEST, "The request has invalid headers", HEADER, "no IP address"
        ) from None


def digest_of(*parts: bytes) -> bytes:
    """A digest of all that a request says."""
    return blake2b(b"".join(parts), digest_size=_DIGEST_BYTES).digest()


class Applies(Protocol[B_contra]):
    """A desk: for each of what is brought the outcome, all in the caller's transaction."""

    async def apply(
        self, connection: Connection, brought: Sequence[B_contra], /
    ) -> Sequence[Outcome]:
        """Apply them one after another."""


@dataclass(frozen=True, slots=True)
class Requests(Generic[B]):
    """Answers groups of requests, all in the caller's transaction; ``desk`` applies what is new of them."""

    desk: Applies[B]

    async def apply(self, connection: Connection, requests: Sequence[Request[B]]) -> list[Reply]:
        """For each its reply, new or as it was given before."""
        keys = {one.key for one in requests if one.key is not None}
        known = await idempotency.answers(connection, keys) if keys else {}
        first: dict[bytes, Request[B]] = {}
        for one in requests:
            if one.key is not None and one.key not in known:
                first.setdefault(one.key, one)
        fresh = [one for one in requests if one.key is None or first.get(one.key) is one]
        outcomes = iter(await self.desk.apply(connection, [one.brought for one in fresh]))
        kept: dict[bytes, Kept] = {}
        now = await ledger.now(connection) if keys else None
        replies = []
        for one in requests:
            if one.key is not None and one.key in known:
                replies.append(_again(one, known[one.key]))
                continue
            reply = _reply(next(outcomes))
            replies.append(reply)
            if one.key is not None and now is not None:
                kept[one.key] = known[one.key] = Kept(
                    one.key, one.digest, reply.status, reply.body, now
                )
        if kept:
            await idempotency.save(connection, list(kept.values()))
        return replies


async def submit(group: GroupCommit[Request[B], Reply], request: Request[B]) -> Reply:
    """The reply to a request, once it is committed. Raises ``Problem`` (503) if that takes too long."""
    try:
        return await group.submit(request, _WITHIN_S)
    except TimeoutError as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The ledger does not answer",
            "It may have been applied: ask again with the same body and Idempotency-Key.",
            headers={"Retry-After": "1"},
        ) from error


def problem_of(error: ConflictError) -> Problem:
    """What is in the way, as it is answered."""
    field, _, message = str(error).partition(": ")
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if error.reason in _NOT_FOUND:
        status = HTTPStatus.NOT_FOUND
    elif error.reason in _IN_THE_WAY:
        status = HTTPStatus.CONFLICT
    return Problem.of_field(status, error.reason.replace("_", " ").capitalize(), field, message)


def _reply(outcome: Outcome) -> Reply:
    if isinstance(outcome, bytes):
        return Reply(HTTPStatus.OK, outcome)
    problem = problem_of(outcome)
    return Reply(problem.status, orjson.dumps(problem.document))


def _again(request: Request[B], kept: Kept) -> Reply:
    if kept.request_digest == request.digest:
        return Reply(kept.status, kept.body, replayed=True)
    problem = Problem.of_field(
        HTTPStatus.BAD_REQUEST,
        "The key was used before",
        "Idempotency-Key",
        "another request had this key; name each request anew",
    )
    return Reply(problem.status, orjson.dumps(problem.document))
