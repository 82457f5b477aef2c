"""Downloads by the name of a row, never by a path; the report as a page that can run nothing."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.test import Client

from sessions.models import Artifact, TuningSession
from sessions.models.evidence import workspace
from sessions.states import Status
from sessions.views.markdown import rendered
from tests.factories import make_candidate, make_session
from tests.integration.session_page.conftest import Get

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> TuningSession:
    return make_session(status=Status.RUNNING)


def keep(session: TuningSession, name: str, text: str) -> Artifact:
    path = workspace(session) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return Artifact.objects.create(
        session=session, name=name, media_type="text/html", bytes=len(text), sha256="0" * 64
    )


@pytest.mark.parametrize(
    ("name", "kind", "inline"),
    [
        ("charts/losses.svg", "image/svg+xml", True),
        ("report.json", "application/json", False),
        ("scoreboard.csv", "text/csv; charset=utf-8", False),
        ("final_report.md", "text/markdown; charset=utf-8", False),
        ("train.jsonl", "text/plain; charset=utf-8", False),
        ("evil.html", "application/octet-stream", False),
    ],
)
def test_a_file_is_sent_as_what_it_may_be(
    client: Client, session: TuningSession, name: str, kind: str, inline: bool
) -> None:
    keep(session, name, "content")
    response = client.get(f"/s/{session.public_id}/files/{name}")
    assert b"".join(response.streaming_content) == b"content"  # type: ignore[attr-defined]
    assert response["Content-Type"] == kind
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Content-Disposition"].startswith("inline" if inline else "attachment")


@pytest.mark.parametrize(
    "name",
    ["../../secret.key", "..%2F..%2Fsecret.key", "/etc/passwd", "charts", "there-but-no-row.txt", "%00"],
)
def test_only_rows_are_files(client: Client, session: TuningSession, name: str) -> None:
    keep(session, "charts/losses.svg", "x")
    secret = workspace(session).parent.parent / "secret.key"
    secret.write_text("secret")
    (workspace(session) / "there-but-no-row.txt").write_text("secret")
    response = client.get(f"/s/{session.public_id}/files/{name}")
    assert response.status_code in {301, 404}
    assert b"secret" not in response.content.replace(name.encode(), b"")


def test_a_row_without_its_file_is_not_there(client: Client, session: TuningSession) -> None:
    keep(session, "gone.csv", "x").path.unlink()
    assert client.get(f"/s/{session.public_id}/files/gone.csv").status_code == 404


def test_a_file_of_another_session_is_not_there(client: Client, session: TuningSession) -> None:
    keep(make_session(), "report.json", "{}")
    assert client.get(f"/s/{session.public_id}/files/report.json").status_code == 404


def test_the_scoreboard_downloads_as_it_stands_and_runs_no_formula(
    client: Client, session: TuningSession
) -> None:
    make_candidate(session, 1, state="done", validation_loss=1.5, job="=HYPERLINK(1)")
    make_candidate(session, 2, state="done", validation_loss=1.2)
    response = client.get(f"/s/{session.public_id}/scoreboard.csv")
    read = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [row["number"] for row in read] == ["2", "1"]
    assert read[1]["job"] == "'=HYPERLINK(1)"
    assert "attachment" in response["Content-Disposition"]


REPORT = """# Final report

| Candidate | Loss |
|---|---|
| 1 | 1.25 |

![Losses](charts/losses.svg)
![Elsewhere](https://elsewhere.example/x.png)

<script>alert(1)</script> [click](javascript:alert(1)) <img src=x onerror=alert(1)>
"""


def test_the_report_is_a_page_with_its_pictures_and_downloads(get: Get, session: TuningSession) -> None:
    keep(session, "final_report.md", REPORT)
    keep(session, "report.json", "{}")
    html = get(session, "report/")
    assert "<h1>Final report</h1>" in html
    assert "<td>1.25</td>" in html
    assert f'<img src="/s/{session.public_id}/files/charts/losses.svg" alt="Losses"' in html
    assert f"/s/{session.public_id}/files/report.json" in html


def test_the_report_runs_nothing_and_reaches_nothing(get: Get, session: TuningSession) -> None:
    keep(session, "final_report.md", REPORT)
    html = get(session, "report/")
    article = html[html.index("<article") : html.index("</article>")]
    assert "<script" not in article
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in article
    assert 'href="javascript' not in article
    assert "elsewhere.example" not in article
    assert "<img src=x" not in article


def test_a_picture_cannot_point_out_of_the_sessions_files() -> None:
    html = rendered("![a](//elsewhere.example/x.png) ![b](/new/) ![c](../../x)", "abc")
    assert "elsewhere.example" not in html
    assert 'src="/new/' not in html


def test_before_the_end_the_page_says_when_the_report_comes(get: Get, session: TuningSession) -> None:
    html = get(session, "report/", status=404)
    assert "It is written when the session ends, however it ends." in html
    assert get(session, "report.md", status=404)


def test_the_markdown_downloads_under_a_telling_name(client: Client, session: TuningSession) -> None:
    keep(session, "final_report.md", REPORT)
    response = client.get(f"/s/{session.public_id}/report.md")
    name = Path(response["Content-Disposition"].split('"')[1]).name
    assert name == f"{session.public_id}-final_report.md"
    assert b"".join(response.streaming_content).decode() == REPORT  # type: ignore[attr-defined]
