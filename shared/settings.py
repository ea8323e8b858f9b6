"""Settings, from the environment only; secrets are never printed."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What every service needs; each adds its own. Environment names begin with ``TILLSTREAM_``.

    ``database`` is the DSN of the service's own role on its own database, ``verify_key`` the
    Ed25519 public key (PEM) of the tokens that emission signs.
    """

    model_config = SettingsConfigDict(env_prefix="TILLSTREAM_", extra="ignore")

    kafka: str
    database: SecretStr
    http_host: str = "127.0.0.1"
    http_port: int
    verify_key: str
    log_level: str = "INFO"
    instance: str = "1"
