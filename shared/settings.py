"""Settings, from the environment only; secrets are never printed."""

import re
from ipaddress import ip_network

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-fA-F:]+\](:[0-9]+)?")


class ServiceSettings(BaseSettings):
    """What every service needs; each adds its own. Environment names begin with ``TILLSTREAM_``.

    ``database`` is the DSN of the service's own role on its own database, ``verify_key`` the
    Ed25519 public key (PEM) of the tokens that emission signs. ``trusted_proxies`` (networks or addresses,
    separated by commas) are believed what they say of callers: their address, and whether it was HTTPS.

    ``emission_url``, ``evaluator_url``, ``analytics_url`` and ``customers_url`` are where a browser finds the services; none: all are
    where the page is, behind one proxy.
    """

    model_config = SettingsConfigDict(env_prefix="TILLSTREAM_", extra="ignore")

    kafka: str
    database: SecretStr
    http_host: str = "127.0.0.1"
    http_port: int
    verify_key: str
    log_level: str = "INFO"
    instance: str = "1"
    trusted_proxies: str = ""
    emission_url: str = ""
    evaluator_url: str = ""
    analytics_url: str = ""
    customers_url: str = ""

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        return ",".join(str(ip_network(one)) for one in value.replace(",", " ").split())

    @field_validator("emission_url", "evaluator_url", "analytics_url", "customers_url")
    @classmethod
    def _origins(cls, value: str) -> str:
        if value and not _ORIGIN.fullmatch(value):
            message = "give scheme, host and port only, as https://promotions.example.com"
            raise ValueError(message)
        return value

    @property
    def addresses(self) -> dict[str, str]:
        """Where a browser finds each service; "" = where the page is."""
        return {
            "emission": self.emission_url,
            "evaluator": self.evaluator_url,
            "analytics": self.analytics_url,
            "customers": self.customers_url,
        }
