"""The fields of a specification as data: label, default, help, and how a typed value is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as part
from functools import partial
from typing import Any

from sessions.specification import classifying as c
from sessions.specification import measures as m
from sessions.specification import values as v
from sessions.specification.entries import Entry, FieldError, Origin, Workflow
from sessions.specification.field import Context, Field, field

__all__ = ["FIELDS", "Context", "Field", "FormReading", "check_entry", "read_form", "show"]

_classification = partial(field, workflows=frozenset({Workflow.CLASSIFICATION}))
_preference = partial(field, workflows=frozenset({Workflow.PREFERENCE}))
_tuning = partial(field, workflows=frozenset(Workflow) - {Workflow.AUTHORING})
_sweeping = partial(field, workflows=frozenset({Workflow.SFT, Workflow.CLASSIFICATION}))

_ALL = (
    field("workflow", "Workflow", v.WORKFLOW, "sft", "What kind of fine-tuning this is.", advanced=False),
    _preference("method", "Method", m.METHOD, "dpo", "DPO unless ORPO is asked for."),
    field(
        "dataset",
        "Dataset",
        v.DATASET,
        hint="A READY dataset in OpenAI chat format, or an upload.",
        advanced=False,
    ),
    _tuning(
        "evaluation_dataset",
        "Evaluation dataset",
        v.DATASET,
        hint="Measured on instead of rows held out from the dataset.",
    ),
    _tuning(
        "base_models",
        "Base models",
        v.MODELS,
        hint="One or more; each gets its own candidates.",
        advanced=False,
    ),
    _preference("sweep_models", "Sweep base models", v.FLAG, hint="Try the supported ones to find the best."),
    field(
        "strategy",
        "Evaluation",
        v.STRATEGY,
        "validation_loss",
        "How candidates are compared, always on rows they did not train on.",
        advanced=False,
        workflows=frozenset({Workflow.SFT}),
    ),
    field(
        "evaluator",
        "Evaluator",
        m.EVALUATOR,
        hint="An evaluator's ID or an upload; its scores compare candidates.",
        workflows=frozenset({Workflow.SFT, Workflow.PREFERENCE}),
    ),
    _preference("rubric", "Rubric", m.FREE, hint="What the judge prefers, in your words."),
    field(
        "criterion",
        "What counts as right",
        m.FREE,
        hint="What a written evaluator checks, in your words.",
        workflows=frozenset({Workflow.SFT, Workflow.AUTHORING}),
    ),
    field(
        "register",
        "Register on Fireworks",
        v.FLAG,
        False,
        "Register the written evaluator in your account, once you have approved it.",
        workflows=frozenset({Workflow.AUTHORING}),
    ),
    _tuning(
        "lora_ranks",
        "LoRA ranks",
        v.RANKS,
        hint="1, 2, 4, 8, 16 or 32; more learns more, and costs the same.",
    ),
    _tuning(
        "learning_rates", "Learning rates", v.RATES, hint="For example 1e-4; every rank is tried with each."
    ),
    _preference(
        "betas",
        "Beta or lambda",
        m.BETAS,
        hint="DPO's beta: how close to the base model it stays. ORPO's lambda: how much the pairs weigh.",
    ),
    _tuning(
        "max_candidates",
        "Candidates at the most",
        v.Whole(1, 100),
        hint="A grid that makes more is thinned: every base model keeps the middle of it.",
    ),
    _tuning(
        "epochs", "Epochs", v.Whole(1, 100), hint="Passes over the data; worked out from its size if empty."
    ),
    _sweeping(
        "tuning_samples",
        "Samples for tuning",
        v.Whole(3, 3_000_000),
        1000,
        "Candidates train on this many rows at the most.",
    ),
    _tuning("parallel_jobs", "Jobs in parallel", v.Whole(1, 50), 6, "Training jobs active at a time."),
    _sweeping(
        "final_run",
        "Full-data run",
        v.FLAG,
        True,
        "Train the winning configuration on all the data; else the winner is used as it is.",
    ),
    _tuning(
        "serving_order",
        "Answers come from",
        m.SERVING,
        tuple(m.WAYS),
        "Ways to ask models, in the order to try them: serverless, batch, multi-LoRA, live merge.",
    ),
    _tuning("deploy", "Deploy", v.FLAG, True, "Deploy the final model; it costs money while it runs."),
    field(
        "budget",
        "Budget",
        m.AMOUNT,
        hint="A plan that may cost more than this amount in USD is not approved.",
    ),
    field("seed", "Seed", v.Whole(0, 2**31 - 1), 42, "For samples, splits and shuffles."),
    _tuning(
        "heldout_rows",
        "Held-out rows",
        v.Whole(1, 100_000),
        hint="Rows kept from training to measure on; a tenth of the data, at most 100, if empty (a fifth of "
        "preference data and for a classifier).",
    ),
    _tuning("test_share", "Test share", m.SHARE, hint="The part of the data to measure on, for example 20%."),
    field(
        "drop_bad_rows", "Drop bad rows", v.FLAG, False, "Leave out rows with a problem instead of stopping."
    ),
    _sweeping(
        "tools_as_text",
        "Tool messages as text",
        v.FLAG,
        False,
        "Tool messages become user messages, and tool calls the assistant's text.",
    ),
    _sweeping(
        "parts_as_text", "Content parts as text", v.FLAG, False, "Lists of text parts become one text."
    ),
    _classification(
        "labels", "Labels", m.LABELS, hint="What an answer may be; taken from the data if empty."
    ),
    _classification(
        "label_changes",
        "Changes of labels",
        c.LABEL_CHANGES,
        hint="Rename or merge with “old -> new”, or “drop old”; several apart by semicolons.",
    ),
    _classification(
        "imbalance_threshold",
        "Imbalance threshold",
        m.THRESHOLD,
        50.0,
        "Most frequent over least frequent label; above this it is flagged in the plan.",
    ),
    _classification(
        "balance",
        "Against imbalance",
        c.BALANCE,
        "none",
        "none, repeat, cap, weight, drop or merge: what is done to the training rows.",
    ),
    _classification(
        "prompt",
        "Prompt",
        c.PROMPT,
        hint="How models are asked; {labels} is where the labels stand. The portal's own if empty.",
    ),
    _classification(
        "benchmark_only", "Benchmark only", v.FLAG, False, "Measure the base models, and train nothing."
    ),
    _classification(
        "compare_base",
        "Compare base models",
        v.FLAG,
        hint="Measure the base models against each other first.",
    ),
    _preference("make_pairs", "Make pairs", v.FLAG, hint="Make preference pairs from prompts."),
    _preference(
        "strong_model",
        "Strong model",
        m.SERVED,
        hint="Gives the preferred answers of made pairs; the largest if empty.",
    ),
    _preference(
        "weak_model",
        "Weak model",
        m.SERVED,
        hint="Gives the other answers of made pairs; the smallest if empty.",
    ),
    _preference(
        "judge_model",
        "Judge",
        m.SERVED,
        hint="Compares answers, unless you name an evaluator.",
    ),
    _preference(
        "screening", "Left out of made pairs", m.SCREENING, hint="Beside what is missing, empty or the same."
    ),
    _preference(
        "review_pairs",
        "Made pairs",
        m.REVIEW,
        hint="A sample is on the Data tab before anything is trained.",
    ),
    _preference("target", "Target", m.TARGET, hint="A goal to reach, for example a win rate of 70%."),
    _preference("stop_early", "Stop early", v.FLAG, hint="Start no more jobs once the target is reached."),
    field("title", "Title", v.TITLE, hint="A name for the run.", advanced=False),
)
FIELDS: Mapping[str, Field] = {each.name: each for each in _ALL}


@dataclass
class FormReading:
    """What a submitted form gave: good entries by field name, and faults."""

    entries: dict[str, Entry] = part(default_factory=dict)
    errors: list[FieldError] = part(default_factory=list)


def read_form(raw: Mapping[str, str], context: Context) -> FormReading:
    """Typed strings by field name to entries of origin `form`; blank means not given.

    Several base models, ranks or rates are separated by commas, spaces or new lines; yes/no fields take
    `yes` or `no` (an unticked checkbox sends nothing, so it needs a hidden `no`).
    """
    reading = FormReading()
    for name, text in raw.items():
        if name not in FIELDS or not text.strip():
            continue
        try:
            value = FIELDS[name].parse(text, context)
        except FieldError as error:
            reading.errors.append(error)
        else:
            reading.entries[name] = Entry(value, Origin.FORM, text.strip())
    return reading


def check_entry(name: str, value: Any, context: Context) -> Any:
    """The value in its final form, or `FieldError`."""
    return FIELDS[name].check(value, context)


def show(name: str, value: Any) -> str:
    """A value in plain words, for tables and sentences."""
    if value is None or value == ():
        return "not given"
    return FIELDS[name].show(value)
