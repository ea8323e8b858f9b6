"""Every operation of every service under generated requests: no answer but the documented ones.

Schemathesis makes the requests from the service's own OpenAPI document, the same ones every time: such
as it allows, and such as it forbids. Most of those that it allows are mixed with good ones (``known``), so
that they get further than to an unknown id. ``make fuzz EXAMPLES=300`` tries more of them.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from http import HTTPStatus
from itertools import islice
from typing import Any

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies
from schemathesis.core import NOT_SET
from schemathesis.core.result import Ok
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.overrides import Override

from deploy.local.stack import Stack
from shared import clock
from shared.web.auth import SCOPES, Scope, sign
from tests.integration.known import Case, Shop, open_shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
"""Random requests to each operation; sixteen times as many, which are sooner made, at its boundaries."""
SERVICES: dict[str, Scope] = {
    "emission": "statistics:read",
    "evaluator": "statistics:read",
    "analytics": "campaigns:read",
    "customers": "statistics:read",
}
"""The services, and a scope that none of their operations is content with."""
ALLOWED, FORBIDDEN = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
TIMEOUT_S = 30
SETTINGS = hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
)

Operation = schemathesis.APIOperation[Any, Any, Any, Any]


def caller(stack: Stack, *scopes: Scope) -> requests.Session:
    """Calls with a token of these scopes; without any scope, without a token."""
    session = requests.Session()
    session.trust_env = False
    if scopes:
        token = sign(stack.secrets.signing_key, "fuzzer", scopes, timedelta(hours=1), clock.now())
        session.headers["Authorization"] = f"Bearer {token}"
    return session


def operations(stack: Stack, service: str) -> Iterator[Operation]:
    """The operations of a service, by its OpenAPI document."""
    config = schemathesis.Config.from_dict(
        {
            "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
            "generation": {"with-security-parameters": False},
            "max-stream-events": 1,
        }
    )
    document = schemathesis.openapi.from_url(f"{stack.url(service)}/openapi.json", config=config)
    for found in document.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def exercise(
    operation: Operation,
    check: Callable[[Case], object],
    *modes: schemathesis.GenerationMode,
    examples: int = EXAMPLES,
) -> None:
    """Have requests checked: at the boundaries of what the operation takes, and random ones."""
    for mode in modes:
        boundaries = CoverageGenerator(
            operation=operation,
            generation_modes=[mode],
            generation_config=operation.schema.config.generation,
            auth_storage=None,
            override=Override(),
            feedback=FeedbackSources(),
        )
        # Conditions of conditions have more boundaries than anybody would wait for.
        for case in islice(boundaries, 16 * examples):
            check(case)
    cases = [operation.as_strategy(generation_mode=mode) for mode in modes]

    @hypothesis.settings(SETTINGS, max_examples=examples)
    @hypothesis.given(strategies.one_of(cases))
    def at_random(case: Case) -> None:
        check(case)

    at_random()


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    """A shop, for good requests."""
    token = sign(stack.secrets.signing_key, "fuzzer", SCOPES, timedelta(hours=1), clock.now())
    with ExitStack() as opened:
        clients = {
            service: opened.enter_context(
                httpx.Client(
                    base_url=stack.url(service),
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=TIMEOUT_S,
                    trust_env=False,
                )
            )
            for service in SERVICES
        }
        yield asyncio.run(open_shop(stack, clients))


@pytest.mark.parametrize("service", SERVICES)
def test_each_operation_answers_a_good_request_with_success(
    stack: Stack, shop: Shop, service: str, subtests: pytest.Subtests
) -> None:
    with caller(stack, *SCOPES) as author:
        for operation in operations(stack, service):
            with subtests.test(operation.label):
                good = shop.good(operation.label)
                case = operation.Case(
                    path_parameters=good.path,
                    query=good.query,
                    body=good.body,
                    # Where a table would do, too.
                    media_type=None if good.body is NOT_SET else "application/json",
                    headers=good.headers,
                )
                answer = case.call_and_validate(session=author, timeout=TIMEOUT_S)
                assert answer.status_code < HTTPStatus.MULTIPLE_CHOICES, answer.text


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_is_sent_the_answer_is_documented(
    stack: Stack, shop: Shop, service: str, subtests: pytest.Subtests
) -> None:
    with caller(stack, *SCOPES) as author:

        def check(case: Case) -> None:
            if case.meta is not None and case.meta.generation.mode is ALLOWED:
                case = shop.mixed(case)
            case.call_and_validate(session=author, timeout=TIMEOUT_S)

        for operation in operations(stack, service):
            with subtests.test(operation.label):
                exercise(operation, check, ALLOWED, FORBIDDEN)


@pytest.mark.parametrize(("status", "token"), [(401, False), (403, True)], ids=["none", "wrong"])
@pytest.mark.parametrize("service", SERVICES)
def test_without_the_right_token_nothing_is_done(
    stack: Stack, service: str, subtests: pytest.Subtests, status: int, *, token: bool
) -> None:
    with caller(stack, *[SERVICES[service]] if token else []) as stranger:

        def check(case: Case) -> None:
            answer = case.call_and_validate(session=stranger, timeout=TIMEOUT_S)
            # What is no path or method of the operation is not its business.
            assert case.meta is not None
            elsewhere = () if case.meta.generation.mode is ALLOWED else (404, 405)
            assert answer.status_code in (status, *elsewhere), case.as_curl_command()

        for operation in operations(stack, service):
            if operation.definition.raw.get("security") != []:
                with subtests.test(operation.label):
                    exercise(operation, check, ALLOWED, FORBIDDEN, examples=1)


@pytest.mark.parametrize("service", SERVICES)
def test_probes_answer_without_a_token(stack: Stack, service: str) -> None:
    with httpx.Client(base_url=stack.url(service), trust_env=False) as prober:
        for path, content_type in (
            ("/livez", "application/json"),
            ("/readyz", "application/json"),
            ("/metrics", "text/plain"),
        ):
            answer = prober.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"].partition(";")[0] == content_type
