"""Local Fireworks asked directly, past the portal: what a page and a report say must be true there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

ACCOUNT = "accounts/rehearsal"
OVER = {
    "JOB_STATE_COMPLETED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_EARLY_STOPPED",
    "JOB_STATE_EXPIRED",
}
Message = dict[str, Any]


class Fireworks:
    """The REST API of local Fireworks; any key will do."""

    def __init__(self, port: int) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/v1", headers={"Authorization": "Bearer rehearsal"}, timeout=60
        )

    def __enter__(self) -> Fireworks:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.http.close()

    def make_dataset(self, name: str) -> None:
        """A dataset without bytes: it stays UPLOADING."""
        body = {"datasetId": name, "dataset": {"displayName": name, "format": "CHAT"}}
        self.http.post(f"/{ACCOUNT}/datasets", json=body).raise_for_status()

    def upload(self, name: str, path: Path) -> None:
        """A READY dataset with the bytes of a file."""
        self.make_dataset(name)
        with path.open("rb") as file:
            address = f"/{ACCOUNT}/datasets/{name}:upload"
            self.http.post(address, files={"file": (path.name, file)}).raise_for_status()

    def jobs(self) -> list[Message]:
        answer = self.http.get(f"/{ACCOUNT}/supervisedFineTuningJobs", params={"pageSize": 200})
        found: list[Message] = answer.raise_for_status().json()["supervisedFineTuningJobs"]
        return found

    def get(self, name: str) -> Message:
        found: Message = self.http.get(f"/{name}").raise_for_status().json()
        return found

    def last_losses(self, job: str) -> dict[str, str]:
        """The last training and evaluation loss of a job's metrics file, with four digits."""
        text = httpx.get(self.get(job)["metricsFileSignedUrl"]).raise_for_status().text
        last: dict[str, str] = {}
        for line in map(json.loads, text.splitlines()):
            for key in ("train/loss", "eval/loss"):
                if line.get(key) is not None:
                    last[key] = f"{line[key]:.4f}"
        return last
