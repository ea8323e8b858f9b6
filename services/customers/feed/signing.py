"""The signature of what is delivered, by which a receiver knows that it is ours, whole, and new.

``Tillstream-Signature: t=<seconds since 1970>,v1=<hex>``: the HMAC-SHA256 of ``<t>.<body>`` with the webhook's secret. While
a secret is being replaced there are two of them. Secrets are kept nowhere: they are derived from the service's key, the webhook's
id, which is random, and a number that rises with each new one.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence

SIGNATURE_HEADER = "Tillstream-Signature"
_PREFIX = "whsec_"
_PURPOSE = b"webhook secret"


def secret(key: bytes, webhook_id: str, number: int) -> str:
    """A webhook's secret of that number, as its receiver is given it."""
    digest = hmac.digest(key, b"%s:%s:%d" % (_PURPOSE, webhook_id.encode(), number), "sha256")
    return _PREFIX + urlsafe_b64encode(digest).decode().rstrip("=")


def signature(body: bytes, secrets: Sequence[str], at_s: int) -> str:
    """The header's value for a body that is sent at ``at_s``, by each of the secrets."""
    signed = b"%d.%s" % (at_s, body)
    made = (hmac.digest(one.encode(), signed, "sha256").hex() for one in secrets)
    return ",".join([f"t={at_s}", *(f"v1={one}" for one in made)])
