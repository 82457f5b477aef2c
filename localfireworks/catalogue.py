"""The public models of `accounts/fireworks`: real ids and figures, each backed by a stand-in.

Figures: fireworks-api.md 3.1 (models page of 2026-08-28), flag notes of section 3, prices of section 9.
Where the sheet has no figure (serve context, deployment GPU), docs/local-fireworks.md names the choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from localfireworks.names import resource_name, timestamp
from localfireworks.rates import money

PUBLIC = "fireworks"
BILLION = 1_000_000_000
K = 1024
CATALOGUE_TIME = 1_787_875_200.0  # 2026-08-28, the day of the models page
STANDIN_SIZES = {"small": "0.5M", "medium": "1.5M", "large": "4M"}
Price = tuple[str, str, str]  # USD per million tokens: in, cached, out


@dataclass(frozen=True)
class BaseModel:
    """One catalogue row. `parameters` and `context` (tokens) are those of the real model."""

    id: str
    title: str
    parameters: int
    context: int
    moe: bool = False
    tunable: bool = True  # supervisedLoraTunable
    claims_v1: bool = False  # the old `tunable` flag alone: claims it, and jobs are refused
    refused: bool = False  # flagged tunable, and jobs are refused all the same
    serves_lora: bool = True
    precision: str = "BF16"
    price: Price | None = None  # set: served without a deployment
    gpu: str = ""  # trainer GPUs as the models page names them
    rule: str = ""  # set: no model answers for it but a fixed rule of this name
    folder: str = ""  # set: the real model, loaded from this Hugging Face folder

    @property
    def name(self) -> str:
        return resource_name(PUBLIC, "models", self.id)

    @property
    def standin(self) -> str:
        """What answers and trains for it: a rule, its own folder, or a stand-in: small (to 9.5B), medium (to
        80B), large."""
        if self.rule or self.folder:
            return self.rule or self.folder
        if self.parameters <= 9_500_000_000:
            return "small"
        return "medium" if self.parameters <= 80 * BILLION else "large"

    @property
    def accepts_training(self) -> bool:
        return self.tunable and not self.refused

    def _titles(self) -> dict[str, str]:
        if self.rule:
            return {"displayName": self.title, "description": f"{self.title}, for rehearsals only."}
        if self.folder:
            loaded = f"{self.parameters:,} parameters, loaded from a folder"
            return {"displayName": f"{self.title} (local)", "description": f"{self.title}: {loaded}."}
        size = STANDIN_SIZES[self.standin]
        return {
            "displayName": f"{self.title} (stand-in, {size} parameters)",
            "description": f"Rehearsal stand-in of {size} parameters under the name of {self.title}.",
        }

    def body(self) -> dict[str, Any]:
        """The model as the API shows it, without the parts only a single GET has."""
        return {
            "name": self.name,
            **self._titles(),
            "createTime": timestamp(CATALOGUE_TIME),
            "updateTime": timestamp(CATALOGUE_TIME),
            "state": "READY",
            "status": {"code": "OK", "message": ""},
            "kind": "HF_BASE_MODEL",
            "public": True,
            "baseModelDetails": {
                "parameterCount": str(self.parameters),
                "moe": self.moe,
                "modelType": self.id.split("-")[0],
                "worldSize": 1,
                "checkpointFormat": "HUGGINGFACE",
                "defaultPrecision": self.precision,
                "tunable": self.tunable or self.claims_v1,
            },
            "contextLength": self.context,
            "trainingContextLength": self.context if self.tunable else 0,
            "supportsLora": self.serves_lora,
            "supportsServerless": self.price is not None,
            "supportsTools": False,
            "supportsImageInput": False,
            "tunable": self.tunable or self.claims_v1,
            "rlTunable": False,
            "supervisedLoraTunable": self.tunable,
            "supervisedFullParameterTunable": False,
            "rlLoraTunable": False,
            "rlFullParameterTunable": False,
            "useTrainingV2": self.tunable,
            "serverlessModes": self._modes(),
        }

    def _modes(self) -> list[dict[str, Any]]:
        if self.price is None:
            return []
        skus = ("INPUT_TOKENS", "CACHED_INPUT_TOKENS", "OUTPUT_TOKENS")
        infos = [
            {"sku": sku, "amount": money(Decimal(amount)), "unit": "1M tokens"}
            for sku, amount in zip(skus, self.price, strict=True)
        ]
        return [
            {"name": "default", "usageIdentifier": self.name, "serviceTier": "default", "skuInfos": infos}
        ]


def _b(billions: str) -> int:
    return int(Decimal(billions) * BILLION)


def _row(id_: str, title: str, billions: str, context: int, **more: Any) -> BaseModel:
    return BaseModel(id_, title, _b(billions), context, **more)


TUNABLE = (
    _row("qwen3-0p6b", "Qwen3 0.6B", "0.75", 64 * K, gpu="1xB200"),
    _row("ministral-3-3b-instruct-2512", "Ministral 3 3B", "3", 16 * K, gpu="1xB200"),
    _row("llama-v3p2-3b-instruct", "Llama 3.2 3B", "3.6", 128 * K, refused=True, gpu="1xH200"),
    _row("qwen3-4b-instruct-2507", "Qwen3 4B Instruct 2507", "4.4", 256 * K, gpu="1xB200"),
    _row("qwen3-8b", "Qwen3 8B", "8.19", 250 * K, precision="FP8", gpu="8xB200"),
    _row("llama-v3p1-8b-instruct", "Llama 3.1 8B", "8.0", 128 * K, gpu="1xH200"),
    _row("qwen3p5-9b", "Qwen3.5 9B", "9.4", 256 * K, gpu="2xB200"),
    _row("qwen3-14b", "Qwen3 14B", "14.8", 128 * K, gpu="2xH200"),
    _row("mistral-small-24b-instruct-2501", "Mistral Small 24B", "23.6", 32 * K, gpu="1xH200"),
    _row("gemma-4-26b-a4b-it", "Gemma 4 26B A4B", "26", 256 * K, moe=True, gpu="4xB200"),
    _row("qwen3p5-27b", "Qwen3.5 27B", "27.4", 256 * K, gpu="4xB200"),
    _row("qwen3p6-27b", "Qwen3.6 27B", "27.4", 256 * K, gpu="4xB200"),
    _row(
        "nemotron-nano-3-30b-a3b",
        "Nemotron Nano 3 30B",
        "31.6",
        256 * K,
        moe=True,
        serves_lora=False,
        gpu="2xH200",
    ),
    _row("gemma-4-31b-it", "Gemma 4 31B", "32.2", 256 * K, gpu="4xB200"),
    _row("qwen2p5-32b-instruct", "Qwen2.5 32B", "32.8", 32 * K, gpu="4xH200"),
    _row("qwen3-32b", "Qwen3 32B", "32.8", 128 * K, gpu="8xB200"),
    _row("qwen3p5-35b-a3b", "Qwen3.5 35B A3B", "35.1", 256 * K, moe=True, gpu="4xB200"),
    _row("qwen3p6-35b-a3b", "Qwen3.6 35B A3B", "35.1", 256 * K, moe=True, gpu="4xB200"),
    _row("llama-v3p3-70b-instruct", "Llama 3.3 70B", "77.3", 128 * K, gpu="4xB200"),
    _row("nemotron-3-super-120b-a12b-bf16", "Nemotron 3 Super 120B", "120", 256 * K, moe=True, gpu="8xH200"),
    _row("qwen3-235b-a22b-instruct-2507", "Qwen3 235B A22B", "235", 125 * K, moe=True, gpu="8xB300"),
    _row("deepseek-v4-flash", "DeepSeek V4 Flash", "284", 256 * K, moe=True, gpu="4xB300"),
    _row("deepseek-v4-flash-0731", "DeepSeek V4 Flash 0731", "304", 256 * K, moe=True, gpu="4xB300"),
    _row("qwen3p5-397b-a17b", "Qwen3.5 397B A17B", "397", 256 * K, moe=True, gpu="8xB300"),
    _row("minimax-m3", "MiniMax M3", "428", 224 * K, moe=True, gpu="8xB300"),
    _row("glm-5p1", "GLM 5.1", "744", 200 * K, moe=True, gpu="8xB300"),
    _row("glm-5p2-fp8", "GLM 5.2 FP8", "744", 200 * K, moe=True, precision="FP8", gpu="8xB300"),
    _row("kimi-k2p5", "Kimi K2.5", "1030", 256 * K, moe=True, gpu="8xB300"),
    _row("kimi-k2p6", "Kimi K2.6", "1030", 256 * K, moe=True, gpu="8xB300"),
    _row("kimi-k2p7-code", "Kimi K2.7 Code", "1030", 256 * K, moe=True, gpu="8xB300"),
    _row("deepseek-v4-pro-0813", "DeepSeek V4 Pro 0813", "1600", 256 * K, moe=True, gpu="8xB300"),
    _row("kimi-k3", "Kimi K3", "2780", 512 * K, moe=True, price=("3", "0.30", "15"), gpu="32xB300"),
)
NOT_TUNABLE = (
    _row("qwen3-4b", "Qwen3 4B", "4.0", 40 * K, tunable=False),
    _row("qwen2p5-7b-instruct", "Qwen2.5 7B", "7.6", 32 * K, tunable=False, claims_v1=True),
    _row("qwen2p5-14b-instruct", "Qwen2.5 14B", "14.8", 32 * K, tunable=False, claims_v1=True),
    _row("qwen3-30b-a3b-instruct-2507", "Qwen3 30B A3B 2507", "30.5", 256 * K, moe=True, tunable=False),
    _row("qwen3p8-27b", "Qwen3.8 27B", "27.4", 256 * K, tunable=False),
    _row(
        "gpt-oss-20b",
        "gpt-oss 20B",
        "20.9",
        128 * K,
        moe=True,
        tunable=False,
        serves_lora=False,
        price=("0.07", "0.035", "0.30"),
    ),
    _row(
        "gpt-oss-120b",
        "gpt-oss 120B",
        "116.8",
        128 * K,
        moe=True,
        tunable=False,
        serves_lora=False,
        price=("0.15", "0.015", "0.60"),
    ),
    _row(
        "glm-5p3-flash",
        "GLM 5.3 Flash",
        "106",
        200 * K,
        moe=True,
        tunable=False,
        serves_lora=False,
        price=("0.15", "0.03", "0.50"),
    ),
    _row(
        "glm-5p3",
        "GLM 5.3",
        "744",
        200 * K,
        moe=True,
        tunable=False,
        serves_lora=False,
        price=("1.40", "0.26", "4.40"),
    ),
    _row(
        "deepseek-v4p1-flash",
        "DeepSeek V4.1 Flash",
        "304",
        256 * K,
        moe=True,
        tunable=False,
        serves_lora=False,
        price=("0.30", "0.006", "1.20"),
    ),
    _row(
        "standin-judge",
        "Judge (stand-in, a fixed rule and no model)",
        "8",
        128 * K,
        tunable=False,
        serves_lora=False,
        price=("0.20", "0.10", "0.20"),
        rule="judge",
    ),
    _row(
        "standin-reader",
        "Reader (stand-in, a fixed rule and no model)",
        "8",
        128 * K,
        tunable=False,
        serves_lora=False,
        price=("0.20", "0.10", "0.20"),
        rule="reader",
    ),
)
CATALOGUE: dict[str, BaseModel] = {
    model.name: model for model in sorted(TUNABLE + NOT_TUNABLE, key=lambda model: model.id)
}


def add_folder(id_: str, folder: str, parameters: int, context: int) -> None:
    """List a model that is loaded from a folder; one of the same id gives way."""
    made = BaseModel(id_, id_, parameters, context, folder=folder, gpu="1xH200")
    CATALOGUE[made.name] = made
