"""How a till reaches the product: over Kafka, or over HTTP. Both say the same to it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from shared.codec import encode
from shared.events.checkout import Confirmation, Sale
from shared.events.outcome import Decision
from tests.faults.answers import Answers
from tests.faults.book import Sent
from tests.faults.counter import Counter
from tests.faults.network import Network

_ASKS = 3
_ANSWER_SECONDS = 3.0


class Way(Protocol):
    """What a till can do."""

    async def ask(self, sent: Sent) -> Decision | None:
        """The decision on a cart; None if a till has waited long enough, or is told that it is too late."""

    async def pay(self, sent: Sent, *, as_decided: bool) -> bool:
        """Pay a receipt; False if its hold is over and what it had is used up: ask again."""

    async def cancel(self, sent: Sent) -> None:
        """Cancel a receipt; ``sent`` is the cart that does."""

    async def take_back(self, sent: Sent) -> bool:
        """Take goods back; False if the sale is not known yet: come again."""


@dataclass(frozen=True)
class OverKafka:
    """Events; what is not answered in time is sent again."""

    network: Network
    answers: Answers

    async def ask(self, sent: Sent) -> Decision | None:
        """See ``Way``."""
        cart = sent.event
        revision = getattr(cart, "revision", 0)
        for _ in range(_ASKS):
            await self.network.send(sent)
            decision = await self.answers.decision(cart.receipt_id, revision, _ANSWER_SECONDS)
            if decision is not None:
                return decision
        return None

    async def pay(self, sent: Sent, *, as_decided: bool) -> bool:  # noqa: ARG002 - as in ``Way``
        """See ``Way``; a sale that was sent states what was given: it is never refused for a hold."""
        await self.network.send(sent)
        return True

    async def cancel(self, sent: Sent) -> None:
        """See ``Way``."""
        await self.ask(sent)

    async def take_back(self, sent: Sent) -> bool:
        """See ``Way``; a return that overtakes its sale is a dead letter, which is sent again at the end."""
        await self.network.send(sent)
        return True


@dataclass(frozen=True)
class OverHttp:
    """Requests; one that has no answer is asked again with its key."""

    counter: Counter

    async def ask(self, sent: Sent) -> Decision | None:
        """See ``Way``."""
        return await self.counter.check_out(sent, _ASKS)

    async def pay(self, sent: Sent, *, as_decided: bool) -> bool:
        """See ``Way``."""
        sale = sent.event
        path, body = "/v1/sales", None
        if as_decided and isinstance(sale, Sale):
            path = f"/v1/checkouts/{sale.receipt_id}/confirm"
            body = encode(Confirmation(payments=sale.payments))
            sent.confirms = True
        answer = await self.counter.ask(path, sent, body=body)
        if answer is not None and answer.status_code == HTTPStatus.CONFLICT:
            return "already_paid" in sent.may_die
        return True

    async def cancel(self, sent: Sent) -> None:
        """See ``Way``."""
        path = f"/v1/checkouts/{sent.event.receipt_id}/cancel"
        await self.counter.ask(path, sent, body=b"")

    async def take_back(self, sent: Sent) -> bool:
        """See ``Way``."""
        answer = await self.counter.ask("/v1/returns", sent)
        return answer is None or answer.status_code != HTTPStatus.NOT_FOUND
