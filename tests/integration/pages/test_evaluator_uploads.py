"""An evaluator that is uploaded: taken in, read by a worker without being run, and chosen for a session."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions.actions.uploading import EVALUATOR_LIMIT
from sessions.models import RemoteDataset, TuningSession, Upload
from tests.factories import make_base_model, make_dataset, make_user
from tests.integration.pages.conftest import HTMX, body, text
from workflows.uploads import inspect

CODE = b"def evaluate(messages, ground_truth=None, **row):\n    return 1\n"
Send = Callable[..., Upload]
pytestmark = pytest.mark.django_db


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


@pytest.fixture
def send(client: Client) -> Send:
    """Upload an evaluator as an open page does, and let a worker read it."""

    def sent(content: bytes, name: str) -> Upload:
        given = SimpleUploadedFile(name, content)
        answer = client.post("/uploads/", {"evaluator_file": given}, headers=HTMX)
        assert "Reading the file" in body(answer)
        upload = Upload.objects.latest("created_at")
        inspect(upload.token)
        upload.refresh_from_db()
        return upload

    return sent


def test_a_worker_says_what_it_holds(send: Send, client: Client) -> None:
    upload = send(zipped(evaluator_py=CODE, requirements_txt=b"numpy>=2\n"), "mine.zip")
    assert (upload.inspection["entry"], upload.inspection["packages"]) == ("evaluator.py", ["numpy>=2"])
    answer = client.get(f"/uploads/{upload.token}/", headers=HTMX)
    assert "with numpy>=2. It is tried on your rows before the plan." in text(answer)
    assert answer["HX-Trigger-After-Swap"] == "upload-read"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"def score(row):\n    return 1\n", "mine.py", "No file of it has evaluate(messages"),
        (zipped(evaluator_py=CODE, requirements_txt=b"--index-url x\n"), "a.zip", "not a package's name"),
        (b"PK\x03\x04", "a.zip", "It cannot be unpacked"),
    ],
)
def test_what_cannot_be_used_is_told_and_starts_nothing(
    send: Send, client: Client, content: bytes, name: str, words: str
) -> None:
    upload = send(content, name)
    assert words in text(client.get(f"/uploads/{upload.token}/", headers=HTMX))
    answer = client.post("/new/", form(evaluator=upload.reference))
    assert answer.status_code == 422
    assert words.lower() in text(answer).lower()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mine.jsonl", b"{}", "Give one Python file"),
        ("a.zip", bytes(EVALUATOR_LIMIT + 1), "largest file taken"),
    ],
)
def test_what_is_no_evaluator_is_refused(client: Client, name: str, content: bytes, words: str) -> None:
    answer = client.post("/uploads/", {"evaluator_file": SimpleUploadedFile(name, content)}, headers=HTMX)
    assert words in text(answer)
    assert not Upload.objects.exists()


def form(**more: str) -> dict[str, str]:
    dataset = "accounts/rehearsal/datasets/rows"
    if not RemoteDataset.objects.exists():
        make_base_model()
        make_dataset(dataset, examples=200)
    given = {"action": "start", "workflow": "sft", "dataset": dataset, "strategy": "evaluator"}
    return {**given, "base_models": "accounts/fireworks/models/qwen3-8b", **more}


def test_it_is_chosen_for_a_session_and_is_no_data(send: Send, client: Client) -> None:
    upload = send(CODE, "mine.py")
    page = body(client.get(f"/new/?evaluator={upload.reference}"))
    assert "mine.py" in page
    assert f'name="dataset"\n           class="watch"\n           value="{upload.reference}"' not in page
    answer = client.post("/new/", form(evaluator=upload.reference))
    assert answer.status_code == 302
    session = TuningSession.objects.get()
    assert (session.value("strategy"), session.value("evaluator")) == ("evaluator", upload.reference)
    wrong = client.post("/new/", form(dataset=upload.reference, strategy="validation_loss"))
    assert "not there any more" in text(wrong)


def test_another_persons_upload_is_not_there(client: Client) -> None:
    other = Upload.objects.create(owner=make_user("other"), filename="mine.py", bytes=1, sha256="")
    answer = client.post("/new/", form(evaluator=other.reference))
    assert "This upload is not there any more." in text(answer)
    assert client.get(f"/uploads/{other.token}/").status_code == 404


def test_boxes_beside_another_strategy_do_not_count(client: Client) -> None:
    left = form(strategy="generated", evaluator="accounts/me/evaluators/x", criterion="the final number")
    assert client.post("/new/", left).status_code == 302
    session = TuningSession.objects.get()
    assert session.value("evaluator") is None
    assert session.value("criterion") == "the final number"


def test_without_scripts_the_form_keeps_what_was_entered(client: Client) -> None:
    given = form(action="upload", title="My run", evaluator_file=SimpleUploadedFile("mine.py", CODE))
    page = body(client.post("/new/", given))
    assert "My run" in page
    assert f'value="{Upload.objects.get().reference}"' in page
