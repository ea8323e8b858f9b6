"""What is kept of an erased customer's id: a keyed hash, which says nothing without the key.

Ids may be as short as a card's number: a hash without a key could be turned back by trying them all.
"""

from hashlib import blake2b

BYTES = 16
_PURPOSE = b"erased customer"


def pseudonym(key: bytes, customer_id: str) -> bytes:
    """The hash of an id, 16 bytes: the same for the same key and id."""
    return blake2b(customer_id.encode(), key=key, digest_size=BYTES, person=_PURPOSE).digest()
