"""The metrics of the customers service; docs/operations.md lists them."""

from prometheus_client import Counter, Gauge

from services.customers.fraud.rules import DEFAULTS

LOOKED_AT = Counter(
    "tillstream_customers_looked_at_total",
    "Customers whose segments and profile were looked at: they did something, or time has changed something.",
)
OFFERS = Counter(
    "tillstream_offers_total",
    "Offers by what became of them: requested, issued, offered, used, expired, refused, withdrawn, held_back.",
    ["status"],
)
_STATUSES = "requested issued offered used expired refused withdrawn held_back"
for _status in _STATUSES.split():  # there before the first: a rise from nothing is not seen
    OFFERS.labels(_status)
OFFERS_OVERDUE = Gauge(
    "tillstream_offers_overdue_seconds",
    "For how long the oldest offer has been due with which something is to be done.",
)
OVERDUE = Gauge(
    "tillstream_customers_overdue_seconds",
    "How long the customer has been waiting who is due to be looked at for the longest.",
)

# Webhooks (services.customers.feed).
WEBHOOKS = Gauge(
    "tillstream_webhooks",
    "Webhooks by state: active, failing, paused. The instance that delivers says so.",
    ["state"],
)
WEBHOOK_ATTEMPTS = Counter(
    "tillstream_webhook_attempts_total", "Batches sent to webhooks: taken, failed.", ["outcome"]
)
for _outcome in ("taken", "failed"):
    WEBHOOK_ATTEMPTS.labels(_outcome)
WEBHOOK_EVENTS = Counter("tillstream_webhook_events_total", "Events that webhooks have taken.")

# Exports (services.customers.http).
EXPORTED = Counter("tillstream_exported_customers_total", "Customers written into exports.")

# Fraud (services.customers.fraud).
ALERTS = Counter("tillstream_alerts_total", "Alerts of abuse that were raised, by rule.", ["rule"])
for _rule in DEFAULTS:
    ALERTS.labels(_rule.rule)
ALERTS_OPEN = Gauge(
    "tillstream_alerts_open",
    "Alerts of abuse that nobody has confirmed or dismissed yet, by severity: low, medium, high.",
    ["severity"],
)
BLOCKS = Gauge(
    "tillstream_blocks",
    "Customers, devices and cashiers from whom promotions are withheld.",
    ["kind"],
)
SCORE_LABELS = Gauge(
    "tillstream_score_labels",
    "Alerts that the learnt score has learnt from, by what was said of them: confirmed, dismissed; 0: there is no score.",
    ["said"],
)

# Forecasts (services.customers.forecast).
FORECAST_TRAINED_AT = Gauge(
    "tillstream_forecast_trained_timestamp_seconds",
    "When the models of the next purchase were last trained with success; before that, when it was first tried; 0: never.",
)
FORECAST_SECONDS = Gauge(
    "tillstream_forecast_training_seconds", "How long the last successful training took."
)
FORECAST_ERROR_RATIO = Gauge(
    "tillstream_forecast_error_ratio",
    "Mean absolute error of the model in use, to that of the running mean, on the rolling backtest.",
)
