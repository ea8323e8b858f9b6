"""Every check of a run, each from its own source. Pure."""

from collections.abc import Callable, Iterable

from tests.faults import counts, deliveries, refunds
from tests.faults.evidence import Difference, Run

CHECKS: tuple[Callable[[Run], Iterable[Difference]], ...] = (
    counts.caps_hold,
    counts.no_hold_leaks,
    counts.the_ledger_is_what_was_said_of_it,
    counts.the_statistics_are_the_ledger,
    counts.the_statistics_are_the_tills,
    counts.what_was_decided_was_booked,
    counts.bonuses_balance,
    deliveries.every_acknowledged_sale_is_there_once,
    deliveries.punctual_sales_have_their_slots,
    deliveries.leased_slots_are_there,
    deliveries.one_question_has_one_answer,
    refunds.what_came_back_is_refunded_once,
    refunds.refunds_are_within_what_was_paid,
    refunds.the_rest_keeps_what_it_earns,
    deliveries.dead_letters_are_explained,
    deliveries.nothing_acknowledged_is_lost,
)


def differences(run: Run) -> list[Difference]:
    """All that is not as it must be."""
    return [difference for check in CHECKS for difference in check(run)]
