"""Erasing a customer: what names one, and what is told of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.emission.copying import CopyOfEmission, copy_of_emission
from services.emission.erasure import known_by, names, report, was_asked_before
from services.emission.requests import refusal
from shared.events.customers import Erasure
from shared.events.reference import NOBODY
from tests.unit.emission.asked import HOUR, NOW, a_request, an_emission

ERASURE = Erasure(erasure_id="x1", customer_id="c-17", requested_at=NOW)


@pytest.mark.parametrize(
    "document",
    [
        "c-17",
        {"name": "for c-17 only"},
        {"name": "Gift (c-17)."},
        {"customers": ["a", "c-17"]},
        {"conditions": [{"kind": "any", "conditions": [{"about": "c-17,c-18"}]}]},
        {"c-17": True},
        {"about": "первый: c-17\nдругой: c-18"},
    ],
)
def test_a_document_names_a_customer_wherever_the_id_is_a_word(document: Any) -> None:
    assert names(document, "c-17")


@pytest.mark.parametrize(
    "document",
    [{"name": "c-170"}, {"name": "abc-17"}, {"name": "c-17-2"}, {"count": 17}, {}, None, "C-17"],
)
def test_an_id_within_another_word_is_somebody_else(document: Any) -> None:
    assert not names(document, "c-17")


@given(st.from_regex(r"[A-Za-z0-9@+][A-Za-z0-9@+._:()-]{0,63}", fullmatch=True))
def test_any_id_is_found_in_a_sentence(customer_id: str) -> None:
    assert names({"about": [f"for {customer_id}, and others"]}, customer_id)


def test_who_was_erased_is_known_by_a_keyed_digest() -> None:
    digests = {known_by(c, key) for c in ("c-17", "c-18") for key in (b"k" * 32, b"l" * 32)}
    assert len(digests) == 4
    assert all(len(one) == 32 for one in digests)


def test_what_was_asked_for_before_is_refused_and_what_is_asked_for_later_is_not() -> None:
    assert was_asked_before(NOW - HOUR, NOW)
    assert was_asked_before(NOW + timedelta(seconds=59), NOW)  # clocks differ
    assert not was_asked_before(NOW + timedelta(seconds=61), NOW)
    asked = a_request()

    def reason(erased: datetime | None, *, is_posted: bool = True) -> str | None:
        return refusal(asked, an_emission(), is_posted=is_posted, now=NOW, erased=erased)

    assert reason(NOW + HOUR) == "erased"
    assert reason(NOW + HOUR, is_posted=False) == "erased"
    assert reason(NOW - HOUR) is None
    assert reason(None) is None


def test_the_report_says_what_was_deleted_what_is_kept_and_what_ages_out() -> None:
    done = report(ERASURE, {"birthdays": 1}, {"code_holders": 2}, "reference.customers.v1", NOW)
    assert (done.erasure_id, done.service, done.erased_at) == ("x1", "emission", NOW)
    assert [(t.table, t.deleted, t.anonymised) for t in done.tables] == [
        ("birthdays", 1, 0),
        ("code_holders", 0, 2),
    ]
    assert done.tombstones == ("reference.customers.v1",)
    assert "promo.codes.v1" in done.ages_out
    assert "c-17" not in done.model_dump_json()
    nothing = report(ERASURE, {"birthdays": 1}, {"code_holders": 0}, "reference.customers.v1", NOW)
    assert "promo.codes.v1" not in nothing.ages_out
    assert "emission.issued.v1" in nothing.ages_out


def test_a_copy_has_codes_for_those_who_are_left_and_no_more() -> None:
    batch = an_emission(count=5)
    copy = copy_of_emission(batch, ["a", NOBODY, "b", NOBODY], CopyOfEmission(emission_id="e2"))
    assert (copy.customers, copy.count) == (("a", "b"), 3)
    alone = copy_of_emission(an_emission(count=1), [NOBODY], CopyOfEmission(emission_id="e2"))
    assert (alone.customers, alone.count) == (None, 0)
