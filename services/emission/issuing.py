"""Codes on request: made, kept and published by the transaction that reads the requests.

What a request is answered, and the digest, ciphertext and event of its code, commit together with the
offset: each request has one code, whatever is killed when.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka.structs import ConsumerRecord

from services.emission.chunks import Chunk, chunk_message, place
from services.emission.cipher import CodeCipher
from services.emission.codes import RandomBytes, generate, widened
from services.emission.erasure import known_by
from services.emission.history import body_of_emission
from services.emission.metrics import CODE_REQUESTS
from services.emission.posting import SOURCE
from services.emission.requests import Refusal, answer, fingerprint, refusal, shares
from services.emission.store import changes
from services.emission.store import emissions as emission_store
from services.emission.store import erasures as erasure_store
from services.emission.store import requests as store
from services.emission.store.changes import Change
from services.emission.store.emissions import EmissionRow
from services.emission.store.requests import Answered, RequestedCode
from shared import clock, outbox, topics
from shared.codec import decode, encode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import CodeIssued, CodeRequest
from shared.outbox import Message

ACTOR = "tillstream"
"""Who made the codes, in the changes: nobody that has a name there."""

Asked = tuple[ConsumerRecord, CodeRequest]


@dataclass
class Issuing:
    """Answers requests; ``code_key`` is the key of the digests."""

    cipher: CodeCipher
    code_key: bytes = field(repr=False)
    random_bytes: RandomBytes = secrets.token_bytes
    now: Callable[[], datetime] = clock.now

    async def apply(self, connection: Connection, asked: Sequence[Asked]) -> list[DeadLetter]:
        """Answer the requests, in the caller's transaction; those that contradict an earlier one are returned."""
        await erasure_store.hold_off_erasing(connection)
        known = await store.answered(connection, {request.request_id for _, request in asked})
        seen = {request_id: one.request_sha256 for request_id, one in known.items()}
        new: list[CodeRequest] = []
        again: list[str] = []
        dead = []
        for record, request in asked:
            request_id, sha256 = request.request_id, fingerprint(request)
            if request_id not in seen:
                seen[request_id] = sha256
                new.append(request)
            elif seen[request_id] == sha256:
                again.append(request_id)
            else:
                detail = "request_id: there was another request with this id"
                dead.append(DeadLetter(record, "conflicting_request", detail))
        now = self.now()
        given = {one.request_id: one for one in await self._answer(connection, new, now)}
        messages = [_message(one) for one in given.values()]
        given |= {request_id: self._opened(one) for request_id, one in known.items()}
        messages += [_message(given[request_id], repeats=True) for request_id in again]
        await outbox.put(connection, messages, SOURCE, now)
        return dead

    async def _answer(
        self, connection: Connection, requests: Sequence[CodeRequest], now: datetime
    ) -> list[CodeIssued]:
        """Answer requests that are new, and keep the answers."""
        erased = await self._erased(connection, requests)
        ids = {request.emission_id for request in requests}
        rows = await emission_store.locked_emissions(connection, ids, self.cipher)
        emissions = {emission_id: row.asked for emission_id, row in rows.items()}
        posted = {emission_id for emission_id, row in rows.items() if row.status == "posted"}
        refused: dict[str, Refusal] = {}
        wanted: dict[str, list[CodeRequest]] = {}
        for request in requests:
            emission_id = request.emission_id
            emission, is_posted = emissions.get(emission_id), emission_id in posted
            reason = refusal(
                request,
                emission,
                is_posted=is_posted,
                now=now,
                erased=erased.get(request.customer_id),
            )
            if reason is None:
                wanted.setdefault(emission_id, []).append(request)
            else:
                refused[request.request_id] = reason
            CODE_REQUESTS.labels(reason or "issued").inc()
        codes: dict[str, str] = {}
        for emission_id, those in wanted.items():
            codes |= await self._issue(connection, rows[emission_id], those, now)
        answers = [
            answer(
                request,
                emissions.get(request.emission_id),
                now,
                code=codes.get(request.request_id),
                refused=refused.get(request.request_id),
            )
            for request in requests
        ]
        kept = [
            self._closed(request, given)
            for request, given in zip(requests, answers, strict=True)
            if given.refused != "erased"  # nobody is written down again
        ]
        await store.keep_answers(connection, kept, now)
        return answers

    async def _erased(
        self, connection: Connection, requests: Sequence[CodeRequest]
    ) -> dict[str, datetime]:
        """When those of the customers were to be erased that were."""
        digests = {one.customer_id: known_by(one.customer_id, self.code_key) for one in requests}
        erased = await erasure_store.erased_among(connection, digests.values())
        return {customer: erased[d] for customer, d in digests.items() if d in erased}

    async def _issue(
        self,
        connection: Connection,
        row: EmissionRow,
        requests: Sequence[CodeRequest],
        now: datetime,
    ) -> dict[str, str]:
        """Make, keep and publish a code for each of the requests; by request."""
        made = iter((await self._codes(connection, row, len(requests))).items())
        codes: dict[str, str] = {}
        kept: list[RequestedCode] = []
        messages = []
        first_chunk = row.posted_chunks + row.requested_chunks + 1
        for chunk, share in enumerate(shares(requests, row.asked), start=first_chunk):
            pairs = [next(made) for _ in share.requests]
            holders = [request.customer_id for request in share.requests]
            published = Chunk(chunk, [digest for digest, _ in pairs], holders, share.valid_until)
            messages.append(chunk_message(row, published))
            for request, (_, code) in zip(share.requests, pairs, strict=True):
                number = row.requested_codes + len(kept) + 1
                ciphertext = self.cipher.encrypt([code], place(row.asked.emission_id), number)
                customer_id = request.customer_id
                kept.append(
                    RequestedCode(number, chunk, ciphertext, customer_id, share.valid_until)
                )
                codes[request.request_id] = code
        today = now.date()
        await store.keep_codes(connection, row.number, kept, today)
        await outbox.put(connection, messages, SOURCE, now)
        if row.requested_on != today:
            await _record(connection, row, row.requested_codes + len(kept), now)
        return codes

    async def _codes(self, connection: Connection, row: EmissionRow, size: int) -> dict[bytes, str]:
        """So many codes by digest, all of them claimed for the emission, as hard to guess as if it had only these."""
        pattern = widened(row.asked.pattern or "", row.codes + size)
        codes: dict[bytes, str] = {}
        while len(codes) < size:
            fresh = generate(pattern, size - len(codes), self.code_key, self.random_bytes)
            free = await emission_store.claim_codes(connection, row.number, fresh)
            codes |= fresh if free is None else {d: c for d, c in fresh.items() if d in free}
        return codes

    def _closed(self, request: CodeRequest, issued: CodeIssued) -> Answered:
        text = encode(issued).decode()
        return Answered(
            request.request_id,
            request.customer_id,
            fingerprint(request),
            self.cipher.encrypt([text], _place_of_answer(request.request_id), 0),
        )

    def _opened(self, one: Answered) -> CodeIssued:
        [text] = self.cipher.decrypt(one.answer, _place_of_answer(one.request_id), 0)
        return decode(CodeIssued, text.encode())


def _place_of_answer(request_id: str) -> str:
    return f"request {request_id}"


def _message(issued: CodeIssued, *, repeats: bool = False) -> Message:
    key = issued.customer_id.encode()
    return Message(topics.CODES_ISSUED, key, issued, issued.request_id, repeats)


async def _record(connection: Connection, row: EmissionRow, requested: int, now: datetime) -> None:
    """Say once a day that codes are made on request: one change for each would bury all others."""
    body = body_of_emission(row.asked, row.status, row.bound, requested)
    change = Change(ACTOR, "issued", "emission", row.asked.emission_id, body)
    await changes.record(connection, change, now)
