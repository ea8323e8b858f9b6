"""Every metric of analytics' own. Labels are bounded: never an id, never personal data."""

from prometheus_client import Counter, Gauge, Histogram

# Live dashboards (live.py).
OPEN_DASHBOARDS = Gauge("tillstream_dashboards_open", "Dashboards that are watched now.")
READING_SECONDS = Histogram(
    "tillstream_reading_seconds",
    "What reading one question of the open dashboards takes, its turn awaited.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0),
)
READINGS_FAILED = Counter(
    "tillstream_readings_failed_total", "Questions of open dashboards that could not be read."
)
