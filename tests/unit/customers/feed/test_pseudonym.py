"""What is kept of an erased customer's id."""

from services.customers.feed.pseudonym import BYTES, pseudonym

_KEY, _OTHER = bytes(32), bytes(31) + b"\x01"


def test_a_customer_is_known_again_by_who_has_the_key() -> None:
    assert pseudonym(_KEY, "c-1") == pseudonym(_KEY, "c-1")
    assert pseudonym(_KEY, "c-1") != pseudonym(_KEY, "c-2")


def test_without_the_key_an_id_cannot_be_tried() -> None:
    """Ids may be short numbers: all of them are soon hashed."""
    assert pseudonym(_KEY, "c-1") != pseudonym(_OTHER, "c-1")


def test_the_hash_has_nothing_of_the_id() -> None:
    found = pseudonym(_KEY, "customer-123")
    assert len(found) == BYTES
    assert b"123" not in found
