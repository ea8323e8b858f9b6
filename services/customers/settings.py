"""Settings of the customers service."""

from ipaddress import ip_network

from pydantic import SecretStr, field_validator

from services.customers.forecast.training import NIGHTLY
from shared.settings import ServiceSettings

_KEY_BYTES = 32


class Settings(ServiceSettings):
    """``customers_key`` (32 bytes, hex): what webhooks' secrets and the hashes of erased customers are made with.

    ``webhook_networks`` (networks or addresses, separated by commas) are the private ones that webhooks may be in;
    without any, webhooks are on the internet only. ``forecast_at`` (crontab, UTC) is when the models of the next
    purchase are trained.
    """

    customers_key: SecretStr
    webhook_networks: str = ""
    forecast_at: str = NIGHTLY

    @field_validator("customers_key")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        if len(bytes.fromhex(value.get_secret_value())) != _KEY_BYTES:
            message = f"must be {_KEY_BYTES} bytes in hex"
            raise ValueError(message)
        return value

    @field_validator("webhook_networks")
    @classmethod
    def _private(cls, value: str) -> str:
        return ",".join(str(ip_network(one)) for one in value.replace(",", " ").split())

    @property
    def key(self) -> bytes:
        """``customers_key`` as bytes."""
        return bytes.fromhex(self.customers_key.get_secret_value())
