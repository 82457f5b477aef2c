"""Accounts, datasets and models."""

from __future__ import annotations

from typing import Any

from tests.integration.sdk.examples import Asked, ask, example, has, is_empty, is_named
from tests.integration.sdk.world import QWEN, ROWS, SFT, World, lines


@example("accounts.get")
def _(world: World) -> Asked:
    return ask(is_named("accounts/rehearsal", state="READY", suspend_state="UNSUSPENDED"))


@example("accounts.list")
def _(world: World) -> Asked:
    return ask(has("accounts/rehearsal"))


@example("datasets.create")
def _(world: World) -> Asked:
    id_ = world.fresh("data")
    fields = {"display_name": "Some rows", "format": "CHAT", "example_count": "3", "user_uploaded": {}}
    right = is_named(
        world.name("datasets", id_), state="UPLOADING", example_count="3", display_name="Some rows"
    )
    return ask(right, dataset_id=id_, dataset=fields)


@example("datasets.get")
def _(world: World) -> Asked:
    return ask(is_named(world.name("datasets", world.dataset()), state="READY"), world.dataset())


@example("datasets.list")
def _(world: World) -> Asked:
    return ask(
        has(world.name("datasets", world.dataset())), filter='state="READY"', order_by="create_time desc"
    )


@example("datasets.update")
def _(world: World) -> Asked:
    id_ = world.filled()
    return ask(is_named(world.name("datasets", id_), display_name="New"), id_, display_name="New")


@example("datasets.delete")
def _(world: World) -> Asked:
    return ask(is_empty, world.filled())


@example("datasets.upload")
def _(world: World) -> Asked:
    content = lines(ROWS)

    def right(answer: Any) -> bool:
        return (answer.bytes, answer.filename, answer.object) == (len(content), "rows.jsonl", "file")

    return ask(right, world.unfilled(), file=("rows.jsonl", content, "application/jsonl"))


@example("datasets.get_upload_endpoint")
def _(world: World) -> Asked:
    sizes = {"a.jsonl": "10", "b.jsonl": "20"}
    return ask(
        lambda urls: set(urls.filename_to_signed_urls) == set(sizes), world.unfilled(), filename_to_size=sizes
    )


@example("datasets.validate_upload")
def _(world: World) -> Asked:
    return ask(is_empty, world.filled(), body={})


@example("datasets.get_download_endpoint")
def _(world: World) -> Asked:
    return ask(lambda urls: list(urls.filename_to_signed_urls) == ["rows.jsonl"], world.dataset())


@example("models.get")
def _(world: World) -> Asked:
    def right(model: Any) -> bool:
        return (
            model.kind == "HF_PEFT_ADDON" and model.peft_details.base_model == QWEN and model.state == "READY"
        )

    return ask(right, world.tuned())


@example("models.list")
def _(world: World) -> Asked:
    return ask(has(world.name("models", world.tuned())))


@example("models.update")
def _(world: World) -> Asked:
    return ask(lambda model: model.description == "Tuned", world.tuned(), description="Tuned")


@example("models.delete")
def _(world: World) -> Asked:
    return ask(is_empty, f"model-of-{world.job_in(SFT, 'COMPLETED')}")


@example("models.get_download_endpoint")
def _(world: World) -> Asked:
    return ask(lambda urls: "adapter_model.safetensors" in urls.filename_to_signed_urls, world.tuned())


@example("models.create")
def _(world: World) -> Asked:
    id_ = world.fresh("brought")
    details = {"base_model": QWEN, "r": 8, "target_modules": ["q_proj"]}
    right = is_named(world.name("models", id_), state="UPLOADING", kind="HF_PEFT_ADDON")
    return ask(right, model_id=id_, model={"kind": "HF_PEFT_ADDON", "peft_details": details})


@example("models.get_upload_endpoint")
def _(world: World) -> Asked:
    sizes = {"adapter_config.json": "10", "adapter_model.safetensors": "20"}
    right = lambda urls: set(urls.filename_to_signed_urls) == set(sizes)  # noqa: E731
    return ask(right, world.empty_model(), filename_to_size=sizes)


@example("models.validate_upload")
def _(world: World) -> Asked:
    return ask(lambda answer: answer.warnings == [], world.filled_model())


@example("models.prepare")
def _(world: World) -> Asked:
    return ask(is_empty, world.tuned(), precision="BF16")
