"""Jobs that tune: supervised and preference."""

from __future__ import annotations

from typing import Any

from tests.integration.sdk.examples import Asked, ask, example, has, is_empty, is_named
from tests.integration.sdk.world import DPO, ENDLESS, SFT, JobKind, World


@example("supervised_fine_tuning_jobs.create")
def _(world: World) -> Asked:
    id_ = world.fresh("job")
    settings = {
        "epochs": 2, "learning_rate": 1e-4, "lora_rank": 4, "max_context_length": 256,
        "batch_size_samples": 2, "learning_rate_warmup_steps": 1, "eval_auto_carveout": False,
    }  # fmt: skip
    right = is_named(SFT.name(id_), state="JOB_STATE_CREATING", epochs=2, lora_rank=4, learning_rate=1e-4)
    return ask(right, **SFT.asked(world, id_), **settings)


@example("dpo_jobs.create")
def _(world: World) -> Asked:
    id_ = world.fresh("job")

    def right(job: Any) -> bool:
        loss, training = job.loss_config, job.training_config
        method = (loss.method, loss.dpo.beta) == ("DPO", 0.2)
        return job.name == DPO.name(id_) and method and training.learning_rate == 1e-5

    asked = DPO.asked(world, id_, learning_rate=1e-5)
    return ask(right, loss_config={"method": "DPO", "dpo": {"beta": 0.2}}, display_name="Pairs", **asked)


@example("dpo_jobs.get_metrics_file_endpoint")
def _(world: World) -> Asked:
    return ask(lambda answer: answer.signed_url.startswith("http"), world.job(DPO))


@example("supervised_fine_tuning_jobs.get")
def _(world: World) -> Asked:
    def right(job: Any) -> bool:
        done = job.state == "JOB_STATE_COMPLETED" and job.job_progress.percent == 100
        return job.name == SFT.name(world.job(SFT)) and done and job.estimated_cost.currency_code == "USD"

    return ask(right, world.job(SFT))


@example("dpo_jobs.get")
def _(world: World) -> Asked:
    id_ = world.job(DPO)
    return ask(is_named(DPO.name(id_), state="JOB_STATE_COMPLETED"), id_)


def of_both(kind: JobKind) -> None:
    @example(f"{kind.resource}.list")
    def _(world: World) -> Asked:
        return ask(has(kind.name(world.job(kind))), order_by="create_time desc")

    @example(f"{kind.resource}.cancel")
    def _(world: World) -> Asked:
        return ask(is_empty, world.job_in(kind, "RUNNING", learning_rate=ENDLESS), body={})

    @example(f"{kind.resource}.resume")
    def _(world: World) -> Asked:
        id_ = world.cancelled(kind)
        return ask(is_named(kind.name(id_), state="JOB_STATE_RE_QUEUEING"), id_, body={})

    @example(f"{kind.resource}.delete")
    def _(world: World) -> Asked:
        return ask(is_empty, world.job_in(kind, "COMPLETED"))


of_both(SFT)
of_both(DPO)
