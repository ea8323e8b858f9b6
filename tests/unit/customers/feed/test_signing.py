"""Signatures of what is delivered to webhooks."""

import hashlib
import hmac

from services.customers.feed.signing import secret, signature

_KEY = bytes(range(32))


def test_a_receiver_can_check_a_signature_with_what_it_was_given() -> None:
    """As docs/integration.md tells it to."""
    given = secret(_KEY, "w-1", 1)
    at, _, signed = signature(b'[{"id":"1"}]', [given], 1_700_000_000).partition(",")
    expected = hmac.new(given.encode(), b'1700000000.[{"id":"1"}]', hashlib.sha256).hexdigest()
    assert (at, signed) == ("t=1700000000", f"v1={expected}")


def test_while_a_secret_is_replaced_both_sign() -> None:
    new, former = secret(_KEY, "w-1", 2), secret(_KEY, "w-1", 1)
    both = signature(b"[]", [new, former], 5).split(",")
    assert both == [*signature(b"[]", [new], 5).split(","), signature(b"[]", [former], 5)[4:]]


def test_secrets_are_the_services_the_webhooks_and_the_numbers() -> None:
    """So nothing of them must be kept, and a new number is a new secret."""
    asked = [(_KEY, "w-1", 1), (_KEY, "w-1", 2), (_KEY, "w-2", 1), (bytes(32), "w-1", 1)]
    secrets = [secret(*one) for one in asked]
    assert len({*secrets}) == len(asked)
    assert secrets == [secret(*one) for one in asked]
    assert all(one.startswith("whsec_") and len(one) == 49 for one in secrets)


def test_another_time_or_body_has_another_signature() -> None:
    made = {signature(body, ["s"], at)[-64:] for body in (b"[]", b"[1]") for at in (1, 2)}
    assert len(made) == 4
