"""Every metric of the evaluator's own. Labels are bounded: never an id, never personal data.

What the desk counts it counts as it decides: a batch that is rolled back and applied again counts
twice. These are for operators; the ledger is what counts.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from typing import get_args

from prometheus_client import Counter, Gauge

from services.evaluator.promotion.blocks import SubjectKind
from services.evaluator.redemption import Redemption
from shared.events.outcome import RedemptionStatus

# The desk, whoever brought the event.
EVENTS = Counter(
    "tillstream_events_total", "Events decided or recorded: cart, sale, return.", ["kind"]
)
REFUSED = Counter(
    "tillstream_events_refused_total",
    "Events that contradict what is known, by reason.",
    ["reason"],
)
REDEMPTIONS = Counter(
    "tillstream_redemptions_total", "Redemptions by the state that they have come to.", ["status"]
)
for _status in get_args(
    RedemptionStatus
):  # there before the first: a rise from nothing is not seen
    REDEMPTIONS.labels(_status)
LOCKED_OUT = Counter(
    "tillstream_locked_out_total",
    "Carts and quotes whose codes were not listened to: who sent them has tried too many.",
)
WITHHELD = Counter(
    "tillstream_withheld_total",
    "Carts and sales that got nothing, since their customer, device or cashier is blocked.",
    ["subject"],
)
for _kind in get_args(SubjectKind):
    WITHHELD.labels(_kind)

# Quotes.
STALE_QUOTES = Counter(
    "tillstream_quotes_stale_total", "Quotes made from memory while PostgreSQL was away."
)

# What time ends.
LEASES_OVERDUE = Gauge(
    "tillstream_leases_overdue", "Leases past their end that their stores have not returned."
)


def count_redemptions(moved: Iterable[Redemption]) -> None:
    """Count redemptions by their state."""
    for status, count in Tally([one.status for one in moved]).items():
        REDEMPTIONS.labels(status).inc(count)
