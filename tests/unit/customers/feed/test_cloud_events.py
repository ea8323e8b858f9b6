"""What is delivered to webhooks."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.customers.feed.cloud_events import MOST_BYTES, MOST_EVENTS, batch, trial
from shared.codec import cloud_event_headers
from shared.topics import PROFILES, SEGMENTS

_AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
_STARTS = {(PROFILES.name, 0): 5, (PROFILES.name, 1): 0, (SEGMENTS.name, 0): 7}


@dataclass
class Sent:
    offset: int
    value: bytes | None = b'{"customer_id":"c-1","version":3}'
    topic: str = PROFILES.name
    partition: int = 0
    key: bytes | None = b"c-1"
    headers: Any = field(
        default_factory=lambda: cloud_event_headers("p-1", PROFILES.event_type, "/customers", _AT)
    )


def test_an_event_is_a_cloud_event_with_the_message_as_its_data() -> None:
    made = batch([Sent(5)], _STARTS)
    assert json.loads(made.body) == [
        {
            "specversion": "1.0",
            "id": "p-1",
            "source": "/customers",
            "type": "tillstream.customers.profile.v1",
            "subject": "c-1",
            "time": "2026-05-01T12:00:00+00:00",
            "datacontenttype": "application/json",
            "data": {"customer_id": "c-1", "version": 3},
        }
    ]


def test_the_message_is_passed_on_byte_by_byte() -> None:
    """Numbers are not read and written again."""
    said = b'{"n":1.10, "m":12345678901234567890}'
    assert b'"data":' + said in batch([Sent(5, said)], _STARTS).body


def test_what_is_to_be_forgotten_has_no_data() -> None:
    [event] = json.loads(batch([Sent(5, None)], _STARTS).body)
    assert (event["subject"], event["data"]) == ("c-1", None)


def test_a_batch_says_how_far_it_goes() -> None:
    sent = [Sent(5), Sent(9), Sent(3, partition=1), Sent(7, topic=SEGMENTS.name)]
    made = batch(sent, _STARTS)
    assert (made.records, made.events) == (4, 4)
    assert [tuple(one) for one in made.moves] == [
        (PROFILES.name, 0, 5, 10),
        (PROFILES.name, 1, 0, 4),
        (SEGMENTS.name, 0, 7, 8),
    ]


def test_the_same_records_are_the_same_delivery() -> None:
    first, again = batch([Sent(5), Sent(6)], _STARTS), batch([Sent(5), Sent(6)], _STARTS)
    assert first.delivery_id("w") == again.delivery_id("w")
    others = {
        first.delivery_id("w"),
        first.delivery_id("v"),
        batch([Sent(5)], _STARTS).delivery_id("w"),
        batch([Sent(6)], _STARTS | {(PROFILES.name, 0): 6}).delivery_id("w"),
    }
    assert len(others) == 4


def test_so_many_events_go_at_once_and_the_rest_waits() -> None:
    made = batch([Sent(5 + n) for n in range(MOST_EVENTS + 1)], _STARTS)
    assert (made.records, made.events) == (MOST_EVENTS, MOST_EVENTS)
    assert len(json.loads(made.body)) == MOST_EVENTS
    assert made.moves[0].end == 5 + MOST_EVENTS


def test_so_many_bytes_go_at_once_but_for_an_event_that_is_larger_alone() -> None:
    large = json.dumps({"x": "y" * (MOST_BYTES * 2 // 3)}).encode()
    huge = json.dumps({"x": "y" * (MOST_BYTES + 1)}).encode()
    assert batch([Sent(5, large), Sent(6, large)], _STARTS).records == 1
    assert batch([Sent(5, huge), Sent(6)], _STARTS).records == 1
    assert batch([Sent(5), Sent(6, huge)], _STARTS).records == 1


def test_what_is_not_json_is_passed_over() -> None:
    """No receiver could take it, and all behind it would wait for ever."""
    made = batch([Sent(5, b"{"), Sent(6), Sent(7, b"\xff")], _STARTS)
    assert (made.records, made.events, made.moves[0].end) == (3, 1, 8)
    alone = batch([Sent(5, b"{")], _STARTS)
    assert (alone.body, alone.events, alone.moves[0].end) == (b"[]", 0, 6)


def test_a_message_without_headers_is_an_event_all_the_same() -> None:
    """A topic may be filled by hand."""
    [event] = json.loads(batch([Sent(5, headers=())], _STARTS).body)
    assert event["id"] == "0-5"
    assert event["type"] == PROFILES.event_type


def test_a_receiver_can_be_tried_with_an_event_that_says_nothing() -> None:
    [event] = json.loads(trial("w-1", _AT))
    assert (event["type"], event["data"]) == ("tillstream.webhook.test.v1", {})
    assert trial("w-1", _AT) == trial("w-1", _AT)
