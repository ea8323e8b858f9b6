"""Good requests to every operation, naming things that exist; and generated ones that have much of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import schemathesis
from schemathesis.core import NOT_SET

from deploy.local.stack import Stack
from shared import clock
from shared.codec import encode
from shared.events.checkout import Cart, Sale
from tests.integration import emission, known_alerts, known_customers, known_offers, shop
from tests.integration.good import Good
from tests.waiting import until

Case = schemathesis.Case[Any]
KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Shop:
    """A store where a code gets 10%, and a client of each service to do more there."""

    clients: Mapping[str, httpx.Client]
    store_id: str
    emission_id: str
    word: str
    instrument_id: str
    campaign_id: str
    backtest_id: str

    def ask(self, service: str, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The answer of a service, which must be a success; empty if it says no more."""
        answer = self.clients[service].request(method, f"/v1/{path}", json=body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def good(self, operation: str) -> Good:
        """A request to the operation (``POST /v1/…``) that succeeds; nothing has met the same before."""
        make = _GOOD.get(operation)
        return make(self) if make else Good()

    def mixed(self, case: Case) -> Case:
        """Of four generated requests three are good ones but for one field each.

        Which ones and which field follows from what was generated.
        """
        chance = Random(repr(case))  # noqa: S311 - the same for the same request
        if chance.randrange(4) == 0:
            return case
        good = self.good(case.operation.label)
        case.path_parameters = good.path
        case.headers.update(good.headers)
        case.query = _but_for_one(good.query, case.query, chance)
        if case.body is not NOT_SET:  # confirmations need none
            case.body = _but_for_one(good.body, case.body, chance)
        if KEY in case.headers:
            case.headers[KEY] = str(uuid4())
        return case

    def key(self) -> dict[str, Any]:
        """An API key."""
        return self.ask("emission", "POST", "api-keys", _NEW_KEY)

    def user(self) -> tuple[str, str]:
        """A user who is invited: login, and the invitation's secret."""
        made = self.ask("emission", "POST", "users", _new_user())
        return made["user"]["login"], made["secret"]

    def credentials(self) -> dict[str, str]:
        """Of somebody who may sign in."""
        login, _ = self.accepted()
        return {"login": login, "password": _PASSWORD}

    def signed_in(self) -> dict[str, str]:
        """The headers of the console's page, of somebody who is signed in with ``_PASSWORD``."""
        return _FROM_PAGE | {"Cookie": f"tillstream_session={self.accepted()[1]}"}

    def accepted(self) -> tuple[str, str]:
        """A user who has accepted the invitation: login, and the session."""
        login, secret = self.user()
        client = self.clients["emission"]
        body = {"secret": secret, "password": _PASSWORD}
        answer = client.post("/v1/session/invitation", json=body, headers=_FROM_PAGE)
        assert answer.is_success, answer.text
        client.cookies.clear()
        return login, answer.cookies["tillstream_session"]

    def draft(self) -> str:
        """An emission that is a draft."""
        body = emission.mass(emission.new_word())
        self.ask("emission", "POST", "emissions", body)
        return str(body["emission_id"])

    def instrument(self) -> dict[str, Any]:
        """An instrument that runs nowhere."""
        body = emission.instrument_of(self.emission_id)
        self.ask("emission", "POST", "instruments", body)
        return body

    def plan(self) -> dict[str, Any]:
        """What a campaign in the store is to be."""
        return emission.plan_of(self.instrument(), stores=[self.store_id])

    def campaign(self, *actions: str) -> dict[str, Any]:
        """A campaign, after these actions."""
        plan = self.plan()
        self.ask("emission", "POST", "campaigns", plan)
        for action in actions:
            self.ask("emission", "POST", f"campaigns/{plan['campaign_id']}/{action}")
        return plan

    def product(self) -> str:
        """A product of the catalogue."""
        product = emission.a_product()
        self.ask("emission", "PUT", "products", {"products": [product]})
        return str(product["sku"])

    def typed(self) -> dict[str, str]:
        """A draft's kind and id."""
        form = {"kind": "campaign", "id": emission.new_id("c")}
        path = f"drafts/{form['kind']}/{form['id']}"
        self.ask("emission", "PUT", path, {"body": {"name": "Dec"}})
        return form

    def group(self) -> str:
        """A customer group."""
        group_id = emission.new_id("g")
        self.ask("emission", "PUT", f"customer-groups/{group_id}", _NEW_GROUP)
        return group_id

    def customer(self) -> str:
        """A customer of whom something is known."""
        self.ask("emission", "PUT", "customers", _CUSTOMERS)
        return "c-1"

    def wanted(self) -> dict[str, Any]:
        """A lease that is asked for."""
        of = {"campaign_id": self.campaign_id, "instrument_id": self.instrument_id}
        return of | {"store_id": self.store_id, "condition": "code", "amount": 1, "seconds": 3_600}

    def cart(self) -> dict[str, Any]:
        """A cart of 300.00 with the code."""
        cart = shop.a_cart(self.store_id, 30_000, codes=[self.word], customer_id="c-1")
        return _json(cart)

    def checked_out(self) -> str:
        """A receipt that holds its 10%."""
        cart = self.cart()
        self.ask("evaluator", "POST", "checkouts", cart)
        return str(cart["receipt_id"])

    def sale(self) -> dict[str, Any]:
        """A receipt that was paid without asking."""
        cart = {name: value for name, value in self.cart().items() if name in Sale.model_fields}
        return cart | {"intent": "sale"}

    def a_return(self) -> dict[str, Any]:
        """All of a sale comes back."""
        sale = self.sale()
        self.ask("evaluator", "POST", "sales", sale)
        kept = {"receipt_id", "store_id", "terminal_id", "occurred_at"}
        return {name: sale[name] for name in kept} | {"intent": "return"}


def _json(cart: Cart) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode(cart))
    return found


