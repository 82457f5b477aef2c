"""Deployments, their shapes, models loaded onto them, and inference."""

from __future__ import annotations

from typing import Any

from tests.integration.sdk.examples import Asked, ask, example, has, is_empty, is_named
from tests.integration.sdk.world import QWEN, SERVERLESS, World


@example("deployments.create")
def _(world: World) -> Asked:
    id_ = world.fresh("place")
    policy = {"scale_to_zero_window": "300s"}
    right = is_named(world.name("deployments", id_), state="CREATING", base_model=QWEN, max_replica_count=2)
    return ask(
        right, deployment_id=id_, base_model=QWEN, deployment_shape="default", min_replica_count=0,
        max_replica_count=2, autoscaling_policy=policy, display_name="A place",
    )  # fmt: skip


@example("deployments.get")
def _(world: World) -> Asked:
    return ask(is_named(world.name("deployments", world.place()), state="READY"), world.place())


@example("deployments.list")
def _(world: World) -> Asked:
    return ask(has(world.name("deployments", world.place())), show_deleted=True)


@example("deployments.update")
def _(world: World) -> Asked:
    return ask(
        lambda place: (place.display_name, place.max_replica_count) == ("Wider", 3),
        world.deployed(), base_model=QWEN, display_name="Wider", max_replica_count=3,
    )  # fmt: skip


@example("deployments.scale")
def _(world: World) -> Asked:
    return ask(lambda answer: answer is not None, world.deployed(), replica_count=0)


@example("deployments.delete")
def _(world: World) -> Asked:
    return ask(is_empty, world.deployed(), ignore_checks=True, hard=True)


@example("deployments.undelete")
def _(world: World) -> Asked:
    id_ = world.deployed()
    world.sdk.deployments.delete(id_, ignore_checks=True)
    return ask(is_named(world.name("deployments", id_), state="CREATING"), id_, body={})


def shape_of(world: World) -> Any:
    """A shape version that can serve the shared base model."""
    return next(iter(world.sdk.deployment_shapes.list(account_id="fireworks", target_model=QWEN)))


@example("deployment_shapes.list")
def _(world: World) -> Asked:
    right = has(shape_of(world).name)
    return ask(right, account_id="fireworks", target_model=QWEN)


@example("deployment_shapes.get")
def _(world: World) -> Asked:
    shape = shape_of(world)
    return ask(is_named(shape.name), shape.name.rpartition("/")[2], account_id="fireworks")


@example("deployment_shape_versions.list")
def _(world: World) -> Asked:
    shape = shape_of(world).name
    return ask(
        lambda found: found and all(each.name.startswith(f"{shape}/versions/") for each in found),
        shape.rpartition("/")[2], account_id="fireworks",
    )  # fmt: skip


@example("deployment_shape_versions.get")
def _(world: World) -> Asked:
    shape = shape_of(world).name.rpartition("/")[2]
    version = next(iter(world.sdk.deployment_shape_versions.list(shape, account_id="fireworks")))
    return ask(
        is_named(version.name),
        version.name.rpartition("/")[2],
        account_id="fireworks",
        deployment_shape_id=shape,
    )


@example("deployment_shape_versions.match")
def _(world: World) -> Asked:
    wanted = {"parent": "accounts/rehearsal", "deployment": {"base_model": QWEN}}
    return ask(lambda found: len(found.deployment_shape_versions) > 0, create_deployment_request=wanted)


@example("deployment_shape_versions.match_for_model")
def _(world: World) -> Asked:
    return ask(lambda found: len(found.deployment_shape_versions) > 0, model=QWEN)


@example("lora.load")
def _(world: World) -> Asked:
    model, place = world.name("models", world.tuned()), world.name("deployments", world.roomy())

    def right(made: Any) -> bool:
        return (made.model, made.deployment, made.state) == (model, place, "DEPLOYING")

    return ask(right, model=model, deployment=place, display_name="A LoRA", serverless=False)


@example("lora.get")
def _(world: World) -> Asked:
    return ask(is_named(world.name("deployedModels", world.addon()), state="DEPLOYED"), world.addon())


@example("lora.list")
def _(world: World) -> Asked:
    return ask(has(world.name("deployedModels", world.addon())))


@example("lora.update")
def _(world: World) -> Asked:
    return ask(lambda made: made.description == "Better", world.addon(), description="Better")


@example("lora.unload")
def _(world: World) -> Asked:
    return ask(is_empty, world.loaded())


ASKED = [{"role": "user", "content": "Which colour is grass?"}]


@example("chat.completions.create")
def _(world: World) -> Asked:
    def right(answer: Any) -> bool:
        used = answer.usage
        counted = used.total_tokens == used.prompt_tokens + used.completion_tokens
        ended = all(choice.finish_reason in ("stop", "length") for choice in answer.choices)
        return counted and ended and [choice.index for choice in answer.choices] == [0, 1]

    return ask(
        right, model=SERVERLESS, messages=ASKED, max_tokens=4, n=2, seed=7, temperature=0.5, stop=["\n"],
        logprobs=True, user="someone",
    )  # fmt: skip


@example("completions.create")
def _(world: World) -> Asked:
    def right(answer: Any) -> bool:
        (choice,) = answer.choices
        return answer.object == "text_completion" and choice.finish_reason in ("stop", "length")

    return ask(right, model=SERVERLESS, prompt="The grass is", max_tokens=4, seed=7, logprobs=1, stop=["\n"])
