"""Which services the stack runs, and the environment each gets."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.process import Command
from deploy.local.state import Secrets

ROOT = Path(__file__).parents[2]
DEFAULT_PORTS = {"emission": 8801, "evaluator": 8802, "analytics": 8803, "customers": 8804}
SERVICES = tuple(DEFAULT_PORTS)
KAFKA, POSTGRES = "kafka", "postgres"
SERVERS = (POSTGRES, KAFKA)
# Never handed on: each service gets its own account and only the keys it needs.
_ADMINISTRATION = ("TILLSTREAM_POSTGRES", "TILLSTREAM_STATE")
_READY_WITHIN_S = 90.0
# As `shared.web.service` has it, which would load a web framework here.
_INSTANCE_HEADER = "X-Tillstream-Instance"


@dataclass(frozen=True)
class Service:
    """A service and the module that is its program."""

    name: str
    module: str

    @classmethod
    def parse(cls, text: str) -> "Service":
        """``name`` for ``services.<name>``, or ``name=module`` for a program of one's own.

        That program answers ``/readyz`` with its TILLSTREAM_INSTANCE in the header ``X-Tillstream-Instance``.
        """
        name, _, module = text.partition("=")
        if not name.isidentifier() or name in SERVERS:
            msg = f"{text!r} is no service: name one as `name` or `name=module`"
            raise StackError(msg)
        return cls(name, module or f"services.{name}")

    @property
    def role(self) -> str:
        """Whose database and keys it has: a second process of one of our services shares them."""
        package, _, service = self.module.rpartition(".")
        return service if package == "services" else self.name

    def command(self, environment: Mapping[str, str], port: int) -> Command:
        """How to run it."""
        url = f"http://{HOST}:{port}"

        async def ready() -> bool:
            return await answers(url, environment["TILLSTREAM_INSTANCE"])

        return Command(
            name=self.name,
            arguments=[sys.executable, "-m", self.module],
            environment=environment,
            ready=ready,
            address=url,
            directory=ROOT,
            ready_within_s=_READY_WITHIN_S,
        )


async def answers(url: str, instance: str) -> bool:
    """Whether the service at ``url`` says that it is ``instance`` and ready."""
    try:
        async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
            response = await client.get(f"{url}/readyz")
    except httpx.HTTPError:
        return False
    # Another stack's service may have the port.
    ours = response.headers.get(_INSTANCE_HEADER) == instance
    return ours and response.status_code == httpx.codes.OK


def database_dsn(admin: str, secrets: Secrets, service: str) -> str:
    """The connection of ``service``'s own role to its own database."""
    parts = urlsplit(admin)
    where = parts.netloc.rpartition("@")[2]
    account = f"{service}:{secrets.databases[service]}"
    return urlunsplit(parts._replace(netloc=f"{account}@{where}", path=f"/{service}"))


def environment(
    service: str,
    secrets: Secrets,
    *,
    kafka: str,
    admin: str,
    ports: Mapping[str, int],
    inherited: Mapping[str, str],
) -> dict[str, str]:
    """The environment of ``service``: its settings, and of the secrets those it needs.

    ``ports`` are those of all services, its own among them: their pages are one console.
    """
    own = {
        f"TILLSTREAM_{name.upper()}_URL": f"http://{HOST}:{port}"
        for name, port in ports.items()
        if name in SERVICES
    }
    own |= {
        "TILLSTREAM_KAFKA": kafka,
        "TILLSTREAM_DATABASE": database_dsn(admin, secrets, service),
        "TILLSTREAM_HTTP_HOST": HOST,
        "TILLSTREAM_HTTP_PORT": str(ports[service]),
        "TILLSTREAM_VERIFY_KEY": secrets.verify_key,
        "TILLSTREAM_INSTANCE": f"{service}-{secrets.id}",
        "PYTHONUNBUFFERED": "1",
    }
    if service == "emission":
        own["TILLSTREAM_SIGNING_KEY"] = secrets.signing_key
        own["TILLSTREAM_ADMIN_KEY"] = secrets.admin_key
        own["TILLSTREAM_ADMIN_PASSWORD"] = secrets.admin_password
        own["TILLSTREAM_CODE_CIPHER_KEY"] = secrets.code_cipher_key
    if service in ("emission", "evaluator"):
        own["TILLSTREAM_CODE_KEY"] = secrets.code_key
    if service == "customers":
        own["TILLSTREAM_CUSTOMERS_KEY"] = secrets.customers_key
        # What is tried on one machine is on it.
        own["TILLSTREAM_WEBHOOK_NETWORKS"] = "127.0.0.0/8,::1/128"
    kept = {name: value for name, value in inherited.items() if name not in _ADMINISTRATION}
    return {**kept, **own}


@dataclass(frozen=True)
class Plan:
    """What one stack runs."""

    servers: tuple[str, ...]
    services: tuple[Service, ...]
    own_kafka: str | None = None
    own_postgres: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every process, in the order of starting."""
        return (*self.servers, *(service.name for service in self.services))

    @property
    def databases(self) -> tuple[str, ...]:
        """Every service's database, also of those that are not run here: tests run them."""
        more = (service.role for service in self.services)
        return tuple(dict.fromkeys((*SERVICES, *more)))


def plan(
    only: Sequence[str] = (),
    services: Sequence[str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Plan:
    """What to run: everything, or ``only`` some of it, with ``services`` in place of the usual.

    A server given in ``environ`` (``TILLSTREAM_KAFKA``, ``TILLSTREAM_POSTGRES``) is not started.
    """
    known = [Service.parse(text) for text in (SERVICES if services is None else services)]
    names = {*SERVERS, *(service.name for service in known)}
    if unknown := sorted(set(only) - names):
        msg = f"no such process: {', '.join(unknown)}; there are {', '.join(sorted(names))}"
        raise StackError(msg)
    wanted = set(only) or names
    own = {
        KAFKA: environ.get("TILLSTREAM_KAFKA") or None,
        POSTGRES: environ.get("TILLSTREAM_POSTGRES") or None,
    }
    chosen = tuple(service for service in known if service.name in wanted)
    servers = tuple(name for name in SERVERS if name in wanted and own[name] is None)
    missing = [n for n in SERVERS if chosen and n not in servers and own[n] is None]
    if missing:
        msg = f"services need {' and '.join(missing)}: add it to --only"
        raise StackError(msg)
    return Plan(servers, chosen, own[KAFKA], own[POSTGRES])
