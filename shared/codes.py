"""How promo codes are compared: normalised, then as keyed digests (domain: Codes).

Emission makes codes and the evaluator recognises them; both must agree on this to the byte.
"""

import hmac
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

DIGEST_BYTES = 16
_LOOK_ALIKES = str.maketrans(
    "АВЕІКМНОРСТХУ", "ABEIKMHOPCTXY", " -\t\n\r\u00a0\u2010\u2011\u2012\u2013\u2014"
)


def normalise(code: str) -> str:
    """NFKC, upper case, no spaces or hyphens, Cyrillic look-alikes as Latin letters.

    What a scanner reads from a QR may be an address with ``code=``: then that is the code.
    """
    if "://" in code:
        given = parse_qs(urlsplit(code.strip()).query)
        code = next((values[0] for name, values in given.items() if name.lower() == "code"), code)
    return unicodedata.normalize("NFKC", code).upper().translate(_LOOK_ALIKES)


def digest(code: str, key: bytes) -> bytes:
    """The keyed digest (HMAC-SHA256, first 16 bytes) of a code as typed."""
    return hmac.digest(key, normalise(code).encode(), "sha256")[:DIGEST_BYTES]


def pack(digests: Iterable[bytes]) -> str:
    """Digests one after another, in base64: ``CodeChunk.digests``."""
    return b64encode(b"".join(digests)).decode()


def unpack(packed: str) -> list[bytes]:
    """The digests of a ``CodeChunk``. Raises ``ValueError`` when their length is not a multiple."""
    raw = b64decode(packed, validate=True)
    if len(raw) % DIGEST_BYTES:
        message = f"digests: {len(raw)} bytes are not a whole number of digests"
        raise ValueError(message)
    return [raw[i : i + DIGEST_BYTES] for i in range(0, len(raw), DIGEST_BYTES)]
