"""Uploads: taken in under a name of ours, read by a worker, shown with every problem and its remedy."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions.models import Upload
from tests.factories import make_upload, make_user
from tests.integration.pages.conftest import HTMX, body, sentence, text
from workflows.uploads import inspect

GOOD = {"messages": [{"role": "user", "content": "How many?"}, {"role": "assistant", "content": "Three."}]}
Send = Callable[..., Upload]


def lines(count: int, **at: str) -> bytes:
    """JSONL of good rows; `line_3="..."` puts a text in the place of the third line."""
    rows = [at.get(f"line_{number}", json.dumps(GOOD)) for number in range(1, count + 1)]
    return ("\n".join(rows) + "\n").encode() if rows else b""


@pytest.fixture
def send(client: Client) -> Send:
    """Upload a file as an open page does, and let a worker read it."""

    def sent(content: bytes, name: str = "train.jsonl", *, read: bool = True) -> Upload:
        answer = client.post("/uploads/", {"file": SimpleUploadedFile(name, content)}, headers=HTMX)
        assert answer.status_code == 200
        upload = Upload.objects.get()
        if read:
            inspect(upload.token)
            upload.refresh_from_db()
        return upload

    return sent


def test_the_file_is_stored_whole_under_a_name_of_ours(send: Send, settings) -> None:
    content = lines(500)
    upload = send(content, "my data.jsonl", read=False)
    assert upload.path.read_bytes() == content
    assert upload.sha256 == hashlib.sha256(content).hexdigest()
    assert upload.bytes == len(content)
    assert upload.filename == "my data.jsonl"
    assert upload.path == Path(settings.DATA) / "uploads" / f"{upload.token}.jsonl"
    assert [path.name for path in upload.path.parent.iterdir()] == [upload.path.name]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.jsonl", "passwd.jsonl"),
        ("C:\\data\\a.jsonl", "a.jsonl"),
        ("a\x07b.jsonl", "ab.jsonl"),
    ],
)
def test_a_path_in_the_name_is_only_text(send: Send, settings, name: str, shown: str) -> None:
    upload = send(lines(3), name, read=False)
    assert upload.filename == shown
    assert upload.path.parent == Path(settings.DATA) / "uploads"


def test_a_file_name_cannot_bring_markup(client: Client, send: Send) -> None:
    upload = send(lines(3), "<img src=x>.jsonl")
    page = body(client.get(f"/uploads/{upload.token}/"))
    assert "<img" not in page
    assert "&lt;img src=x&gt;.jsonl" in page


@pytest.mark.parametrize("name", ["train.csv", "train.json", "jsonl", "train.jsonl.exe"])
def test_only_jsonl_names_are_taken(client: Client, name: str) -> None:
    answer = client.post("/uploads/", {"file": SimpleUploadedFile(name, lines(3))}, headers=HTMX)
    assert f"“{name}” is not a .jsonl file" in text(answer)
    assert "one JSON object on each line" in text(answer)
    assert not Upload.objects.exists()


def test_too_large_a_file_is_refused_and_not_kept(client: Client, settings) -> None:
    settings.MAX_UPLOAD = 1000
    answer = client.post("/uploads/", {"file": SimpleUploadedFile("a.jsonl", lines(50))}, headers=HTMX)
    assert "The largest file taken is 1 kB; split it." in text(answer)
    assert not Upload.objects.exists()
    assert not (Path(settings.DATA) / "uploads").exists()


def test_a_form_without_a_file_says_so(client: Client) -> None:
    assert "No file came with the form." in text(client.post("/uploads/", headers=HTMX))


def test_a_get_takes_nothing_in(client: Client) -> None:
    assert client.get("/uploads/").status_code == 405


def test_until_it_was_read_the_card_asks_again(client: Client, send: Send) -> None:
    upload = send(lines(3), read=False)
    card = client.get(f"/uploads/{upload.token}/", headers=HTMX)
    assert "Reading the file" in text(card)
    assert 'hx-trigger="every 1s"' in body(card)
    assert "HX-Trigger-After-Swap" not in card.headers


def test_a_card_that_was_read_stops_asking_and_tells_the_form(client: Client, send: Send) -> None:
    upload = send(lines(40))
    card = client.get(f"/uploads/{upload.token}/", headers=HTMX)
    assert card.headers["HX-Trigger-After-Swap"] == "upload-read"
    assert "hx-trigger" not in body(card)
    assert "Ready" in text(card)
    assert "Format: chat, as OpenAI has it. 40 samples, about" in text(card)


def test_a_broken_line_is_named_with_what_to_do(client: Client, send: Send) -> None:
    upload = send(lines(200, line_143='{"messages": [{"role": "user"'))
    page = text(client.get(f"/uploads/{upload.token}/"))
    assert "1 row cannot be used" in page
    assert "Line 143" in page
    assert "Make the line one complete JSON object." in page
    assert '{"messages": [{"role": "user"' in page


def test_all_problems_come_as_csv_without_formulas(client: Client, send: Send) -> None:
    upload = send(lines(30, line_4="=cmd()", line_9="[1]"))
    answer = client.get(f"/uploads/{upload.token}/problems.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "problems.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["line"] for row in rows] == ["4", "9"]
    assert rows[0]["excerpt"] == "'=cmd()"
    assert all(row["remedy"] for row in rows)


def test_a_file_that_cannot_be_used_at_all_says_why(client: Client, send: Send) -> None:
    upload = send(b"")
    page = text(client.get(f"/uploads/{upload.token}/"))
    assert "Cannot be used" in page
    assert "the file is empty" in page


def test_other_peoples_uploads_look_as_if_they_were_not_there(client: Client) -> None:
    theirs = make_upload(make_user())
    assert client.get(f"/uploads/{theirs.token}/").status_code == 404
    assert client.get(f"/uploads/{theirs.token}/problems.csv").status_code == 404


def test_without_javascript_the_file_comes_with_the_form_and_nothing_is_lost(client: Client) -> None:
    file = SimpleUploadedFile("train.jsonl", lines(3))
    answer = client.post("/new/", {"action": "upload", "file": file, "epochs": "4", "title": "Mine"})
    upload = Upload.objects.get()
    page = body(answer)
    assert f'value="{upload.reference}"' in page
    assert 'value="4"' in page
    assert 'value="Mine"' in page
    assert "4 epochs" in sentence(answer)


def test_without_javascript_a_refused_file_loses_nothing_either(client: Client) -> None:
    file = SimpleUploadedFile("train.csv", b"a,b")
    answer = client.post("/new/", {"action": "upload", "file": file, "epochs": "4"})
    assert answer.status_code == 422
    assert "“train.csv” is not a .jsonl file" in text(answer)
    assert 'value="4"' in body(answer)


def test_sent_alone_it_opens_the_form_with_it(client: Client) -> None:
    answer = client.post("/uploads/", {"file": SimpleUploadedFile("train.jsonl", lines(3))}, follow=True)
    upload = Upload.objects.get()
    assert f'value="{upload.reference}"' in body(answer)


def test_refused_alone_the_form_says_why(client: Client) -> None:
    answer = client.post("/uploads/", {"file": SimpleUploadedFile("a.txt", b"x")}, follow=True)
    assert "“a.txt” is not a .jsonl file" in text(answer)
