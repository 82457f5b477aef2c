"""The page a person sees at `/`, and the health check."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from localfireworks import deployments, dpo_work, sft_work
from localfireworks.catalogue import CATALOGUE
from localfireworks.job_calls import progress_of
from localfireworks.jobs import fields_of
from localfireworks.service import Service, base_url, ok, service_of
from localfireworks.store import Resource

SHOWN = 50
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; }
code { font-size: .9em; overflow-wrap: anywhere; }
.note { border-left: 4px solid #c80; padding: .5rem 1rem; background: #c802; }
"""


def table(caption: str, heads: list[str], rows: list[list[str]], empty: str) -> str:
    """An HTML table, or the sentence for an empty one. Texts are escaped here."""
    if not rows:
        return f"<h2>{escape(caption)}</h2><p>{escape(empty)}</p>"
    head = "".join(f"<th scope='col'>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<h2>{escape(caption)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def job_rows(service: Service) -> list[list[str]]:
    """Training jobs of all kinds, the newest first."""
    rows = [
        row
        for kind in (sft_work.KIND, dpo_work.KIND)
        for row in service.store.page(kind.collection, service.account, order="createTime desc", limit=SHOWN)
    ]
    newest = sorted(rows, key=lambda row: row.created, reverse=True)[:SHOWN]
    return [_job_row(row, progress_of(service, row)) for row in newest]


def _job_row(job: Resource, progress: dict[str, Any]) -> list[str]:
    fields = fields_of(job)
    return [
        job.id,
        job.body.get("lossConfig", {}).get("method", "SFT"),
        fields["baseModel"] or fields["warmStartFrom"],
        job.state.removeprefix("JOB_STATE_"),
        f"{progress.get('percent') or 0} %",
        f"{progress.get('input_tokens') or 0:,} of {progress.get('total_tokens') or 0:,}",
        f"{progress.get('rows_used') or '-'} of {progress.get('rows_total') or job.private['rows']}",
    ]


def deployment_rows(service: Service) -> list[list[str]]:
    rows = service.store.page(deployments.COLLECTION, service.account, order="createTime desc", limit=SHOWN)
    return [[row.name, row.body["baseModel"], row.state, str(row.private.get("replicas", 0))] for row in rows]


def dataset_rows(service: Service) -> list[list[str]]:
    rows = service.store.page("datasets", service.account, order="createTime desc", limit=SHOWN)
    return [[row.name, row.body["displayName"], row.state, row.body["exampleCount"]] for row in rows]


def introduction(service: Service, base: str) -> str:
    budget = service.settings.token_budget
    limit = f"at most {budget:,} tokens of training a job" if budget else "no token budget"
    return f"""
<h1>Local Fireworks</h1>
<p class="note">This is a rehearsal server, not Fireworks AI. It has {len(CATALOGUE)} models under their real
names, each a small stand-in of 0.5 to 4 million parameters that really trains and really answers. Costs are
worked out from the real price list; nothing is charged.</p>
<p>API base URL: <code>{escape(base)}</code> · inference: <code>{escape(base)}/inference/v1</code> ·
account: <code>{escape(service.account)}</code> · key: any text · {limit}.</p>
<pre><code>curl -H "Authorization: Bearer any" {escape(base)}/v1/accounts</code></pre>
"""


async def home(request: Request) -> Response:
    service, base = service_of(request), base_url(request)
    parts = [
        introduction(service, base),
        table(
            "Fine-tuning jobs",
            ["Job", "Kind", "Model", "State", "Done", "Tokens", "Rows used"],
            job_rows(service),
            "No job yet.",
        ),
        table(
            "Deployments",
            ["Deployment", "Model", "State", "Replicas"],
            deployment_rows(service),
            "No deployment yet.",
        ),
        table(
            "Datasets", ["Dataset", "Title", "State", "Examples"], dataset_rows(service), "No dataset yet."
        ),
    ]
    title = "<title>Local Fireworks</title><meta name='viewport' content='width=device-width'>"
    return HTMLResponse(
        f"<!doctype html><html lang='en'><head>{title}<style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


async def health(request: Request) -> Response:
    service = service_of(request)
    return ok({"status": "ok", "account": service.account, "tokenBudget": service.settings.token_budget})


routes = [Route("/", home), Route("/healthz", health)]
