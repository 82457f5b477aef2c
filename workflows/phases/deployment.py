"""Phase 6: deploy the final model, and prove by a real request that it answers."""

from __future__ import annotations

import json
import time
from itertools import islice
from typing import Any

from sessions.models import Artifact, Candidate, Resource
from sessions.specification import Workflow
from sessions.texts import text_of
from workflows import uptime
from workflows.creating import Wanted, ensure
from workflows.fireworks import deployments, inference, names
from workflows.fireworks.errors import FireworksError, Temporary
from workflows.outcomes import Done, Failed, Failure, Outcome, Skip, Wait
from workflows.phases import datasets, evaluation, serving, snippets
from workflows.phases.classification import asking
from workflows.work import Work

PROOF = "deployment.json"
ANSWER_TOKENS = 96
EXAMPLES = 100  # held-out rows among which the example is looked for
DEADLINE_SECONDS = 40 * 60  # starts of 10 minutes and more were seen (facts sheet 6.5)


def step(work: Work) -> Outcome:
    """Make the deployment, wait until it is up, ask it one question."""
    if not work.session.value("deploy"):
        return Skip("you asked not to deploy")
    final = evaluation.final_model(work.session)
    resource = deployed(work, final)
    found = deployments.get(work.fireworks, resource.name)
    if found.failed or found.gone:
        return Failed(not_up(found))
    if not found.ready:
        return waiting(work, resource, f"the deployment is {found.state or 'in no state that was told'}")
    uptime.seen_up(work.session, found, work.clock())
    try:
        keep_proof(work, final, resource, found)
    except FireworksError as error:
        if not inference.is_warming(error):
            raise
        return waiting(work, resource, str(error))
    return Done(f"{names.short(resource.name)} answers")


def deployed(work: Work, final: Candidate) -> Resource:
    """The session's deployment: the LoRA merged into its base at start, one replica at most."""
    wanted = deployments.Wanted(
        base_model=final.model,
        display_name=f"{work.session.public_id} {work.session.title}",
        shape=serving.SHAPE,
    )

    def make(resource: Resource) -> None:
        deployments.create(work.fireworks, names.short(resource.name), wanted)

    request = {"baseModel": final.model}
    return ensure(work, Wanted("deployment", "deployments", uptime.PURPOSE, uptime.ITEM, 1, request), make)


def waiting(work: Work, resource: Resource, why: str) -> Outcome:
    """Look again soon; after the deadline a person is asked by way of a passing fault."""
    if work.waited_for(resource) > DEADLINE_SECONDS:
        raise Temporary(f"After {DEADLINE_SECONDS // 60} minutes {why}")
    return Wait(work.poll_seconds)


def not_up(found: deployments.Deployment) -> Failure:
    """A deployment that did not come up; the trained model is not lost."""
    return Failure(
        "platform",
        f"The deployment ended as {found.state}.",
        "The trained model is kept in your account; deploy it again from the Fireworks console.",
        found.status.message,
        retry_safe=True,
    )


def keep_proof(work: Work, final: Candidate, resource: Resource, found: deployments.Deployment) -> None:
    """Ask the deployment once and keep everything that is needed to use it."""
    if Artifact.objects.filter(session=work.session, name=PROOF).exists():
        return
    messages = example(work)
    settings = asked_with(work)
    body = inference.chat_body(messages, **{"max_tokens": ANSWER_TOKENS, **settings})
    started = time.perf_counter()
    answer = inference.complete(work.fireworks, body, inference.addresses(final.model, resource.name))
    seconds = time.perf_counter() - started
    served = {
        "deployment": resource.name,
        "model": final.model,
        "base_model": final.base_model,
        "address": answer.address,
        "endpoint": f"{work.fireworks.inference_url}/chat/completions",
        "accelerator_type": found.accelerator_type,
        "accelerator_count": found.accelerator_count,
        "snippet": snippets.python(work, answer.address, messages, settings or snippets.PLAIN),
        "curl": snippets.curl(work, answer.address, messages, settings or snippets.PLAIN),
        "proof": {
            "question": messages[-1]["content"],
            "answer": answer.text,
            "seconds": round(seconds, 2),
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
        },
    }
    text = json.dumps(served, ensure_ascii=False, indent=1)
    work.keep(PROOF, "application/json", text, **served)
    work.tell("deployed", f"{names.short(resource.name)} answered its first request in {seconds:.1f} s")


def asked_with(work: Work) -> dict[str, Any]:
    """How a classifier is asked, as it was when it was measured; nothing for other models."""
    if work.session.workflow != Workflow.CLASSIFICATION:
        return {}
    most = asking.prompt_of(work.session).max_tokens
    return {"max_tokens": most, "temperature": 0, "reasoning_effort": "none"}


def example(work: Work) -> list[dict[str, Any]]:
    """A conversation of the held-out rows, up to the answer that the model is to give.

    The shortest of the first ones: a prompt that leaves no room for an answer proves nothing.
    """
    path = Artifact.objects.get(session=work.session, name=datasets.HELDOUT.artifact).path
    with path.open(encoding="utf-8") as lines:
        row = json.loads(min(islice(lines, EXAMPLES), key=len))
    messages = row.get("input", row)["messages"]  # of a preference pair, the prompt
    while len(messages) > 1 and messages[-1]["role"] != "user":
        messages.pop()
    return [{"role": each["role"], "content": text_of(each.get("content"))} for each in messages]
