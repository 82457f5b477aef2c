"""What the request handlers share, and the helpers every handler module uses."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from localfireworks.backend import Backend
from localfireworks.errors import ApiError, invalid, not_found
from localfireworks.names import resource_name
from localfireworks.processes import Processes
from localfireworks.settings import Settings
from localfireworks.signing import Signer
from localfireworks.store import Resource, Store
from localfireworks.traffic import Traffic


class IdConvertor(Convertor[str]):
    """An id in a path, `{id:rid}`: up to the next slash or verb."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("rid", IdConvertor())


class Message(BaseModel):
    """A request body: camelCase or snake_case names, unknown fields dropped."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", allow_inf_nan=False
    )


Body = TypeVar("Body", bound=BaseModel)


@dataclass
class Service:
    """One running server: its settings, database, clock (seconds), engine, job processes, URL signer."""

    settings: Settings
    store: Store
    clock: Callable[[], float]
    backend: Backend
    processes: Processes
    signer: Signer
    traffic: Traffic = field(default_factory=Traffic)
    ticked: float | None = None  # when the background loop last came round; None: no loop runs

    @property
    def account(self) -> str:
        return self.settings.account

    def new(self, collection: str, id_: str, state: str, body: dict[str, Any]) -> Resource:
        """A row of the account, not yet stored, of this moment."""
        now = self.clock()
        return Resource(collection, self.account, id_, state, body, now, now)

    def save(self, resource: Resource, *, was: str | None = None) -> bool:
        """Store a changed row and its time; whether its state was still `was` (default: its own)."""
        resource.updated = self.clock()
        return self.store.save(resource, was=was or resource.state)


def build_service(
    settings: Settings, backend: Backend, processes: Processes, clock: Callable[[], float]
) -> Service:
    """Open the data folder: database, and the secret that signs URLs (made once)."""
    store = Store(settings.folder() / "localfireworks.sqlite3")
    secret = store.fact("signing-secret") or secrets.token_hex(32)
    store.keep_fact("signing-secret", secret)
    return Service(settings, store, clock, backend, processes, Signer(bytes.fromhex(secret), clock))


def service_of(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101 - tells the type checker what create_app put there
    return service


def own_account(request: Request) -> str:
    """The account in the path when it is ours; others are PERMISSION_DENIED."""
    account = str(request.path_params["account"])
    if account != service_of(request).account:
        raise ApiError("PERMISSION_DENIED", f"the API key has no access to accounts/{account}")
    return account


def found(request: Request, collection: str) -> Resource:
    """The row the path names, or NOT_FOUND."""
    name = resource_name(own_account(request), collection, str(request.path_params["id"]))
    resource = service_of(request).store.get(name)
    if resource is None:
        raise not_found(name)
    return resource


async def read_json(request: Request) -> Any:
    """The JSON body; `{}` for none."""
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        return orjson.loads(raw)  # strict: no NaN, no lone surrogates, no nesting without measure
    except ValueError as error:
        raise invalid(f"the body is not JSON: {error}") from error


async def read_body(request: Request, kind: type[Body]) -> Body:
    """The JSON body as a message; faults answer 400 with the field's path."""
    return parse_body(await read_json(request), kind)


def parse_body(value: Any, kind: type[Body]) -> Body:
    """A JSON value as a message; faults answer 400 with the field's path."""
    if not isinstance(value, dict):
        raise invalid("the body must be a JSON object")
    body = kind.model_validate(value)
    try:
        orjson.dumps(body.model_dump())
    except TypeError as error:  # whole numbers beyond 64 bits, nested too deep: it could not be stored
        raise invalid(f"invalid value in the body: {error}") from error
    return body


def ok(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def flag(request: Request, name: str) -> bool:
    """A boolean query parameter."""
    return request.query_params.get(name, "").lower() in {"true", "1"}


def base_url(request: Request) -> str:
    """Scheme and host as the caller reached us, for links in answers."""
    return str(request.base_url).rstrip("/")
