"""Requests for personal codes: whether there is one, until when, and which leave together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.emission.codes import NewEmission
from services.emission.requests import answer, fingerprint, refusal, shares, until
from shared.events.customers import CodeRequest
from shared.events.reference import CODES_PER_CHUNK

NOW = datetime(2026, 12, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _request(number: int = 1, **fields: Any) -> CodeRequest:
    known: dict[str, Any] = {
        "request_id": f"r{number}",
        "emission_id": "e1",
        "customer_id": f"c{number}",
        "valid_until": NOW + HOUR,
        "requested_at": NOW,
    }
    return CodeRequest(**(known | fields))


def _emission(**fields: Any) -> NewEmission:
    known: dict[str, Any] = {"emission_id": "e1", "name": "E", "kind": "personal", "count": 0}
    return NewEmission(**(known | fields))


WORD = _emission(kind="mass", count=None, word="FRIDAY")


@pytest.mark.parametrize(
    ("emission", "is_posted", "reason"),
    [
        (_emission(), True, None),
        (_emission(count=1_000), True, None),
        (None, False, "no_such_emission"),
        (WORD, True, "not_personal"),
        (_emission(), False, "not_posted"),
        (_emission(valid_until=NOW), True, "ended"),
        (_emission(valid_until=NOW + HOUR / 2), True, None),
        (_emission(valid_from=NOW + HOUR), True, "ended"),
        (_emission(valid_from=NOW + HOUR / 2), True, None),
    ],
)
def test_a_code_is_made_of_a_posted_personal_emission_while_it_can_be_used(
    emission: NewEmission | None, is_posted: bool, reason: str | None
) -> None:
    assert refusal(_request(), emission, is_posted=is_posted, now=NOW) == reason


def test_no_code_is_made_for_a_time_that_is_over() -> None:
    late = _request(valid_until=NOW)
    assert refusal(late, _emission(), is_posted=True, now=NOW) == "ended"
    assert refusal(late, _emission(), is_posted=True, now=NOW - HOUR) is None


def test_a_code_ends_with_its_emission_if_not_before() -> None:
    assert until(_request(), _emission()) == NOW + HOUR
    assert until(_request(), _emission(valid_until=NOW + HOUR / 2)) == NOW + HOUR / 2
    assert until(_request(), _emission(valid_until=NOW + 2 * HOUR)) == NOW + HOUR


def test_codes_that_end_together_leave_together() -> None:
    later = NOW + 2 * HOUR
    asked = [_request(1), _request(2, valid_until=later), _request(3)]
    found = [(one.valid_until, one.requests) for one in shares(asked, _emission())]
    assert found == [(NOW + HOUR, (asked[0], asked[2])), (later, (asked[1],))]
    # All end with the emission.
    [together] = shares(asked, _emission(valid_until=NOW + HOUR))
    assert together.requests == tuple(asked)


def test_no_chunk_has_more_codes_than_a_chunk_may() -> None:
    asked = [_request(number) for number in range(2 * CODES_PER_CHUNK + 1)]
    found = list(shares(asked, _emission()))
    assert [len(one.requests) for one in found] == [CODES_PER_CHUNK, CODES_PER_CHUNK, 1]
    assert [request for one in found for request in one.requests] == asked


def test_an_answer_has_a_code_or_says_why_not() -> None:
    emission = _emission(valid_until=NOW + HOUR / 2)
    given = answer(_request(), emission, NOW, code="AB-1")
    assert (given.request_id, given.customer_id, given.code) == ("r1", "c1", "AB-1")
    assert (given.valid_until, given.issued_at) == (NOW + HOUR / 2, NOW)
    refused = answer(_request(), None, NOW, refused="no_such_emission")
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
    assert fingerprint(_request()) == fingerprint(_request())
    assert fingerprint(_request()) != fingerprint(_request(**other))
