"""What a method needs to be there before it can answer: made with the SDK itself."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest
from fireworks import Fireworks

from tests.integration.sdk.methods import resolve

ACCOUNT = "rehearsal"
QWEN = "accounts/fireworks/models/qwen3-8b"
SERVERLESS = "accounts/fireworks/models/gpt-oss-20b"
PATIENCE = 200.0  # seconds; only a failing test waits so long
ENDLESS = 3.0  # the learning rate of a job that goes on until it is ended
ROWS = [
    {"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}!"}]}
    for n in range(3)
]
PAIRS = [
    {
        "input": {"messages": row["messages"][:1]},
        "preferred_output": row["messages"][1:],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    for row in ROWS
]


def lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@dataclass(frozen=True)
class JobKind:
    """What differs between the two kinds of tuning job."""

    resource: str
    collection: str
    id_field: str
    nested: bool  # whether the training settings are an object of their own

    def name(self, id_: str) -> str:
        return f"accounts/{ACCOUNT}/{self.collection}/{id_}"

    def asked(self, world: World, id_: str, **more: Any) -> dict[str, Any]:
        """The least that a create needs, and `more` training settings."""
        data = world.pairs() if self.nested else world.dataset()
        training = {"base_model": QWEN, "output_model": f"model-of-{id_}", **more}
        settings = {"training_config": training} if self.nested else training
        return {self.id_field: id_, "dataset": world.name("datasets", data), **settings}


SFT = JobKind(
    "supervised_fine_tuning_jobs", "supervisedFineTuningJobs", "supervised_fine_tuning_job_id", False
)
DPO = JobKind("dpo_jobs", "dpoJobs", "dpo_job_id", True)


CODE = """def evaluate(messages, **row):
    print("seen", len(messages))
    return {"score": float("!" in messages[-1]["content"]), "reason": "looked for a mark"}
"""
QUESTIONS = [{"custom_id": f"q{n}", "body": {"messages": row["messages"][:1]}} for n, row in enumerate(ROWS)]


def archive(**files: str) -> bytes:
    """A `.tar.gz` of texts; double underscores of the names stand for dots."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


