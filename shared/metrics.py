"""Every metric that the plumbing exports. Labels are bounded: never an id, never personal data.

A service's own are in its ``metrics.py``; docs/operations.md lists all of them.
"""

from prometheus_client import Counter, Gauge, Histogram

# HTTP (shared.web.measured). One series per route, method and status that was met.
HTTP_SECONDS = Histogram(
    "tillstream_http_request_seconds",
    "From a request until its answer began: what a stream sends later is not waited for.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)

# Consumers (shared.consumer).
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

# What waits (shared.backlog), as the database has it: every instance says the same.
READ_UNTIL = (
    Gauge(  # a time, not an age: the age goes on growing while nothing moves, or nobody looks
        "tillstream_read_until_timestamp_seconds",
        "Everything that Kafka had by then has been applied.",
        ["consumer", "topic"],
    )
)
OUTBOX_ROWS = Gauge(
    "tillstream_outbox_rows", "Rows of the outbox that wait for the relay, counted up to 10,000."
)
OUTBOX_AGE = Gauge("tillstream_outbox_age_seconds", "How long the oldest row has been waiting.")

# The outbox's relay (shared.outbox).
SENT = Counter(
    "tillstream_outbox_sent_total", "Messages of the outbox acknowledged by Kafka.", ["topic"]
)
RELAY_RESTARTS = Counter("tillstream_relay_restarts_total", "Producers discarded after an error.")

# The process (shared.supervision, shared.database, shared.web.service).
TASK_RESTARTS = Counter(
    "tillstream_task_restarts_total", "Tasks begun again because a server was away.", ["task"]
)
POOL_CONNECTIONS = Gauge(
    "tillstream_pool_connections",
    "Connections to PostgreSQL, by pool: busy or idle.",
    ["pool", "state"],
)
POOL_SIZE = Gauge("tillstream_pool_size", "Connections that a pool may open.", ["pool"])
LOOP_DELAY = Histogram(
    "tillstream_loop_delay_seconds",
    "How late the event loop comes to a task that is due: what every request waits besides.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
