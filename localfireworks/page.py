"""The page a person sees at `/`, and the health check."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from localfireworks import deployed_models, deployments, dpo_work, sft_work
from localfireworks.billing import line_items
from localfireworks.catalogue import CATALOGUE
from localfireworks.evaluation_page import evaluation_section
from localfireworks.job_calls import progress_of
from localfireworks.jobs import fields_of
from localfireworks.page_parts import document, section, table
from localfireworks.page_switches import Entered, account_section, fault_section
from localfireworks.rates import amount_of
from localfireworks.service import Service, base_url, ok, service_of
from localfireworks.store import Resource
from localfireworks.usage import month_begin, used

SHOWN = 50
STUCK_SECONDS = 15.0  # far above a slow round of the background loop
SECTIONS = {
    "faults": "Fault switches",
    "account": "Account",
    "jobs": "Fine-tuning jobs",
    "evaluation": "Batches and evaluations",
    "deployments": "Deployments",
    "datasets": "Datasets",
    "costs": "Costs of this month",
}


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


def loaded_rows(service: Service) -> list[list[str]]:
    rows = service.store.page(deployed_models.COLLECTION, service.account, limit=SHOWN)
    return [[row.body["model"], row.body["deployment"], row.state] for row in rows]


def cost_rows(service: Service) -> list[list[str]]:
    """This month's costs by category and model or GPU."""
    now = service.clock()
    lines = line_items(used(service, month_begin(now), now + 1))
    return [
        [
            line["category"],
            line["groupingValue"],
            f"{line['quantity']:,.0f} {line['secondaryGroupingValue']}",
            f"${amount_of(line['totalCost']):.4f}",
        ]
        for line in lines
    ]


def introduction(service: Service, base: str) -> str:
    budget = service.settings.token_budget
    limit = f"at most {budget:,} tokens of training a job" if budget else "no token budget"
    links = "".join(f"<a href='#{id_}'>{escape(title)}</a>" for id_, title in SECTIONS.items())
    return f"""<header><h1>Local Fireworks</h1><nav aria-label="On this page">{links}</nav></header>
<p class="note">This is a rehearsal server, not Fireworks AI. It has {len(CATALOGUE)} models under their real
names, each a small stand-in of 0.5 to 4 million parameters that really trains and really answers. Costs are
worked out from the real price list; nothing is charged.</p>
<section><p>API base URL: <code>{escape(base)}</code> · inference: <code>{escape(base)}/inference/v1</code> ·
account: <code>{escape(service.account)}</code> · key: any text · {limit}.</p>
<pre>curl -H "Authorization: Bearer any" {escape(base)}/v1/accounts</pre></section>
"""


def lists(service: Service) -> list[str]:
    """The sections that only show."""
    return [
        section(
            "jobs",
            SECTIONS["jobs"],
            table(
                ["Job", "Kind", "Model", "State", "Done", "Tokens", "Rows used"],
                job_rows(service),
                "No job yet.",
            ),
        ),
        evaluation_section(service, "evaluation", SECTIONS["evaluation"]),
        section(
            "deployments",
            SECTIONS["deployments"],
            table(
                ["Deployment", "Model", "State", "Replicas"], deployment_rows(service), "No deployment yet."
            ),
            table(["LoRA model", "Loaded onto", "State"], loaded_rows(service), "No LoRA model is loaded."),
        ),
        section(
            "datasets",
            SECTIONS["datasets"],
            table(["Dataset", "Title", "State", "Examples"], dataset_rows(service), "No dataset yet."),
        ),
        section(
            "costs",
            SECTIONS["costs"],
            table(["Category", "For", "Used", "Cost"], cost_rows(service), "Nothing was used this month."),
        ),
    ]


def page(request: Request, entered: Entered) -> Response:
    """The whole page; 400 and the entered fields when a form was refused."""
    service = service_of(request)
    parts = [
        introduction(service, base_url(request)),
        fault_section(service, entered),
        account_section(service, entered),
        *lists(service),
    ]
    return HTMLResponse(document("Local Fireworks", *parts), 400 if entered.message else 200)


async def home(request: Request) -> Response:
    return page(request, Entered())


async def health(request: Request) -> Response:
    """503 when nothing has moved jobs and deployments for a while."""
    service = service_of(request)
    stuck = service.ticked is not None and service.clock() - service.ticked > STUCK_SECONDS
    state = {"status": "stuck" if stuck else "ok"}
    body = {"account": service.account, "tokenBudget": service.settings.token_budget}
    return ok(state | body, 503 if stuck else 200)


routes = [Route("/", home), Route("/healthz", health)]
