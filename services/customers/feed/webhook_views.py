"""What is asked and answered of webhooks over HTTP."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from services.customers.feed.receiver import LONGEST_URL
from services.customers.feed.webhook_store import Attempt, Webhook
from shared.events.values import Event, Instant, Text

Kind = Literal["profiles", "segments", "offers", "alerts"]
State = Literal["active", "failing", "paused"]
Kinds = Annotated[tuple[Kind, ...], Field(min_length=1, max_length=4)]
Url = Annotated[
    str,
    Field(max_length=LONGEST_URL, pattern=r"^https?://[!-~]+$", description="https; no redirects"),
]


class WebhookChange(Event):
    """What a webhook is called, where it is, and of what it is told."""

    name: Text
    url: Url
    topics: Kinds


class NewWebhook(WebhookChange):
    """A webhook that is to be made. It is told what happens from ``since`` on; none: from now on."""

    since: Instant | None = None


class Replay(Event):
    """From when on everything is to be delivered again, as far as the topics still have it."""

    since: Instant


class WebhookView(Event):
    """A webhook. ``failing``: what was sent last was not taken; it is tried again at ``due_at``.

    ``behind`` is how many events were to be delivered when last looked, ``lost`` how many its topics did not keep so long.
    ``paused_because``: ``asked`` by somebody, or ``gone``: the receiver has answered 410.
    """

    webhook_id: str
    name: str
    url: str
    topics: tuple[Kind, ...]
    state: State
    created_at: datetime
    created_by: str
    changed_at: datetime
    paused_because: Literal["asked", "gone"] | None = None
    failing_since: datetime | None = None
    failures: int
    last_error: str | None = None
    due_at: datetime | None = None
    deliveries: int
    events: int
    failed_attempts: int
    lost: int
    delivered_at: datetime | None = None
    behind: int
    former_secret_until: datetime | None = None

    @classmethod
    def of(cls, hook: Webhook) -> Self:
        """The view of a webhook."""
        known = {name: getattr(hook, name) for name in cls.model_fields if name != "state"}
        return cls(state=_state(hook), **known)


def _state(hook: Webhook) -> State:
    if hook.paused_at is not None:
        return "paused"
    return "active" if hook.failing_since is None else "failing"


class WebhookMade(Event):
    """A new webhook with its secret, which is not shown again."""

    webhook: WebhookView
    secret: str


class Webhooks(Event):
    """All webhooks, in the order of their making."""

    items: tuple[WebhookView, ...]


class SecretMade(Event):
    """A webhook's new secret, which is not shown again. Until then what is sent is signed with the former one, too."""

    secret: str
    former_valid_until: datetime


class TrialAnswer(Event):
    """How a receiver has answered an event that says nothing."""

    taken: bool
    status: int | None = None
    error: str | None = None
    milliseconds: int


class AttemptView(Event):
    """An attempt to deliver a batch of so many events. The same batch has the same ``delivery_id``."""

    delivery_id: str
    attempted_at: datetime
    events: int
    taken: bool
    status: int | None = None
    error: str | None = None
    milliseconds: int

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """The view of an attempt."""
        return cls(**vars(attempt))


class Attempts(Event):
    """The latest attempts of a webhook, the latest first."""

    items: tuple[AttemptView, ...]
