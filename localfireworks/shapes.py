"""Deployment shapes: which GPUs a model is served on (fireworks-api.md, 6.1). The GPU table is a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks.catalogue import CATALOGUE, CATALOGUE_TIME, PUBLIC, BaseModel
from localfireworks.errors import ApiError, not_found
from localfireworks.listing import page_of
from localfireworks.models import find_model
from localfireworks.names import resource_name, timestamp
from localfireworks.service import Message, Service, ok, own_account, read_body, service_of

GPUS: tuple[tuple[int | None, str, int], ...] = (
    (16_000_000_000, "NVIDIA_H100_80GB", 1),
    (40_000_000_000, "NVIDIA_H200_141GB", 1),
    (80_000_000_000, "NVIDIA_H200_141GB", 2),
    (300_000_000_000, "NVIDIA_H200_141GB", 8),
    (None, "NVIDIA_B200_180GB", 8),
)


@dataclass(frozen=True)
class Shape:
    """One way to serve a base model. LoRA, merged or not, needs BF16."""

    base: BaseModel
    precision: str

    @property
    def name(self) -> str:
        return resource_name(PUBLIC, "deploymentShapes", f"{self.base.id}-{self.precision.lower()}")

    @property
    def version(self) -> str:
        return f"{self.name}/versions/1"

    @property
    def gpu(self) -> tuple[str, int]:
        """Accelerator type and count."""
        for most, kind, count in GPUS:
            if most is None or self.base.parameters <= most:
                return kind, count
        raise AssertionError("the last row has no upper end")

    def snapshot(self) -> dict[str, Any]:
        kind, count = self.gpu
        return {
            "name": self.name,
            "displayName": f"{self.base.title} {self.precision}",
            "baseModel": self.base.name,
            "modelType": self.base.id.split("-")[0],
            "parameterCount": str(self.base.parameters),
            "acceleratorType": kind,
            "acceleratorCount": count,
            "precision": self.precision,
            "enableAddons": self.precision == "BF16" and self.base.serves_lora,
            "maxContextLength": self.base.context,
            "createTime": timestamp(CATALOGUE_TIME),
            "updateTime": timestamp(CATALOGUE_TIME),
        }

    def body(self) -> dict[str, Any]:
        return {
            "name": self.version,
            "createTime": timestamp(CATALOGUE_TIME),
            "snapshot": self.snapshot(),
            "latestValidated": True,
            "validated": True,
            "public": True,
        }


def shapes_of(base: BaseModel) -> list[Shape]:
    """The default shape first."""
    precisions = ["BF16"] if base.precision == "BF16" else [base.precision, "BF16"]
    return [Shape(base, precision) for precision in precisions]


def all_shapes() -> dict[str, Shape]:
    return {shape.name: shape for base in CATALOGUE.values() for shape in shapes_of(base)}


def matching(service: Service, model: str, *, addons: bool) -> list[Shape]:
    """Shapes that can serve a model, the default first."""
    target = find_model(service, model)
    if target is None:
        raise not_found(model)
    lora = addons or target.adapter is not None
    if lora and not target.base.serves_lora:
        return []
    return [shape for shape in shapes_of(target.base) if shape.precision == "BF16" or not lora]


def named(name: str) -> Shape:
    """A shape by its name or that of its version; PERMISSION_DENIED as the service answers."""
    shape = all_shapes().get(name.partition("/versions/")[0])
    if shape is None:
        raise ApiError("PERMISSION_DENIED", f"deployment shape version {name} is not accessible")
    return shape


class MatchDeployment(Message):
    base_model: str
    enable_addons: bool = False


class MatchRequest(Message):
    parent: str = ""
    deployment: MatchDeployment


class Match(Message):
    create_deployment_request: MatchRequest


async def match(request: Request) -> Response:
    own_account(request)
    wanted = (await read_body(request, Match)).create_deployment_request.deployment
    shapes = matching(service_of(request), wanted.base_model, addons=wanted.enable_addons)
    return ok(page_of("deploymentShapeVersions", [shape.body() for shape in shapes], request.query_params))


async def list_shapes(request: Request) -> Response:
    """All shapes, or those of `targetModel`. They are public: any account in the path, also `-`."""
    target = request.query_params.get("targetModel")
    shapes = matching(service_of(request), target, addons=False) if target else list(all_shapes().values())
    return ok(page_of("deploymentShapes", [shape.snapshot() for shape in shapes], request.query_params))


async def list_versions(request: Request) -> Response:
    id_ = request.path_params["id"]
    shapes = [shape for shape in all_shapes().values() if id_ in ("-", shape.name.rsplit("/", 1)[1])]
    return ok(page_of("deploymentShapeVersions", [shape.body() for shape in shapes], request.query_params))


async def get_shape(request: Request) -> Response:
    return ok(named(resource_name(PUBLIC, "deploymentShapes", request.path_params["id"])).snapshot())


async def get_version(request: Request) -> Response:
    return ok(named(resource_name(PUBLIC, "deploymentShapes", request.path_params["id"])).body())


PARENT = "/v1/accounts/{account}/deploymentShapes"
routes = [
    Route("/v1/accounts/{account}/deploymentShapeVersions:match", match, methods=["POST"]),
    Route(PARENT, list_shapes),
    Route(PARENT + "/{id:rid}", get_shape),
    Route(PARENT + "/{id:rid}/versions", list_versions),
    Route(PARENT + "/{id:rid}/versions/{version:rid}", get_version),
]
