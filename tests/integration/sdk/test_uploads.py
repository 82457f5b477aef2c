"""The SDK's two ways to fill a dataset, and what comes back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fireworks import Fireworks
from fireworks.lib.dataset_upload import count_dataset_examples, upload_dataset_shards

from tests.integration.sdk.conftest import KEY, Server
from tests.integration.sdk.world import ROWS, World, lines


def downloaded(sdk: Fireworks, id_: str) -> dict[str, bytes]:
    urls = sdk.datasets.get_download_endpoint(id_).filename_to_signed_urls or {}
    return {name: httpx.get(url).content for name, url in urls.items()}


def test_one_part(sdk: Fireworks, world: World):
    id_ = world.unfilled()
    sdk.datasets.upload(id_, file=("rows.jsonl", lines(ROWS), "application/jsonl"))
    assert sdk.datasets.get(id_).state == "READY"
    assert downloaded(sdk, id_) == {"rows.jsonl": lines(ROWS)}


def test_signed_urls_step_by_step(sdk: Fireworks, world: World):
    id_, content = world.unfilled(), lines(ROWS)
    sizes = {"rows.jsonl": str(len(content))}
    urls = sdk.datasets.get_upload_endpoint(id_, filename_to_size=sizes).filename_to_signed_urls or {}
    signed = {
        "Content-Type": "application/octet-stream",
        "X-Goog-Content-Length-Range": f"{len(content)},{len(content)}",
    }
    assert httpx.put(urls["rows.jsonl"], content=content).status_code == 400
    assert httpx.put(urls["rows.jsonl"], content=content, headers=signed).status_code == 200
    assert sdk.datasets.get(id_).state == "UPLOADING"
    sdk.datasets.validate_upload(id_, body={})
    assert sdk.datasets.get(id_).state == "READY"
    assert downloaded(sdk, id_) == {"rows.jsonl": content}


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """Files of a certificate for 127.0.0.1 that lives a day, and of its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on the path, which would make a certificate")
    made, key = str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem")
    subject = "/CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -days 1"
    kind = "-x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    command = [openssl, "req", *kind.split(), "-subj", *subject.split(), "-keyout", key, "-out", made]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@pytest.fixture
def secure(
    certificate: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fireworks]:
    """The SDK on a server with TLS: its shard helper takes no signed URL without."""
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    server = Server(tmp_path / "secure", ssl_certfile=certificate[0], ssl_keyfile=certificate[1])
    with (
        server.running() as base,
        Fireworks(
            api_key=KEY, account_id="rehearsal", base_url=base, _strict_response_validation=True
        ) as sdk,
    ):
        yield sdk


def test_shards_with_the_helper_of_the_sdk(secure: Fireworks, tmp_path: Path):
    folder = tmp_path / "shards"
    folder.mkdir()
    shards = {"a.jsonl": lines(ROWS[:1]), "b.jsonl": lines(ROWS[1:])}
    for name, content in shards.items():
        (folder / name).write_bytes(content)
    count = count_dataset_examples(str(folder))
    secure.datasets.create(dataset_id="shards", dataset={"user_uploaded": {}, "example_count": str(count)})
    upload_dataset_shards(secure, "shards", str(folder))
    made = secure.datasets.get("shards")
    assert (made.state, made.example_count) == ("READY", "3")
    assert downloaded(secure, "shards") == shards