def _but_for_one(good: Any, generated: Any, chance: Random) -> Any:
    """The good value with a field of the generated one in it, however deep."""
    are = {type(good), type(generated)}
    if are == {list} and good and generated:
        return [_but_for_one(good[0], generated[0], chance), *good[1:]]
    if are == {dict} and generated and good.get("kind") == generated.get("kind"):
        name = chance.choice(sorted(generated))
        return good | {name: _but_for_one(good.get(name), generated[name], chance)}
    return generated


_PASSWORD = "correct horse battery"
_FROM_PAGE = {"Sec-Fetch-Site": "same-origin"}


def _new_user() -> dict[str, str]:
    return {"login": f"u-{uuid4().hex[:10]}", "name": "Somebody", "role": "analyst"}


_NEW_KEY = {"name": "till", "scopes": ["checkouts:write"]}
_NEW_GROUP = {"name": "Regulars", "customers": ["c-1", "c-2"]}
_CUSTOMERS = {"customers": [{"customer_id": "c-1", "birthday": "02-29"}]}


def _of_campaign(*actions: str) -> Callable[[Shop], Good]:
    return lambda shop: Good({"campaign_id": shop.campaign(*actions)["campaign_id"]})


def _of_store(**path: str) -> Callable[[Shop], Good]:
    return lambda shop: Good(path, query={"store_id": shop.store_id})


def _backtest() -> dict[str, Any]:
    instrument = emission.instrument_of()
    draft = emission.plan_of(instrument) | {"instruments": [instrument]}
    today = clock.now().date()
    days = {"from": str(today), "to": str(today + timedelta(days=1))}
    return {"campaign": draft, "move": True} | days


def _edited(name: str, known: dict[str, Any]) -> Good:
    return Good({name: known[name]}, known)


