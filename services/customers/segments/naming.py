"""Ids made from names."""

import re
from hashlib import blake2b

_OTHERS = re.compile(r"[^a-z0-9]+")
_LONGEST = 40


def segment_id_of(prefix: str, name: str) -> str:
    """An id for what the name says: its letters and digits, or where others were left out, a hash behind them."""
    plain = _OTHERS.sub("-", name.lower()).strip("-")[:_LONGEST].rstrip("-")
    if plain == name.lower().replace(" ", "-"):
        return f"{prefix}-{plain}"
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    return "-".join(part for part in (prefix, plain, digest) if part)
