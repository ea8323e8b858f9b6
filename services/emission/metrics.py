"""Every metric of emission's own. Labels are bounded: never an id, never personal data."""

from prometheus_client import Counter

# Posting (posting.py).
CODES_POSTED = Counter("tillstream_codes_posted_total", "Codes made, kept and published.")
