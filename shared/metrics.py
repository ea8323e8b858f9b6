"""Every metric that the plumbing exports. Labels are bounded: never an id, never personal data."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("tillstream_records_total", "Records applied.", ["consumer", "topic"])
DEAD_LETTERS = Counter(
    "tillstream_dead_letters_total", "Records that could not be used.", ["topic", "reason"]
)
REPEATED = Counter(
    "tillstream_repeated_total", "Records skipped: the relay had sent them before.", ["consumer"]
)
FENCED = Counter(
    "tillstream_fenced_total",
    "Batches rolled back: another consumer had the partition.",
    ["consumer"],
)
BATCH_SECONDS = Histogram(
    "tillstream_batch_seconds", "From reading a batch to its commit.", ["consumer"]
)
LAG = Gauge("tillstream_lag_records", "Records not yet applied.", ["consumer", "topic"])
SENT = Counter(
    "tillstream_outbox_sent_total", "Messages of the outbox acknowledged by Kafka.", ["topic"]
)
LEASES_OVERDUE = Gauge(
    "tillstream_leases_overdue", "Leases past their end that their stores have not returned."
)
RELAY_RESTARTS = Counter("tillstream_relay_restarts_total", "Producers discarded after an error.")
STALE_QUOTES = Counter(
    "tillstream_quotes_stale_total", "Quotes made from memory while PostgreSQL was away."
)
