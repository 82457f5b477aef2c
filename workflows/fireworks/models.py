"""Models: what the account and the public catalogue offer. Source: facts sheet 3.

Flags are read from raw JSON and kept as the provider says them; absent is None (unknown), not False.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .client import PUBLIC_ACCOUNT, Fireworks
from .fields import Status, flag, integer, mapping, text
from .money import Money


@dataclass(frozen=True, slots=True)
class Price:
    """One live serverless price: amount per unit, for a kind of token."""

    mode: str
    sku: str
    amount: Money
    unit: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model as Fireworks shows it; `raw` keeps every field."""

    name: str
    display_name: str = ""
    state: str = ""
    kind: str = ""
    parameters: int | None = None
    mixture: bool | None = None
    context_length: int | None = None
    training_context_length: int | None = None
    supervised_lora_tunable: bool | None = None
    supports_lora: bool | None = None
    supports_serverless: bool | None = None
    supports_tools: bool | None = None
    supports_images: bool | None = None
    deprecated_on: date | None = None
    base_model: str = ""
    status: Status = field(default_factory=Status)
    prices: tuple[Price, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ready(self) -> bool:
        """Whether it can be used."""
        return self.state == "READY"

    @property
    def tunable(self) -> bool:
        """Whether LoRA fine-tuning (SFT and DPO) is offered: the validated-shape flag, else the old one."""
        if self.supervised_lora_tunable is not None:
            return self.supervised_lora_tunable
        return bool(self.raw.get("tunable"))

    @property
    def servable_after(self) -> bool:
        """Whether a LoRA result can be served; trained is not yet servable (facts sheet 11.14)."""
        return self.supports_lora is not False


def parse(raw: Mapping[str, Any]) -> Model:
    """A model from its JSON."""
    details = mapping(raw, "baseModelDetails")
    return Model(
        name=text(raw, "name"),
        display_name=text(raw, "displayName"),
        state=text(raw, "state"),
        kind=text(raw, "kind"),
        parameters=integer(details, "parameterCount"),
        mixture=flag(details, "moe"),
        context_length=integer(raw, "contextLength"),
        training_context_length=integer(raw, "trainingContextLength"),
        supervised_lora_tunable=flag(raw, "supervisedLoraTunable"),
        supports_lora=flag(raw, "supportsLora"),
        supports_serverless=flag(raw, "supportsServerless"),
        supports_tools=flag(raw, "supportsTools"),
        supports_images=flag(raw, "supportsImageInput"),
        deprecated_on=_day(mapping(raw, "deprecationDate")),
        base_model=text(mapping(raw, "peftDetails"), "baseModel"),
        status=Status.of(raw),
        prices=tuple(_prices(raw)),
        raw=raw,
    )


def _day(raw: Mapping[str, Any]) -> date | None:
    year, month, day = (integer(raw, part) for part in ("year", "month", "day"))
    try:
        return date(year or 0, month or 1, day or 1)
    except ValueError:
        return None


def _prices(raw: Mapping[str, Any]) -> Iterator[Price]:
    modes = raw.get("serverlessModes")
    for mode in modes if isinstance(modes, list) else []:
        skus = mode.get("skuInfos") if isinstance(mode, Mapping) else None
        for sku in skus if isinstance(skus, list) else []:
            amount = Money.from_api(sku.get("amount")) if isinstance(sku, Mapping) else None
            if amount:
                yield Price(text(mode, "name"), text(sku, "sku"), amount, text(sku, "unit"))


def get(fireworks: Fireworks, name: str) -> Model:
    """One model by full name, or by id in the own account. Raises `NotFound`."""
    return parse(fireworks.get(fireworks.path("models", name)))


def list_public(fireworks: Fireworks, filter_: str = "") -> Iterator[Model]:
    """The public catalogue, page by page; `filter_` in the API's own language (AIP-160)."""
    return _list(fireworks, PUBLIC_ACCOUNT, filter_)


def list_own(fireworks: Fireworks) -> Iterator[Model]:
    """The account's own models (results of tuning), page by page."""
    return _list(fireworks, fireworks.account, "")


def _list(fireworks: Fireworks, account: str, filter_: str) -> Iterator[Model]:
    extra = {"filter": filter_} if filter_ else {}
    for raw in fireworks.pages(f"/v1/accounts/{account}/models", "models", **extra):
        yield parse(raw)
