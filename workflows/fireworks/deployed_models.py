"""LoRA models loaded onto a base deployment that allows it (multi-LoRA). Source: facts sheet 6.3.

The server names a loaded model, so an earlier, lost load of ours is found by what was loaded where.
DEPLOYED is no proof of serving: ask for one token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .client import Fireworks
from .creating import create_once
from .errors import NotFound
from .fields import Status, flag, given, text
from .wire import Json

COLLECTION = "deployedModels"
DEPLOYED, UNDEPLOYING = "DEPLOYED", "UNDEPLOYING"


@dataclass(frozen=True, slots=True)
class DeployedModel:
    """A loaded model as Fireworks shows it; `raw` keeps every field."""

    name: str
    state: str
    model: str = ""
    deployment: str = ""
    default: bool | None = None
    status: Status = field(default_factory=Status)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def deployed(self) -> bool:
        """Whether it is loaded."""
        return self.state == DEPLOYED


def load_body(model: str, deployment: str, display_name: str = "") -> Json:
    """The create body; both names are full. A LoRA is never serverless."""
    body = {"model": model, "deployment": deployment, "serverless": False}
    return body | given({"displayName": display_name[:63]})


def parse(raw: Mapping[str, Any]) -> DeployedModel:
    """A loaded model from its JSON; a state we do not know is kept as it is."""
    return DeployedModel(
        name=text(raw, "name"),
        state=text(raw, "state"),
        model=text(raw, "model"),
        deployment=text(raw, "deployment"),
        default=flag(raw, "default"),
        status=Status.of(raw),
        raw=raw,
    )


def load(
    fireworks: Fireworks, model: str, deployment: str, display_name: str = "", *, replace_merged: bool = False
) -> DeployedModel:
    """Load `model` onto our `deployment`, or adopt what an earlier attempt loaded there.

    `replace_merged` swaps the adapter of a live-merge deployment. The caller records the name that came
    back; without that it cannot be unloaded by us, only with its deployment.
    """
    body, path = load_body(model, deployment, display_name), fireworks.path(COLLECTION)
    query = {"replaceMergedAddon": "true"} if replace_merged else {}
    found, _ = create_once(
        f"{model} on {deployment}",
        {"model": model, "deployment": deployment},
        ("model", "deployment"),
        lambda: fireworks.call("POST", path, query=query, body=body).json,
        lambda: _loaded(fireworks, model, deployment),
        fireworks.retries,
    )
    return parse(found)


def _loaded(fireworks: Fireworks, model: str, deployment: str) -> Json:
    for each in list_all(fireworks):
        if (each.model, each.deployment) == (model, deployment) and each.state != UNDEPLOYING:
            return dict(each.raw)
    raise NotFound(f"{model} is not loaded onto {deployment}")


def get(fireworks: Fireworks, name: str) -> DeployedModel:
    """One loaded model by id or full name. Raises `NotFound`, also after it was unloaded."""
    return parse(fireworks.get(fireworks.path(COLLECTION, name)))


def list_all(fireworks: Fireworks) -> Iterator[DeployedModel]:
    """All loaded models of the account, page by page."""
    for raw in fireworks.pages(fireworks.path(COLLECTION), COLLECTION):
        yield parse(raw)


def unload(fireworks: Fireworks, name: str) -> None:
    """Unload a model of ours. Raises `NotFound` when it is not there; look with `get` until it is gone."""
    fireworks.call("DELETE", fireworks.path(COLLECTION, name))
