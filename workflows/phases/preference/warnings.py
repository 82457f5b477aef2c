"""What a plan of preference learning warns of, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from sessions.specification import FIELDS, CandidateConfig, Specification, short_name
from workflows.phases import data_risks, scoring
from workflows.phases.preference import lengths, named, roles, splitting
from workflows.phases.preference.pricing import Costed

LEFT_OUT = {
    "faulty": "Prompts whose answers are the same, empty or missing give no pair.",
    "refused": "Prompts whose answers are the same, empty or refused give no pair.",
    "cut_off": "Prompts whose answers are the same, empty, refused or cut off give no pair.",
}


def risks(specification: Specification, configs: Sequence[CandidateConfig], costed: Costed) -> list[str]:
    """What may go wrong or mislead."""
    found = splitting.risks(costed.parts)
    found += data_risks.little_trained(
        costed.parts.train.rows,
        costed.parts.heldout.rows,
        brought=bool(specification.value("evaluation_dataset")),
    )
    related = roles.related(costed.judge, costed.bases) if costed.judge else []
    if related:
        names = ", ".join(map(short_name, related))
        found.append(f"The judge is of the family of {names}: models favour answers of their own kind.")
    if costed.makers and costed.judge and roles.related(costed.judge, costed.makers.both):
        found.append(
            "The judge is of the family of a model that makes the pairs: "
            "it may favour what was learned from it."
        )
    if costed.makers:
        found.append(
            "The pairs are made, not chosen by people: what is learned is the difference between two models. "
            f"{LEFT_OUT[specification.value('screening')]} A sample is on the Data tab before anything is "
            "trained; if more than half of the prompts give no pair, you are asked first."
        )
        found += filter(None, [named.larger_weak(costed.makers)])
    elif any(specification.value(name) for name in named.OF_MAKING):
        found.append("The dataset has pairs already, so that none are made.")
    found += [*cut(costed), *unused(costed.work.session.specification)]
    if len(dict.fromkeys(each.base_model for each in configs)) > 1:
        found.append("Win rates of different base models are each against their own base; the best are also "
                     "compared with each other.")  # fmt: skip
    if specification.value("deploy"):
        found.append("A deployment costs by the second while a replica is up; it scales to zero when idle.")
    return found


def unused(said: Specification) -> list[str]:
    """What a named evaluator makes needless (product row 4.5)."""
    labels = [
        FIELDS[name].label.lower() for name in ("rubric", "judge_model") if said.by_person().value(name)
    ]
    if not labels or not said.value("evaluator"):
        return []
    return [f"Your evaluator compares the models, so the {' and the '.join(labels)} you named is not used."]


def cut(costed: Costed) -> list[str]:
    """Whether answers may be cut because a model holds no more."""
    wanted, most = lengths.wanted(costed.parts), costed.answer_tokens
    if most >= wanted:
        return []
    held = scoring.tokens_held(costed.work.session, costed.bases)
    words = (
        f"Answers may have {most:,} tokens instead of {wanted:,}: the models hold {held:,}, prompt and "
        "answer together, and the judge reads two. Longer ones are cut, base and tuned alike."
    )
    return [words]
