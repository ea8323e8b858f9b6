"""Requests for personal codes: which are refused and why, and which codes leave in one chunk. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from services.emission.codes import NewEmission
from services.emission.erasure import was_asked_before
from shared.codec import encode
from shared.events.customers import CodeIssued, CodeRequest
from shared.events.reference import CODES_PER_CHUNK

KEPT_FOR = timedelta(days=30)
"""How long an answer is given again: several times as long as Kafka keeps the request."""

Refusal = Literal["no_such_emission", "not_personal", "not_posted", "ended", "erased"]


def fingerprint(request: CodeRequest) -> bytes:
    """What a request is known by: another one with its id has another one."""
    return sha256(encode(request)).digest()


def until(request: CodeRequest, emission: NewEmission | None) -> datetime:
    """When the code ends: as was asked for, and not after its emission."""
    ends = emission.valid_until if emission else None
    return request.valid_until if ends is None else min(request.valid_until, ends)


def refusal(
    request: CodeRequest,
    emission: NewEmission | None,
    *,
    is_posted: bool,
    now: datetime,
    erased: datetime | None = None,
) -> Refusal | None:
    """Why there is no code for the request; None: there is one to be made.

    ``erased``: when the customer was to be erased, if that was so: what was asked for before is refused, whenever it
    comes. ``ended``: there is no time, from ``now`` on, at which the code could be used.
    """
    if erased is not None and was_asked_before(request.requested_at, erased):
        return "erased"
    if emission is None:
        return "no_such_emission"
    if emission.kind != "personal":
        return "not_personal"
    if not is_posted:
        return "not_posted"
    begins = now if emission.valid_from is None else max(now, emission.valid_from)
    return "ended" if until(request, emission) <= begins else None


@dataclass(frozen=True)
class Share:
    """Requests of one emission whose codes leave in one chunk, since they end together."""

    valid_until: datetime
    requests: tuple[CodeRequest, ...]


def shares(requests: Sequence[CodeRequest], emission: NewEmission) -> Iterator[Share]:
    """The requests as they share chunks, in the order in which they came."""
    together: dict[datetime, list[CodeRequest]] = {}
    for request in requests:
        together.setdefault(until(request, emission), []).append(request)
    for ends, those in together.items():
        for start in range(0, len(those), CODES_PER_CHUNK):
            yield Share(ends, tuple(those[start : start + CODES_PER_CHUNK]))


def answer(
    request: CodeRequest,
    emission: NewEmission | None,
    now: datetime,
    *,
    code: str | None = None,
    refused: Refusal | None = None,
) -> CodeIssued:
    """The answer: the code, or why there is none."""
    return CodeIssued(
        request_id=request.request_id,
        emission_id=request.emission_id,
        customer_id=request.customer_id,
        code=code,
        refused=refused,
        valid_until=until(request, emission),
        issued_at=now,
    )
