"""Settings, from the environment only; secrets are never printed."""

from ipaddress import ip_network

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What every service needs; each adds its own. Environment names begin with ``TILLSTREAM_``.

    ``database`` is the DSN of the service's own role on its own database, ``verify_key`` the
    Ed25519 public key (PEM) of the tokens that emission signs. ``trusted_proxies`` (networks or addresses,
    separated by commas) are believed what they say of callers: their address, and whether it was HTTPS.
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

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        return ",".join(str(ip_network(one)) for one in value.replace(",", " ").split())