class World:
    """Makes things of fresh names on the server; ids are unique within the run."""

    def __init__(self, sdk: Fireworks) -> None:
        self.sdk = sdk
        self._numbers = count(1)
        self._kept: dict[str, str] = {}

    def fresh(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"

    def name(self, collection: str, id_: str) -> str:
        return f"accounts/{ACCOUNT}/{collection}/{id_}"

    def once(self, kind: str, make: Callable[[], str]) -> str:
        """One thing for all who only read it."""
        if kind not in self._kept:
            self._kept[kind] = make()
        return self._kept[kind]

    def until(self, look: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.02)
        return pytest.fail(f"waited in vain for {what}")

    def reaches(self, look: Callable[[], Any], wanted: str, what: str) -> None:
        """Wait until the state that `look` gives is the wanted one; one that failed is not waited for."""
        ends = {wanted, "JOB_STATE_FAILED", "BUILD_FAILED", "FAILED"}
        found = self.until(lambda: (state := look()) in ends and state, f"{what} to be {wanted}")
        assert found == wanted, f"{what} is {found}"

    def unfilled(self) -> str:
        """Id of a dataset that waits for its files."""
        id_ = self.fresh("data")
        self.sdk.datasets.create(dataset_id=id_, dataset={"example_count": "3", "user_uploaded": {}})
        return id_

    def filled(self, rows: list[Any] | None = None) -> str:
        """Id of a READY dataset of its own."""
        id_ = self.unfilled()
        self.sdk.datasets.upload(id_, file=("rows.jsonl", lines(rows or ROWS), "application/jsonl"))
        return id_

    def dataset(self) -> str:
        """Id of a READY dataset that all share."""
        return self.once("dataset", self.filled)

    def pairs(self) -> str:
        """Id of a READY dataset of preference pairs that all share."""
        return self.once("pairs", lambda: self.filled(PAIRS))

    def begin(self, kind: JobKind, **more: Any) -> str:
        """Id of a job that was just started."""
        id_ = self.fresh("job")
        resolve(self.sdk, kind.resource).create(**kind.asked(self, id_, **more))
        return id_

    def job_in(self, kind: JobKind, state: str, **more: Any) -> str:
        """Id of a new job once it is in the state."""
        id_ = self.begin(kind, **more)
        self.job_reaches(kind, id_, state)
        return id_

    def job_reaches(self, kind: JobKind, id_: str, state: str) -> None:
        self.reaches(lambda: resolve(self.sdk, kind.resource).get(id_).state, f"JOB_STATE_{state}", id_)

    def cancelled(self, kind: JobKind) -> str:
        id_ = self.job_in(kind, "RUNNING", learning_rate=ENDLESS)
        resolve(self.sdk, kind.resource).cancel(id_, body={})
        self.job_reaches(kind, id_, "CANCELLED")
        return id_

    def job(self, kind: JobKind) -> str:
        """Id of a COMPLETED job that all share."""
        return self.once(kind.resource, lambda: self.job_in(kind, "COMPLETED"))

    def batch_asked(self) -> dict[str, Any]:
        """The least that a batch inference job needs; it makes a new dataset."""
        id_ = self.fresh("batch")
        return {
            "batch_inference_job_id": id_,
            "model": SERVERLESS,
            "input_dataset_id": self.name("datasets", self.once("questions", lambda: self.filled(QUESTIONS))),
            "output_dataset_id": self.name("datasets", f"out-{id_}"),
            "inference_parameters": {"max_tokens": 4, "extra_body": json.dumps({"seed": 1})},
        }

    def batch(self) -> str:
        """Id of a new batch inference job once it is COMPLETED."""
        asked = self.batch_asked()
        id_ = str(asked["batch_inference_job_id"])
        self.sdk.batch_inference_jobs.create(**asked)
        self.reaches(lambda: self.sdk.batch_inference_jobs.get(id_).state, "JOB_STATE_COMPLETED", id_)
        return id_

    def answered(self) -> str:
        """Id of a COMPLETED batch inference job that all share."""
        return self.once("batch", self.batch)

    def tuned(self) -> str:
        """Id of the model that the shared supervised job made."""
        return f"model-of-{self.job(SFT)}"

    def deployed(self, **more: Any) -> str:
        """Id of a new deployment that answers."""
        id_, asked = self.fresh("place"), {"base_model": QWEN, "deployment_shape": "default", **more}
        self.sdk.deployments.create(deployment_id=id_, **asked)
        self.reaches(lambda: self.sdk.deployments.get(id_).state, "READY", id_)
        return id_

    def place(self) -> str:
        """Id of a READY deployment that all share."""
        return self.once("place", lambda: self.deployed(base_model=SERVERLESS))

    def roomy(self) -> str:
        """Id of a new deployment that takes LoRA models."""
        return self.deployed(enable_addons=True)

    def loaded(self) -> str:
        """Id of the shared tuned model once it is loaded onto a new deployment."""
        place = self.name("deployments", self.roomy())
        made = self.sdk.lora.load(model=self.name("models", self.tuned()), deployment=place)
        id_ = str(made.name).rpartition("/")[2]
        self.reaches(lambda: self.sdk.lora.get(id_).state, "DEPLOYED", id_)
        return id_

    def addon(self) -> str:
        """Id of a loaded model that all share."""
        return self.once("addon", self.loaded)

    def put(self, endpoint: Callable[..., Any], id_: str, files: dict[str, bytes]) -> None:
        """Fill a thing through the signed URLs that `endpoint` gives."""
        sizes = {name: str(len(content)) for name, content in files.items()}
        urls = endpoint(id_, filename_to_size=sizes).filename_to_signed_urls
        for name, content in files.items():
            headers = {
                "Content-Type": "application/octet-stream",
                "X-Goog-Content-Length-Range": f"{len(content)},{len(content)}",
            }
            httpx.put(urls[name], content=content, headers=headers).raise_for_status()

    def empty_model(self) -> str:
        """Id of a model that waits for its files."""
        id_ = self.fresh("brought")
        details = {"base_model": QWEN, "r": 8, "target_modules": ["q_proj"]}
        self.sdk.models.create(model_id=id_, model={"kind": "HF_PEFT_ADDON", "peft_details": details})
        return id_

    def filled_model(self) -> str:
        """Id of a model whose files are there: those of the tuned one."""
        urls = self.sdk.models.get_download_endpoint(self.tuned()).filename_to_signed_urls or {}
        id_ = self.empty_model()
        self.put(
            self.sdk.models.get_upload_endpoint, id_, {n: httpx.get(url).content for n, url in urls.items()}
        )
        return id_

    def empty_evaluator(self) -> str:
        """Id of an evaluator that waits for its code."""
        id_ = self.fresh("judge")
        self.sdk.evaluators.create(evaluator_id=id_, evaluator={"entry_point": "main.py::evaluate"})
        return id_

    def filled_evaluator(self) -> str:
        """Id of an evaluator whose code is there and was not looked at."""
        id_, code = self.empty_evaluator(), archive(main__py=CODE, requirements__txt="")
        self.put(self.sdk.evaluators.get_upload_endpoint, id_, {"code.tar.gz": code})
        return id_

    def built(self) -> str:
        """Id of a new evaluator that is ACTIVE."""
        id_ = self.filled_evaluator()
        self.sdk.evaluators.validate_upload(id_, body={})
        self.reaches(lambda: self.sdk.evaluators.get(id_).state, "ACTIVE", id_)
        return id_

    def evaluator(self) -> str:
        """Id of an ACTIVE evaluator that all share."""
        return self.once("evaluator", self.built)

    def evaluation_asked(self) -> dict[str, Any]:
        """What an evaluation job needs; it makes a new dataset."""
        id_ = self.fresh("score")
        job = {
            "evaluator": self.name("evaluators", self.evaluator()),
            "input_dataset": self.name("datasets", self.dataset()),
            "output_dataset": self.name("datasets", f"out-{id_}"),
        }
        return {"evaluation_job_id": id_, "evaluation_job": job}

    def evaluation(self) -> str:
        """Id of a new evaluation job once it is COMPLETED."""
        asked = self.evaluation_asked()
        id_ = str(asked["evaluation_job_id"])
        self.sdk.evaluation_jobs.create(**asked)
        self.reaches(lambda: self.sdk.evaluation_jobs.get(id_).state, "JOB_STATE_COMPLETED", id_)
        return id_

    def scored(self) -> str:
        """Id of a COMPLETED evaluation job that all share."""
        return self.once("evaluation", self.evaluation)
