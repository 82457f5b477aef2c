"""Account, models and datasets."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.integration.sdk.table import (
    ACCOUNT,
    AT,
    HOME,
    LIST,
    NONE,
    NOTHING,
    QWEN,
    ROWS,
    Case,
    ours,
    sdk,
    upload_urls,
)
from workflows.fireworks import accounts, datasets, models, usage
from workflows.fireworks.client import Fireworks

_DATA = f"{AT}/datasets"

ACCOUNTS = (
    Case(
        "GET",
        "/verifyApiKey",
        ours(Fireworks.verify),
        NONE,
        "1.1",
        "not in the SDK; eval-protocol uses it to learn the account",
        answers={"GET /v1/accounts": {"accounts": [{"name": f"accounts/{ACCOUNT}"}]}},
    ),
    Case(
        "GET",
        "/v1/accounts",
        ours(Fireworks.verify),
        sdk("accounts.list", page_size=2),
        "1.1",
        answers={"GET /v1/accounts": {"accounts": [{"name": f"accounts/{ACCOUNT}"}]}},
    ),
    Case("GET", AT, ours(accounts.get), sdk("accounts.get"), "10"),
    Case("GET", f"{AT}/quotas", ours(accounts.quotas), NONE, "10", "not in the SDK"),
    Case(
        "POST",
        f"{AT}/usageCosts:query",
        ours(usage.query, datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)),
        NONE,
        "10",
        "not in the SDK",
    ),
)

MODELS = (
    Case("GET", f"{AT}/models", ours(models.list_own), sdk("models.list", **LIST), "3"),
    Case(
        "GET",
        f"{AT}/models",
        ours(models.list_public, "supports_lora=true"),
        sdk("models.list", account_id="fireworks", filter="supports_lora=true", **LIST),
        "3",
        label="public, filtered",
    ),
    Case("GET", f"{AT}/models/{{model}}", ours(models.get, "tuned"), sdk("models.get", "tuned"), "3"),
    Case(
        "GET",
        f"{AT}/models/{{model}}",
        ours(models.get, QWEN),
        sdk("models.get", "qwen3-8b", account_id="fireworks"),
        "3",
        label="public",
    ),
)

DATASETS = (
    Case("GET", _DATA, ours(datasets.list_all), sdk("datasets.list", **LIST), "2"),
    Case("GET", f"{_DATA}/{{dataset}}", ours(datasets.get, "train"), sdk("datasets.get", "train"), "2"),
    Case(
        "GET",
        f"{_DATA}/{{dataset}}:getDownloadEndpoint",
        ours(datasets.file_urls, "train"),
        sdk("datasets.get_download_endpoint", "train"),
        "2",
        answers={f"GET {HOME}/datasets/train:getDownloadEndpoint": upload_urls("rows.jsonl")},
    ),
    Case(
        "POST",
        _DATA,
        ours(datasets.create, datasets.dataset_body("train", 3, "My rows")),
        sdk(
            "datasets.create",
            dataset_id="train",
            dataset={"example_count": "3", "user_uploaded": {}, "format": "CHAT", "display_name": "My rows"},
        ),
        "2",
    ),
    Case(
        "POST",
        f"{_DATA}/{{dataset}}:upload",
        ours(datasets.upload, "train", ROWS),
        sdk("datasets.upload", "train", file=("rows.jsonl", ROWS.read_bytes(), "application/jsonl")),
        "2",
    ),
    Case(
        "POST",
        f"{_DATA}/{{dataset}}:getUploadEndpoint",
        ours(datasets.upload, "train", ROWS, small=0),
        sdk(
            "datasets.get_upload_endpoint",
            "train",
            filename_to_size={"rows.jsonl": str(ROWS.stat().st_size)},
        ),
        "2",
        answers={f"POST {HOME}/datasets/train:getUploadEndpoint": upload_urls("rows.jsonl")},
    ),
    Case(
        "POST",
        f"{_DATA}/{{dataset}}:validateUpload",
        ours(datasets.validate, "train"),
        sdk("datasets.validate_upload", "train", body=NOTHING),
        "2",
    ),
)

CASES = (*ACCOUNTS, *MODELS, *DATASETS)
