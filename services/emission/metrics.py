"""Every metric of emission's own. Labels are bounded: never an id, never personal data."""

from prometheus_client import Counter

# Posting (posting.py).
CODES_POSTED = Counter("tillstream_codes_posted_total", "Codes made, kept and published.")

# Codes on request (issuing.py).
CODE_REQUESTS = Counter(
    "tillstream_code_requests_total",
    "Requests for a personal code by their answer: issued, or why there is none.",
    ["answer"],
)
for _answer in (
    "issued",
    "no_such_emission",
    "not_personal",
    "not_posted",
    "ended",
    "erased",
):
    CODE_REQUESTS.labels(_answer)

# Signing in (sign_in.py).
SIGN_INS = Counter(
    "tillstream_sign_ins_total", "Attempts to sign in: signed_in, wrong, locked_out.", ["result"]
)
for _result in (
    "signed_in",
    "wrong",
    "locked_out",
):  # there before the first: a rise from nothing is not seen
    SIGN_INS.labels(_result)
