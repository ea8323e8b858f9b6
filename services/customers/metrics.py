"""The metrics of the customers service; docs/operations.md lists them."""

from prometheus_client import Counter, Gauge

LOOKED_AT = Counter(
    "tillstream_customers_looked_at_total",
    "Customers whose segments and profile were looked at: they did something, or time has changed something.",
)
OVERDUE = Gauge(
    "tillstream_customers_overdue_seconds",
    "How long the customer has been waiting who is due to be looked at for the longest.",
)
