"""Every topic: its event, its key, its partitions and how long it is kept.

The key is what order and deduplication are about. Checkout and decision topics are keyed by
terminal (store + till): the order in which a till sends is the order that matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.events.checkout import Cart, Return, Sale
from shared.events.customers import (
    Alert,
    Block,
    CodeIssued,
    CodeRequest,
    Erased,
    Erasure,
    Offer,
    Profile,
)
from shared.events.outcome import (
    BonusEntry,
    CodeAttempt,
    Decision,
    Receipt,
    Redemption,
    Returned,
)
from shared.events.promotion import Campaign
from shared.events.reference import CodeChunk, Customer, Product, SegmentChange, Store
from shared.events.values import Event

_DAY_MS = 24 * 3600 * 1000
_COMPACTED = {"cleanup.policy": "compact"}
# The broker must come to what is deleted within a week, however little is written: who is erased must be gone.
_COMPACTED_IN_TIME = {**_COMPACTED, "max.compaction.lag.ms": str(7 * _DAY_MS)}
_FOREVER = {"retention.ms": "-1"}
# As long as receipts are kept: what the ledger has can be added up again from its events.
_AS_RECEIPTS = {"retention.ms": str(400 * _DAY_MS)}
# Tills' clocks differ; what "read up to this time" means is the broker's clock.
_BROKER_TIME = {"message.timestamp.type": "LogAppendTime"}
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""What every topic takes: a campaign with many products is larger than Kafka's default of 1 MiB."""


@dataclass(frozen=True)
class Topic:
    """A topic and its contract.

    ``event_type`` is the CloudEvents type of its messages. ``public`` topics are written by tills:
    unknown fields are refused there and ignored elsewhere. A topic with ``dead_letters`` has a
    companion for what could not be used. ``others`` are further events on the topic, by their
    CloudEvents type.
    """

    name: str
    event: type[Event]
    event_type: str
    key: str
    description: str
    partitions: int = 4
    config: Mapping[str, str] = field(default_factory=dict)
    public: bool = False
    dead_letters: bool = True
    others: Mapping[str, type[Event]] = field(default_factory=dict)

    @property
    def events(self) -> Mapping[str, type[Event]]:
        """Every event on the topic, by its CloudEvents type."""
        return {self.event_type: self.event, **self.others}

    @property
    def topic_config(self) -> dict[str, str]:
        """What the topic is created with."""
        return {"max.message.bytes": str(MAX_MESSAGE_BYTES + 64 * 1024), **self.config}

    @property
    def dead_letter_name(self) -> str:
        """The topic for messages of this one that could not be used."""
        return dead_letter_name(self.name)


DEAD_LETTER_CONFIG = {
    "retention.ms": str(30 * _DAY_MS),
    "max.message.bytes": str(MAX_MESSAGE_BYTES + 64 * 1024),
}


def dead_letter_name(topic: str) -> str:
    """The dead-letter topic of ``topic``."""
    return f"{topic}.dlq"


