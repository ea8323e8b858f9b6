"""The metrics of the customers service; docs/operations.md lists them."""

from prometheus_client import Counter

LOOKED_AT = Counter(
    "tillstream_customers_looked_at_total",
    "Customers whose segments and profile were looked at: they did something, or time has changed something.",
)
