"""What the tills know themselves: every event they sent, every answer they got.

Checks compare it with what the product has; nothing in it is read from a database.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.codec import encode
from shared.events.checkout import Cart, Return, Sale
from shared.events.outcome import Decision
from shared.topics import CARTS, SALES, Topic


@dataclass
class Sent:
    """An event of a till, ``over`` Kafka or HTTP. ``acknowledged``: Kafka has it, or it was answered 2xx.

    ``may_die``: the reasons for which it may become a dead letter, or be refused. ``confirms``: it says no
    more than that the decision is paid.
    """

    event_id: str
    event: Cart | Sale | Return
    may_die: frozenset[str] = frozenset()
    attempts: int = 0
    acknowledged: bool = False
    over: Literal["kafka", "http"] = "kafka"
    confirms: bool = False
    answered_at: datetime | None = None
    body: bytes = b""

    def __post_init__(self) -> None:
        self.body = encode(self.event)

    @property
    def topic(self) -> Topic:
        """Where it goes."""
        return CARTS if isinstance(self.event, Cart) else SALES


@dataclass
class Page:
    """A receipt: its sale (now and then two events), the decision it follows, what came back."""

    receipt_id: str
    carts: list[Sent] = field(default_factory=list)
    sales: list[Sent] = field(default_factory=list)
    followed: Decision | None = None
    returns: list[Sent] = field(default_factory=list)

    @property
    def paid(self) -> Sale | None:
        """What was paid."""
        sales = [sent.event for sent in self.sales if isinstance(sent.event, Sale)]
        return sales[0] if sales else None

    @property
    def brought_back(self) -> list[Return]:
        """The returns of it."""
        return [sent.event for sent in self.returns if isinstance(sent.event, Return)]

    @property
    def is_decided_again(self) -> bool:
        """Whether a return says that what remains of it is."""
        return any(back.policy == "reprice" for back in self.brought_back)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that were presented."""
        return self.paid.codes if self.paid else ()


@dataclass
class Book:
    """Pages by receipt, events by their ids, and how often what happened.

    ``replies`` are the bodies that HTTP requests were answered with, ``surprises`` refusals that nothing explains.
    """

    pages: dict[str, Page] = field(default_factory=dict)
    events: dict[str, Sent] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    replies: dict[str, set[bytes]] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)

    def page(self, receipt_id: str) -> Page:
        """The page of a receipt."""
        return self.pages.setdefault(receipt_id, Page(receipt_id))

    def write(
        self, event_id: str, event: Cart | Sale | Return, may_die: Sequence[str] = ()
    ) -> Sent:
        """Note an event that is about to be sent."""
        sent = self.events[event_id] = Sent(event_id, event, frozenset(may_die))
        page = self.page(event.receipt_id)
        match event:
            case Cart():
                page.carts.append(sent)
            case Return():
                page.returns.append(sent)
            case _:
                page.sales.append(sent)
        return sent

    def strike(self, sent: Sent) -> None:
        """A sale or a return that was refused was none."""
        page = self.page(sent.event.receipt_id)
        (page.returns if isinstance(sent.event, Return) else page.sales).remove(sent)

    @property
    def sales(self) -> dict[str, Sale]:
        """What was paid, by receipt."""
        return {page.receipt_id: page.paid for page in self.pages.values() if page.paid}
