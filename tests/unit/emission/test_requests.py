"""Requests for personal codes: whether there is one, until when, and which leave together."""

from typing import Any

import pytest

from services.emission.codes import NewEmission
from services.emission.requests import answer, fingerprint, refusal, shares, until
from shared.events.reference import CODES_PER_CHUNK
from tests.unit.emission.asked import HOUR, NOW, a_request, an_emission

WORD = an_emission(kind="mass", count=None, word="FRIDAY")


@pytest.mark.parametrize(
    ("emission", "is_posted", "reason"),
    [
        (an_emission(), True, None),
        (an_emission(count=1_000), True, None),
        (None, False, "no_such_emission"),
        (WORD, True, "not_personal"),
        (an_emission(), False, "not_posted"),
        (an_emission(valid_until=NOW), True, "ended"),
        (an_emission(valid_until=NOW + HOUR / 2), True, None),
        (an_emission(valid_from=NOW + HOUR), True, "ended"),
        (an_emission(valid_from=NOW + HOUR / 2), True, None),
    ],
)
def test_a_code_is_made_of_a_posted_personal_emission_while_it_can_be_used(
    emission: NewEmission | None, is_posted: bool, reason: str | None
) -> None:
    assert refusal(a_request(), emission, is_posted=is_posted, now=NOW) == reason


def test_no_code_is_made_for_a_time_that_is_over() -> None:
    late = a_request(valid_until=NOW)
    assert refusal(late, an_emission(), is_posted=True, now=NOW) == "ended"
    assert refusal(late, an_emission(), is_posted=True, now=NOW - HOUR) is None


def test_a_code_ends_with_its_emission_if_not_before() -> None:
    assert until(a_request(), an_emission()) == NOW + HOUR
    assert until(a_request(), an_emission(valid_until=NOW + HOUR / 2)) == NOW + HOUR / 2
    assert until(a_request(), an_emission(valid_until=NOW + 2 * HOUR)) == NOW + HOUR


def test_codes_that_end_together_leave_together() -> None:
    later = NOW + 2 * HOUR
    asked = [a_request(1), a_request(2, valid_until=later), a_request(3)]
    found = [(one.valid_until, one.requests) for one in shares(asked, an_emission())]
    assert found == [(NOW + HOUR, (asked[0], asked[2])), (later, (asked[1],))]
    # All end with the emission.
    [together] = shares(asked, an_emission(valid_until=NOW + HOUR))
    assert together.requests == tuple(asked)


def test_no_chunk_has_more_codes_than_a_chunk_may() -> None:
    asked = [a_request(number) for number in range(2 * CODES_PER_CHUNK + 1)]
    found = list(shares(asked, an_emission()))
    assert [len(one.requests) for one in found] == [CODES_PER_CHUNK, CODES_PER_CHUNK, 1]
    assert [request for one in found for request in one.requests] == asked


def test_an_answer_has_a_code_or_says_why_not() -> None:
    emission = an_emission(valid_until=NOW + HOUR / 2)
    given = answer(a_request(), emission, NOW, code="AB-1")
    assert (given.request_id, given.customer_id, given.code) == ("r1", "c1", "AB-1")
    assert (given.valid_until, given.issued_at) == (NOW + HOUR / 2, NOW)
    refused = answer(a_request(), None, NOW, refused="no_such_emission")
    assert (refused.code, refused.refused) == (None, "no_such_emission")
    assert refused.valid_until == NOW + HOUR


@pytest.mark.parametrize(
    "other",
    [
        {"customer_id": "c2"},
        {"emission_id": "e2"},
        {"valid_until": NOW + 2 * HOUR},
        {"requested_at": NOW - HOUR},
    ],
)
def test_another_request_is_known_by_its_id_being_used_for_something_else(
    other: dict[str, Any],
) -> None:
    assert fingerprint(a_request()) == fingerprint(a_request())
    assert fingerprint(a_request()) != fingerprint(a_request(**other))
