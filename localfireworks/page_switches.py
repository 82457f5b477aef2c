"""The parts of the page where a person switches faults and sets the account. Plain forms, no scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from localfireworks import account_state
from localfireworks.faults import JOB_KINDS, REQUEST_KINDS, Fault, all_faults
from localfireworks.page_parts import Safe, button_form, section, select_field, table, text_field
from localfireworks.service import Service

METHODS = {"*": "any", **{method: method for method in ("GET", "POST", "PATCH", "PUT", "DELETE")}}
ROUTES = (
    "*",
    "/v1/accounts/*",
    "/v1/accounts/*/datasets*",
    "/v1/accounts/*/supervisedFineTuningJobs*",
    "/v1/accounts/*/dpoJobs*",
    "/v1/accounts/*/deployments*",
    "*/chat/completions",
    "/storage/*",
)


@dataclass(frozen=True)
class Entered:
    """A form that was refused: where, why, and what was typed."""

    part: str = ""
    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def problem(self, part: str) -> str:
        shown = self.part == part and self.message
        return f"<p class='bad' role='alert'>{escape(self.message)}</p>" if shown else ""


def often(fault: Fault) -> str:
    """How often a switch strikes, in words."""
    words = "always" if fault.probability == 1 else f"{fault.probability:.0%} (seed {fault.seed})"
    if fault.count:
        words += ", once" if fault.count == 1 else f", {fault.count} times at most"
    return words + (f", after the first {fault.after}" if fault.after else "")


def details(fault: Fault) -> str:
    given = fault.parameters
    if fault.kind == "rate-limited":
        return "no retry-after" if given.retry_after is None else f"retry-after {given.retry_after:g}"
    if fault.kind == "quota-exceeded":
        return f"{given.quota_required} required, {given.quota_available} available"
    return f"{given.seconds:g} s" if fault.kind == "latency" or fault.kind in JOB_KINDS else ""


def fault_row(fault: Fault) -> list[str]:
    where = Safe(f"{'any' if fault.method == '*' else fault.method} <code>{escape(fault.path)}</code>")
    spoken = f"Remove {fault.kind} on {fault.path}"
    remove = button_form(f"/admin/faults/{fault.id}:remove", "Remove", described=spoken)
    struck = f"{fault.hits} of {fault.seen}"
    return [fault.kind, where, often(fault), details(fault), struck, remove]


def fault_form(entered: Entered) -> str:
    typed = entered.fields if entered.part == "faults" else {}
    kinds = {"Requests": REQUEST_KINDS, "Jobs": JOB_KINDS}
    groups = {
        name: {kind: f"{kind}: {text.replace('`', '')}" for kind, text in each.items()}
        for name, each in kinds.items()
    }

    def field_of(name: str, label: str, default: str = "", hint: str = "", **attributes: str) -> str:
        return text_field(name, label, typed.get(name, default), hint, **attributes)

    first = (
        select_field("kind", "What goes wrong", groups, typed.get("kind", "latency")),
        select_field("method", "Method", {"": METHODS}, typed.get("method", "*")),
        field_of("path", "Path", "*", "* stands for anything. A job is met by its own path.", list="routes"),
    )
    how = {"inputmode": "decimal", "autocomplete": "off"}
    more = (
        field_of("probability", "Probability", "1", "0 to 1", **how),
        field_of("count", "At most", "", "times; empty: without end", **how),
        field_of("after", "Only after", "", "so many matching requests", **how),
        field_of("seed", "Seed", "0", "the same seed, the same sequence", **how),
        field_of("parameters.seconds", "Seconds", "1", "of latency, or before a job is struck", **how),
        field_of("parameters.retryAfter", "retry-after", "", "seconds; empty: no header", **how),
        field_of("parameters.quotaRequired", "Quota required", "8", "GPUs", **how),
        field_of("parameters.quotaAvailable", "Quota available", "0", "GPUs", **how),
    )
    options = "".join(f"<option value='{escape(route)}'>" for route in ROUTES)
    opened = " open" if typed else ""
    return (
        f"<form method='post' action='/admin/faults'><datalist id='routes'>{options}</datalist>"
        f"<div class='fields'>{''.join(first)}</div>"
        f"<details{opened}><summary>How often, and figures</summary>"
        f"<div class='fields'>{''.join(more)}</div></details>"
        "<div class='row'><button>Switch on</button></div></form>"
    )


def fault_section(service: Service, entered: Entered) -> str:
    faults = all_faults(service.store)
    clear = f"<div class='row'>{button_form('/admin/faults:clear', 'Remove all')}</div>" if faults else ""
    shown = table(
        ["Fault", "Where", "How often", "Details", "Struck", ""],
        [fault_row(fault) for fault in faults],
        "None is on: everything works.",
    )
    return section(
        "faults",
        "Fault switches",
        "<p>What goes wrong on purpose. They work at once and survive a restart.</p>",
        shown,
        clear,
        "<h2 style='margin-top:1.5rem'>Switch a fault on</h2>",
        entered.problem("faults"),
        fault_form(entered),
    )


def account_section(service: Service, entered: Entered) -> str:
    state, paid = account_state.suspend_state(service), account_state.has_payment_method(service)
    states = {"": {name: name.replace("_", " ").capitalize() for name in account_state.STATES}}
    payment = {"": {"true": "Yes", "false": "No: 10 calls a minute, no new jobs"}}
    fields = (
        select_field("suspendState", "Suspension", states, state, "Suspended: 412, and jobs are paused."),
        select_field("paymentMethod", "Payment method", payment, "true" if paid else "false"),
    )
    return section(
        "account",
        "Account",
        entered.problem("account"),
        f"<form method='post' action='/admin/account'><div class='fields'>{''.join(fields)}</div>"
        "<div class='row'><button>Set</button></div></form>",
    )
