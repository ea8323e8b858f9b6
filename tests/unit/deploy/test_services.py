"""What is run, and which secrets each service gets."""

import pytest

from deploy.local.errors import StackError
from deploy.local.services import Service, database_dsn, environment, plan
from deploy.local.state import Secrets

_SECRETS = Secrets.generate().completed(["emission", "evaluator", "analytics", "customers"])
_PORTS = {"emission": 80, "evaluator": 81, "analytics": 82, "customers": 84, "mine": 83}
_ADMIN = "postgresql://postgres:top@db.example:5432/postgres?sslmode=require"


def _environment(service: str, **inherited: str) -> dict[str, str]:
    return environment(
        service, _SECRETS, kafka="k:1", admin=_ADMIN, ports=_PORTS, inherited=inherited
    )


def test_everything_runs_by_default() -> None:
    """Servers first."""
    names = plan(environ={}).names
    assert names == ("postgres", "kafka", "emission", "evaluator", "analytics", "customers")


def test_only_some_are_run() -> None:
    """Every service has its database all the same, for tests that run it themselves."""
    some = plan(["kafka", "postgres"], environ={})
    assert some.names == ("postgres", "kafka")
    assert some.databases == ("emission", "evaluator", "analytics", "customers")


def test_a_server_of_ones_own_is_not_started() -> None:
    """Its address comes from the environment."""
    own = plan(environ={"TILLSTREAM_KAFKA": "broker:9092", "TILLSTREAM_POSTGRES": _ADMIN})
    assert own.servers == ()
    assert own.own_kafka == "broker:9092"


@pytest.mark.parametrize(
    ("only", "said"),
    [(["kafak"], "no such process: kafak"), (["emission", "kafka"], "services need postgres")],
)
def test_an_impossible_choice_is_refused(only: list[str], said: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(StackError, match=said):
        plan(only, environ={})


def test_a_service_may_be_another_program() -> None:
    """Tests and benches put theirs in place."""
    assert Service.parse("echo=stand.in") == Service("echo", "stand.in")
    assert Service.parse("emission").module == "services.emission"
    with pytest.raises(StackError, match="is no service"):
        Service.parse("../emission")


def test_a_second_process_of_a_service_shares_its_database() -> None:
    """As replicas do; a program of somebody's own has its own."""
    two = plan(services=["evaluator", "evaluator2=services.evaluator", "echo=stand.in"], environ={})
    assert [service.role for service in two.services] == ["evaluator", "evaluator", "echo"]
    assert two.databases == ("emission", "evaluator", "analytics", "customers", "echo")


def test_a_service_connects_as_itself() -> None:
    """To its own database, where the administrator's server is, with its parameters."""
    dsn = database_dsn(_ADMIN, _SECRETS, "evaluator")
    password = _SECRETS.databases["evaluator"]
    assert dsn == f"postgresql://evaluator:{password}@db.example:5432/evaluator?sslmode=require"


def test_each_service_gets_only_the_secrets_it_needs() -> None:
    """Above all nobody but emission can sign, and nobody gets the administrator's account."""
    given = {name: _environment(name, TILLSTREAM_POSTGRES=_ADMIN) for name in _SECRETS.databases}
    for name, variables in given.items():
        assert variables["TILLSTREAM_VERIFY_KEY"] == _SECRETS.verify_key
        assert ("TILLSTREAM_SIGNING_KEY" in variables) == (name == "emission")
        assert ("TILLSTREAM_ADMIN_KEY" in variables) == (name == "emission")
        assert ("TILLSTREAM_CODE_CIPHER_KEY" in variables) == (name == "emission")
        assert ("TILLSTREAM_CODE_KEY" in variables) == (name in {"emission", "evaluator"})
        assert ("TILLSTREAM_CUSTOMERS_KEY" in variables) == (name == "customers")
        assert "TILLSTREAM_POSTGRES" not in variables