CARTS = Topic(
    "checkout.carts.v1",
    Cart,
    "tillstream.checkout.cart.v1",
    "store_id:terminal_id",
    "Carts before payment: quotes, checkouts, cancels.",
    config={"retention.ms": str(7 * _DAY_MS), **_BROKER_TIME},
    public=True,
)
SALES = Topic(
    "checkout.sales.v1",
    Sale,
    "tillstream.checkout.sale.v1",
    "store_id:terminal_id",
    "Paid receipts, as the tills state them, and returns; a return's body says so (intent).",
    config={"retention.ms": str(7 * _DAY_MS), **_BROKER_TIME},
    public=True,
    others={"tillstream.checkout.return.v1": Return},
)
DECISIONS = Topic(
    "promo.decisions.v1",
    Decision,
    "tillstream.promo.decision.v1",
    "store_id:terminal_id",
    "The evaluator's answers to carts.",
)
REDEMPTIONS = Topic(
    "promo.redemptions.v1",
    Redemption,
    "tillstream.promo.redemption.v1",
    "store_id:terminal_id",
    "Every change of state of every redemption.",
    config=_AS_RECEIPTS,
)
RECEIPTS = Topic(
    "promo.sales.v1",
    Receipt,
    "tillstream.promo.receipt.v1",
    "store_id:terminal_id",
    "Each receipt once, clean, with device, region and redemptions.",
    config=_AS_RECEIPTS,
)
RETURNS = Topic(
    "promo.returns.v1",
    Returned,
    "tillstream.promo.returned.v1",
    "store_id:terminal_id",
    "Each return once: what comes back, what is refunded, what redemptions lose.",
    config=_AS_RECEIPTS,
)
ATTEMPTS = Topic(
    "promo.attempts.v1",
    CodeAttempt,
    "tillstream.promo.attempt.v1",
    "store_id:terminal_id",
    "Codes presented by callers that are locked out for guessing.",
)
BONUSES = Topic(
    "promo.bonuses.v1",
    BonusEntry,
    "tillstream.promo.bonus.v1",
    "customer_id",
    "Every movement of customers' bonus points.",
    config=_AS_RECEIPTS,
)
CAMPAIGNS = Topic(
    "promo.campaigns.v1",
    Campaign,
    "tillstream.promo.campaign.v1",
    "campaign_id",
    "The latest state of every campaign; its one partition's offset is the ruleset's version.",
    partitions=1,
    config=_COMPACTED,
)
CODES = Topic(
    "promo.codes.v1",
    CodeChunk,
    "tillstream.promo.codes.v1",
    "emission_id",
    "Keyed digests of posted promo codes, in chunks of 1,000. Those of live emissions are said again in time.",
    # Chunks name customers: whoever is erased is named no more by what is said again, and forgotten with the rest.
    config=_AS_RECEIPTS,
)
STORES = Topic(
    "reference.stores.v1",
    Store,
    "tillstream.reference.store.v1",
    "store_id",
    "The latest state of every store.",
    partitions=1,
    config=_COMPACTED,
)
PRODUCTS = Topic(
    "reference.products.v1",
    Product,
    "tillstream.reference.product.v1",
    "sku",
    "The latest state of every product; one without a value was taken out of the catalogue.",
    config=_COMPACTED,
)
CUSTOMERS = Topic(
    "reference.customers.v1",
    Customer,
    "tillstream.reference.customer.v1",
    "customer_id",
    "The latest groups and birthday of every customer.",
    config=_COMPACTED_IN_TIME,
)
SEGMENTS = Topic(
    "customers.segments.v1",
    SegmentChange,
    "tillstream.customers.segment.v1",
    "customer_id:segment_id",
    "Who entered and left which segment; the latest for the two is what counts.",
    config=_COMPACTED_IN_TIME,
)
PROFILES = Topic(
    "customers.profiles.v1",
    Profile,
    "tillstream.customers.profile.v1",
    "customer_id",
    "The latest profile of every customer.",
    config=_COMPACTED_IN_TIME,
)
OFFERS = Topic(
    "customers.offers.v1",
    Offer,
    "tillstream.customers.offer.v1",
    "customer_id",
    "Personal offers with their codes: to be sent, used, expired. Let none but the CRM read it.",
    config={"retention.ms": str(30 * _DAY_MS)},
)
ALERTS = Topic(
    "customers.alerts.v1",
    Alert,
    "tillstream.customers.alert.v1",
    "subject_kind:subject",
    "Suspicions of abuse, with their evidence; confirmed or dismissed by a person.",
    config={"retention.ms": str(90 * _DAY_MS)},
)
BLOCKS = Topic(
    "customers.blocks.v1",
    Block,
    "tillstream.customers.block.v1",
    "subject_kind:subject",
    "From whom promotions are withheld; the latest for a subject is what counts.",
    config=_COMPACTED_IN_TIME,
)
ERASURES = Topic(
    "customers.erasures.v1",
    Erasure,
    "tillstream.customers.erasure.v1",
    "customer_id",
    "Customers to be forgotten.",
    partitions=1,
    config={"retention.ms": str(7 * _DAY_MS)},
)
ERASED = Topic(
    "customers.erased.v1",
    Erased,
    "tillstream.customers.erased.v1",
    "erasure_id",
    "What each service has erased. No message has the customer's id.",
    partitions=1,
    config=_FOREVER,
)
CODE_REQUESTS = Topic(
    "emission.requests.v1",
    CodeRequest,
    "tillstream.emission.request.v1",
    "customer_id",
    "Personal codes that are asked for.",
    config={"retention.ms": str(7 * _DAY_MS)},
)
CODES_ISSUED = Topic(
    "emission.issued.v1",
    CodeIssued,
    "tillstream.emission.issued.v1",
    "customer_id",
    "The answers: personal codes. Let none but the customers service read it.",
    config={"retention.ms": str(7 * _DAY_MS)},
)

TOPICS = (
    CARTS,
    SALES,
    DECISIONS,
    REDEMPTIONS,
    RECEIPTS,
    RETURNS,
    BONUSES,
    ATTEMPTS,
    CAMPAIGNS,
    CODES,
    STORES,
    PRODUCTS,
    CUSTOMERS,
    SEGMENTS,
    PROFILES,
    OFFERS,
    ALERTS,
    BLOCKS,
    ERASURES,
    ERASED,
    CODE_REQUESTS,
    CODES_ISSUED,
)
BY_NAME = {topic.name: topic for topic in TOPICS}


def terminal_key(store_id: str, terminal_id: str) -> bytes:
    """The key of checkout and decision topics."""
    return f"{store_id}:{terminal_id}".encode()