_GOOD: dict[str, Callable[[Shop], Good]] = {
    "POST /v1/tokens": lambda shop: Good(body={"api_key": shop.key()["api_key"]}),
    "POST /v1/api-keys": lambda _: Good(body=_NEW_KEY),
    "DELETE /v1/api-keys/{key_id}": lambda shop: Good({"key_id": shop.key()["key_id"]}),
    "POST /v1/users": lambda _: Good(body=_new_user()),
    "PUT /v1/users/{login}": lambda shop: Good(
        {"login": shop.user()[0]}, {"name": "Somebody", "role": "marketer"}
    ),
    "POST /v1/users/{login}/invitation": lambda shop: Good({"login": shop.user()[0]}),
    "POST /v1/session": lambda shop: Good(body=shop.credentials(), headers=_FROM_PAGE),
    "POST /v1/session/renew": lambda shop: Good(headers=shop.signed_in()),
    "DELETE /v1/session": lambda shop: Good(headers=shop.signed_in()),
    "POST /v1/session/invitation": lambda shop: Good(
        body={"secret": shop.user()[1], "password": _PASSWORD}, headers=_FROM_PAGE
    ),
    "PUT /v1/session/password": lambda shop: Good(
        body={"old": _PASSWORD, "new": "another password"}, headers=shop.signed_in()
    ),
    "POST /v1/emissions": lambda _: Good(body=emission.mass(emission.new_word())),
    "GET /v1/emissions/{emission_id}": lambda shop: Good({"emission_id": shop.emission_id}),
    "POST /v1/emissions/{emission_id}/post": lambda shop: Good({"emission_id": shop.draft()}),
    "POST /v1/emissions/{emission_id}/copy": lambda shop: Good(
        {"emission_id": shop.emission_id},
        {"emission_id": emission.new_id("e"), "word": emission.new_word()},
    ),
    "GET /v1/emissions/{emission_id}/history": lambda shop: Good({"emission_id": shop.emission_id}),
    "GET /v1/emissions/{emission_id}/codes": lambda shop: Good({"emission_id": shop.emission_id}),
    "GET /v1/emissions/{emission_id}/codes/sheet": lambda shop: Good(
        {"emission_id": shop.emission_id}
    ),
    "POST /v1/instruments": lambda shop: Good(body=emission.instrument_of(shop.emission_id)),
    "PUT /v1/instruments/{instrument_id}": lambda shop: _edited("instrument_id", shop.instrument()),
    "GET /v1/instruments/{instrument_id}": lambda shop: Good({"instrument_id": shop.instrument_id}),
    "POST /v1/instruments/check": lambda shop: Good(body=emission.instrument_of(shop.emission_id)),
    "POST /v1/instruments/{instrument_id}/copy": lambda shop: Good(
        {"instrument_id": shop.instrument_id}, {"instrument_id": emission.new_id("i")}
    ),
    "GET /v1/instruments/{instrument_id}/history": lambda shop: Good(
        {"instrument_id": shop.instrument_id}
    ),
    "POST /v1/campaigns/{campaign_id}/copy": lambda shop: Good(
        {"campaign_id": shop.campaign_id}, {"campaign_id": emission.new_id("c")}
    ),
    "GET /v1/campaigns/{campaign_id}/history": lambda shop: Good({"campaign_id": shop.campaign_id}),
    "POST /v1/campaigns": lambda shop: Good(body=shop.plan()),
    "PUT /v1/campaigns/{campaign_id}": lambda shop: _edited("campaign_id", shop.campaign()),
    "GET /v1/campaigns/{campaign_id}": lambda shop: Good({"campaign_id": shop.campaign_id}),
    "POST /v1/campaigns/{campaign_id}/start": _of_campaign(),
    "POST /v1/campaigns/{campaign_id}/pause": _of_campaign("start"),
    "POST /v1/campaigns/{campaign_id}/finish": _of_campaign("start"),
    "PUT /v1/stores": lambda _: Good(body={"stores": [emission.a_store()]}),
    "PUT /v1/products": lambda _: Good(body={"products": [emission.a_product()]}),
    "DELETE /v1/products/{sku}": lambda shop: Good({"sku": shop.product()}),
    "PUT /v1/drafts/{kind}/{id}": lambda _: Good(
        {"kind": "campaign", "id": emission.new_id("c")}, {"body": {"name": "Dec"}}
    ),
    "GET /v1/drafts/{kind}/{id}": lambda shop: Good(shop.typed()),
    "DELETE /v1/drafts/{kind}/{id}": lambda shop: Good(shop.typed()),
    "PUT /v1/customer-groups/{group_id}": lambda shop: Good({"group_id": shop.group()}, _NEW_GROUP),
    "GET /v1/customer-groups/{group_id}": lambda shop: Good({"group_id": shop.group()}),
    "PUT /v1/customers": lambda _: Good(body=_CUSTOMERS),
    "GET /v1/customers/{customer_id}": lambda shop: Good({"customer_id": shop.customer()}),
    "POST /v1/backtests": lambda _: Good(body=_backtest()),
    "POST /v1/trials": lambda shop: Good(
        body={"campaign": _backtest()["campaign"], "cart": shop.cart() | {"codes": []}}
    ),
    "GET /v1/backtests/{backtest_id}": lambda shop: Good({"backtest_id": shop.backtest_id}),
    "POST /v1/leases": lambda shop: Good(body=shop.wanted()),
    "GET /v1/leases": _of_store(),
    "POST /v1/leases/{lease_id}/return": lambda shop: Good(
        {"lease_id": shop.ask("evaluator", "POST", "leases", shop.wanted())["lease_id"]}
    ),
    "GET /v1/limits/{limit_id}/certificate": lambda shop: Good(
        {"limit_id": f"{shop.campaign_id}/{shop.instrument_id}/code"}
    ),
    "POST /v1/quotes": lambda shop: Good(body=shop.cart() | {"intent": "quote"}),
    "POST /v1/checkouts": lambda shop: Good(body=shop.cart()),
    "POST /v1/checkouts/{receipt_id}/confirm": lambda shop: Good(
        {"receipt_id": shop.checked_out()}, {}
    ),
    "POST /v1/checkouts/{receipt_id}/cancel": lambda shop: Good({"receipt_id": shop.checked_out()}),
    "POST /v1/sales": lambda shop: Good(body=shop.sale()),
    "POST /v1/returns": lambda shop: Good(body=shop.a_return()),
    "GET /v1/statistics/totals": _of_store(),
    "GET /v1/statistics/series": _of_store(),
    "GET /v1/statistics/by/{dimension}": _of_store(dimension="store"),
    "GET /v1/statistics/campaigns": _of_store(),
    "GET /v1/statistics/instruments": _of_store(),
    "GET /v1/statistics/codes": _of_store(),
    "GET /v1/statistics/refusals": _of_store(),
    "GET /v1/statistics/activations": _of_store(),
    "GET /v1/statistics/activations/stream": _of_store(),
    "GET /v1/statistics/stream": _of_store(),
    "GET /v1/statistics/effectiveness": _of_store(),
    "GET /v1/statistics/customers": _of_store(),
    "GET /v1/statistics/categories": lambda shop: Good(query={"emission_id": shop.emission_id}),
    "GET /v1/statistics/caps": lambda shop: Good(query={"campaign_id": shop.campaign_id}),
    **known_customers.GOOD,
    **known_offers.GOOD,
    **known_alerts.GOOD,
}
"""By operation; those that are not here need no parameters."""


