"""What the learnt score looks at of a subject: a few figures of its conduct, on scales that models like.

Pure. Counts are logarithms of one plus them, shares are 0 to 1, a rate is compared with what is usual for as many
receipts. The order of ``FEATURES`` is that of what is stored with labels: a new one comes last.
"""

from math import log1p

from services.customers.fraud import conduct as conducts
from services.customers.fraud.conduct import DAY_S, Conduct, Measure
from services.customers.fraud.rules import HOUR_S, MONTH_S, WEEK_S, Around, others

_COUNTS: tuple[tuple[Measure, int], ...] = (
    ("unknown_codes", HOUR_S),
    ("unknown_codes", WEEK_S),
    ("surplus_codes", DAY_S),
    ("foreign_codes", WEEK_S),
    ("foreign_codes", MONTH_S),
    ("lockouts", DAY_S),
    ("promo_returns", MONTH_S),
    ("code_returns", MONTH_S),
    ("returns", MONTH_S),
    ("quick_returns", WEEK_S),
    ("unauthorised", WEEK_S),
    ("code_receipts", HOUR_S),
    ("code_receipts", DAY_S),
    ("code_receipts", WEEK_S),
    ("promo_receipts", DAY_S),
    ("promo_receipts", MONTH_S),
    ("discount", WEEK_S),
)
_SHARES: tuple[tuple[Measure, Measure, int], ...] = (
    ("promo_returns", "promo_receipts", MONTH_S),
    ("code_returns", "code_receipts", MONTH_S),
    ("promo_returns", "returns", MONTH_S),
    ("code_receipts", "receipts", WEEK_S),
    ("unauthorised", "receipts", WEEK_S),
    ("quick_returns", "receipts", WEEK_S),
)
_RATES: tuple[tuple[Measure, int], ...] = (
    ("code_receipts", WEEK_S),
    ("unauthorised", WEEK_S),
    ("quick_returns", WEEK_S),
)
_PARTIES = (DAY_S, WEEK_S)
FEATURES: tuple[str, ...] = (
    *(f"{measure} in {window_s} s" for measure, window_s in _COUNTS),
    *(f"{measure} of {of} in {window_s} s" for measure, of, window_s in _SHARES),
    *(f"{measure} over usual in {window_s} s" for measure, window_s in _RATES),
    *(f"parties in {window_s} s" for window_s in _PARTIES),
    f"newcomers in {WEEK_S} s",
    "meetings",
)


def features(conduct: Conduct, end: int, around: Around) -> list[float]:
    """The figures of a conduct as it was at ``end`` (seconds since 1970), one for each of ``FEATURES``."""

    def total(measure: Measure, window_s: int) -> int:
        return conducts.total(conduct, measure, end, window_s)

    found = [log1p(total(measure, window_s)) for measure, window_s in _COUNTS]
    found += [
        min(total(measure, window_s) / max(total(of, window_s), 1), 1.0)
        for measure, of, window_s in _SHARES
    ]
    found += [_over_usual(conduct, measure, end, window_s, around) for measure, window_s in _RATES]
    found += [log1p(conducts.parties_met(conduct, end, window_s)) for window_s in _PARTIES]
    found.append(log1p(conducts.newcomers_met(conduct, end, WEEK_S)))
    found.append(log1p(conducts.most_met(conduct, end)))
    return found


def _over_usual(
    conduct: Conduct, measure: Measure, end: int, window_s: int, around: Around
) -> float:
    """By how much more (in logarithms) a store or cashier has of it than others would have; 0: no more."""
    base = conducts.total(conduct, "receipts", end, window_s)
    value = conducts.total(conduct, measure, end, window_s)
    usual = others(measure, (value, base), end, window_s, around) if base else None
    return 0.0 if usual is None else max(log1p(value) - log1p(usual), 0.0)
