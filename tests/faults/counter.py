"""The tills' way over HTTP: requests with an Idempotency-Key, to either evaluator, until one answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import httpx

from deploy.local.stack import Stack
from shared import clock
from shared.codec import decode
from shared.events.outcome import Decision
from shared.web.auth import SCOPES, sign
from tests.faults import errands
from tests.faults.book import Book, Sent
from tests.faults.injection import EVALUATORS

_ANSWER_SECONDS = 4.0
_AGAIN_SECONDS = 0.3
_PROBED_AGAIN_SECONDS = 0.02
_GIVES_UP_AFTER = 400
"""Attempts: minutes, so that a till never gives up before the run does."""


@dataclass
class Counter:
    """Requests of the tills; ``book`` keeps every answer by the key of its request."""

    clients: Sequence[httpx.AsyncClient]
    book: Book
    seed: int

    async def check_out(self, sent: Sent, attempts: int) -> Decision | None:
        """The decision on a cart; None if none came after so many attempts."""
        answer = await self.ask("/v1/checkouts", sent, attempts)
        if answer is None or answer.status_code != HTTPStatus.OK:
            return None
        return decode(Decision, answer.content, ignore_unknown=True)

    async def ask(
        self,
        path: str,
        sent: Sent,
        attempts: int = _GIVES_UP_AFTER,
        body: bytes | None = None,
    ) -> httpx.Response | None:
        """Ask until there is an answer that is final; now and then twice at once, as the seed says."""
        sent.over = "http"
        for _ in range(attempts):
            fate = errands.fate(self.seed, sent.event_id, sent.attempts)
            self.book.counts["sent again"] += bool(sent.attempts)
            self.book.counts["duplicated"] += len(fate.delays) - 1
            client = self.clients[(sent.attempts + 1) % len(self.clients)]
            sent.attempts += 1
            asking = (self._once(client, path, sent, body, delay) for delay in fate.delays)
            answers = [answer for answer in await asyncio.gather(*asking) if answer is not None]
            if answers:
                self._note(sent, answers)
                return answers[0]
            await asyncio.sleep(_AGAIN_SECONDS)
        return None

    async def deliver(self, path: str, sent: Sent, client: httpx.AsyncClient) -> None:
        """Ask one evaluator at once, and again until it answers; the wire does nothing to it."""
        sent.over = "http"
        while (answer := await self._once(client, path, sent, None, 0)) is None:
            await asyncio.sleep(_PROBED_AGAIN_SECONDS)
        self._note(sent, [answer])

    def _note(self, sent: Sent, answers: Sequence[httpx.Response]) -> None:
        replies = self.book.replies.setdefault(sent.event_id, set())
        replies.update(answer.content for answer in answers)
        sent.acknowledged = answers[0].is_success
        sent.answered_at = clock.now()
        self._note_refusal(sent, answers[0])

    def _note_refusal(self, sent: Sent, answer: httpx.Response) -> None:
        """Refusals that nothing explains are surprises; a check reports them."""
        reason = answer.json()["title"].lower().replace(" ", "_") if answer.is_error else ""
        if reason and reason not in sent.may_die:
            self.book.surprises.append(f"{sent.event_id}: {answer.status_code} {answer.text}")

    async def _once(
        self,
        client: httpx.AsyncClient,
        path: str,
        sent: Sent,
        body: bytes | None,
        delay: float,
    ) -> httpx.Response | None:
        """One request to an evaluator; None if nobody knows what became of it."""
        await asyncio.sleep(delay)
        headers = {"Idempotency-Key": sent.event_id, "Content-Type": "application/json"}
        content = sent.body if body is None else body
        try:
            answer = await client.post(path, content=content, headers=headers)
        except httpx.HTTPError:
            self.book.counts["not acknowledged"] += 1
            return None
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            self.book.counts["unavailable"] += 1
            return None
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            message = f"{answer.status_code} to {path}: {answer.text}"
            raise AssertionError(message)
        return answer


@asynccontextmanager
async def opened(stack: Stack, book: Book, seed: int) -> AsyncIterator[Counter]:
    """The counter of a run."""
    token = sign(stack.secrets.signing_key, "tills", SCOPES, timedelta(hours=2), clock.now())
    clients = [
        httpx.AsyncClient(
            base_url=stack.url(name),
            headers={"Authorization": f"Bearer {token}"},
            timeout=_ANSWER_SECONDS,
            trust_env=False,
        )
        for name in EVALUATORS
    ]
    try:
        yield Counter(clients, book, seed)
    finally:
        for client in clients:
            await client.aclose()
