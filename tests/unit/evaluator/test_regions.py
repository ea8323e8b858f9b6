"""Where customers are, by their address: named, and forgotten."""

from datetime import UTC, date, timedelta
from pathlib import Path

import maxminddb
import msgspec
import pytest

from services.evaluator import answer, receipt, recording
from services.evaluator.guessing import address_hash
from services.evaluator.promotion import judge
from services.evaluator.receipt import decision_of
from services.evaluator.regions import NOWHERE, NoAddressError, Regions, Whereabouts
from shared.events.values import Channel
from tests import regions
from tests.builders import CODE_KEY, NOON, all_free, cart
from tests.unit.evaluator.test_receipt import (
    WELCOME,
    answered,
    circumstances,
    counters,
    paid,
    welcome,
)

DAY = date(2026, 12, 5)


@pytest.fixture
def known(tmp_path: Path) -> Regions:
    networks = {
        "203.0.113.0/24": regions.place("Ukraine", "Lviv Oblast"),
        "198.51.100.0/25": regions.place("Poland"),
        "198.51.100.128/25": {"country": {"names": {"de": "Nirgends"}}},
        "192.0.2.0/32": {"country": "odd", "subdivisions": ["odd"]},
    }
    return Regions.read(CODE_KEY, regions.write(tmp_path / "regions.mmdb", networks))


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("203.0.113.7", "Ukraine, Lviv Oblast"),
        (" 203.0.113.255 ", "Ukraine, Lviv Oblast"),
        ("198.51.100.127", "Poland"),
        ("198.51.100.128", None),
        ("192.0.2.0", None),
        ("192.0.2.1", None),
        ("2001:db8::1", None),
        (None, None),
    ],
)
def test_an_address_is_named_by_country_and_subdivision(
    known: Regions, address: str | None, region: str | None
) -> None:
    assert known.of(cart(channel="web"), address, DAY).region == region


@pytest.mark.parametrize(("channel", "named"), [("web", True), ("app", True), ("till", False)])
def test_who_stands_in_a_store_is_where_the_store_is(
    known: Regions, channel: Channel, named: bool
) -> None:
    assert (known.of(cart(channel=channel), "203.0.113.7", DAY) != NOWHERE) == named


def test_an_address_is_told_by_its_hash_of_the_day(known: Regions) -> None:
    def told(address: str, day: date = DAY) -> str | None:
        return known.of(cart(channel="web"), address, day).address

    assert told("203.0.113.7") == told(" 203.0.113.7 ")
    assert told("203.0.113.7") == address_hash("203.0.113.7", CODE_KEY, DAY)
    assert told("203.0.113.7") != told("203.0.113.8")
    assert told("203.0.113.7") != told("203.0.113.7", DAY + timedelta(days=1))


@pytest.mark.parametrize("said", ["", "203.0.113", "203.0.113.7, 10.0.0.1", "home"])
def test_what_is_no_address_is_refused_and_not_repeated(known: Regions, said: str) -> None:
    for database in (known, Regions(CODE_KEY)):
        with pytest.raises(NoAddressError) as error:
            database.of(cart(channel="web"), said, DAY)
        assert str(error.value) == ""
        assert error.value.__suppress_context__


def test_without_a_database_nobody_is_placed_and_addresses_are_told_apart_all_the_same() -> None:
    found = Regions.read(CODE_KEY, None).of(cart(channel="web"), "203.0.113.7", DAY)
    assert found == Whereabouts(None, address_hash("203.0.113.7", CODE_KEY, DAY))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "regions.mmdb"
    path.write_text("nothing")
    with pytest.raises(maxminddb.InvalidDatabaseError):
        Regions.read(CODE_KEY, path)


def test_a_decision_that_was_counted_elsewhere_is_made_again_to_the_byte() -> None:
    """The region of the store is what conditions ask for, the customer's is what is counted."""
    cart = welcome()
    at = NOON.astimezone(UTC)  # as the database's clock is
    told = msgspec.structs.replace(
        circumstances(cart), region="Ukraine, Lviv Oblast", now=at, expires_at=at
    )
    made = receipt.answer(cart, receipt.open_receipt(cart), told, counters())
    facts = recording.decode_facts(
        recording.encode_facts(recording.facts_of(told, made.free or {}))
    )
    assert (facts.region, facts.counted_in) == ("West", "Ukraine, Lviv Oblast")
    assert recording.basket_of(cart, facts).region == "West"
    key = receipt.event_key_of(made.decision.decision_id)
    again = recording.circumstances_of(cart, key, facts, WELCOME)
    decision = decision_of(cart, again, judge(again.considered, all_free))
    assert decision.region == made.decision.region == "Ukraine, Lviv Oblast"
    assert answer.encode(decision) == answer.encode(made.decision)


def test_a_sale_is_counted_where_its_cart_was() -> None:
    cart = welcome()
    known = answered(cart)
    assert known.decision is not None
    elsewhere = msgspec.structs.replace(
        known, decision=msgspec.structs.replace(known.decision, region="Poland")
    )
    event = paid()
    record = receipt.record(event, elsewhere, circumstances(event), counters()).record
    assert record.region == "Poland"