async def _introduce(stack: Stack, store_id: str) -> None:
    """Have a customer buy something, and wait until there is a profile."""
    async with shop.client(stack, "customers") as client, shop.open_tills(stack) as tills:
        await tills.buy(shop.a_cart(store_id, 30_000, customer_id=known_customers.CUSTOMER))

        async def is_known() -> bool:
            answer = await client.get(f"/v1/profiles/{known_customers.CUSTOMER}")
            return answer.is_success

        await until(is_known, what="the customer's profile")


async def open_shop(stack: Stack, clients: Mapping[str, httpx.Client]) -> Shop:
    """Have a store, a code and a campaign made, and wait until the evaluator knows them."""
    [store_id] = await shop.open_store(stack)
    word = emission.new_word()
    emission_id = await shop.post_word(stack, word)
    instrument = emission.instrument_of(emission_id)
    instrument["conditions"][1] |= {"cap": 1_000_000, "condition_id": "code"}
    campaign_id = await shop.run_campaign(stack, [instrument], stores=[store_id])
    await _introduce(stack, store_id)
    # One for all: only two may run at a time.
    backtest = clients["evaluator"].post("/v1/backtests", json=_backtest())
    return Shop(
        clients=clients,
        store_id=store_id,
        emission_id=emission_id,
        word=word,
        instrument_id=instrument["instrument_id"],
        campaign_id=campaign_id,
        backtest_id=emission.ok(backtest, 202)["backtest_id"],
    )
