"""Phase 6 of evaluator authoring: register it on Fireworks, once a person has approved exactly that."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

from sessions.actions import moves
from sessions.actions.planning import add_revision
from sessions.models import Artifact, Plan, Resource
from sessions.specification import sentence
from sessions.states import Decision, GateKind, Phase
from workflows.creating import Wanted, ensure
from workflows.fireworks import evaluators, names
from workflows.fireworks.errors import Temporary
from workflows.outcomes import Ask, Done, Failed, Failure, Outcome, Skip, Wait
from workflows.phases import plans
from workflows.phases.authoring import CODE, FACTS, current, write
from workflows.phases.planning import changed
from workflows.work import Work

ARCHIVE = "outputs/evaluator.tar.gz"
ENTRY = "evaluator.py::test_answer"
ITEM = "evaluator:registration"  # its line in the ledger
DEADLINE_SECONDS = 30 * 60


def step(work: Work) -> Outcome:
    """Ask for the approval, make the evaluator, and wait until Fireworks has built it."""
    if not work.session.value("register"):
        return Skip("you did not ask to register the evaluator on Fireworks")
    if not current(work) and (asked := written_anew(work)):  # changes were asked for at the gate
        return asked
    if not approved(work):
        changes = changed(plans.latest(work.session), work.session.specification)
        plan = add_revision(work.session, body(work), changes)
        return Ask(GateKind.PLAN, "Approve registering the evaluator on Fireworks", {}, plan)
    resource = registered(work)
    found = evaluators.get(work.fireworks, resource.name)
    if found.active:
        return Done(f"{names.short(found.name)} is registered on Fireworks")
    if found.failed:
        return Failed(not_built(found))
    if work.waited_for(resource) > DEADLINE_SECONDS:
        raise Temporary(f"After {DEADLINE_SECONDS // 60} minutes the evaluator is {found.state}")
    return Wait(work.poll_seconds)


def written_anew(work: Work) -> Ask | None:
    """Write the evaluator for what counts as right now, or ask where no rule does that."""
    outcome = write(work)
    if isinstance(outcome, Ask):
        return outcome
    assert isinstance(outcome, Done)  # noqa: S101  # writing comes to nothing else
    moves.say_anew(work.session, Phase.EVALUATION, outcome.note)
    return None


def approved(work: Work) -> bool:
    """Whether the newest revision of the plan, made from these very files, is approved."""
    gate = work.session.gates.filter(kind=GateKind.PLAN).last()
    newest: Plan | None = plans.latest(work.session)
    if not gate or not newest or gate.decision != Decision.APPROVED or gate.plan != newest:
        return False
    return bool(newest.body["code_sha256"] == code_of(work).sha256)


def code_of(work: Work) -> Artifact:
    """`evaluator.py` as it is now."""
    return Artifact.objects.get(session=work.session, name=CODE)


def body(work: Work) -> dict[str, Any]:
    """The plan: one thing is made, and it is these files."""
    about = Artifact.objects.get(session=work.session, name=FACTS).detail
    return {
        "summary": f"Register the evaluator on Fireworks: it checks {about['label']}; {about['words']}.",
        "sentence": sentence(work.session.specification),
        "specification": work.session.specification.to_json(),
        "candidates": [],
        "estimate": estimate(),
        "time": {
            "low": 10,
            "high": DEADLINE_SECONDS,
            "how": "Fireworks builds it first",
            "words": "a few minutes",
        },
        "risks": [f"It does not check “{each}”." for each in about["unchecked"]],
        "irreversible": ["A new evaluator appears in your account; nothing that is there is changed."],
        "skipped": {},
        "code_sha256": code_of(work).sha256,
    }


def estimate() -> dict[str, Any]:
    """The plan's one line of money. No price is stated for an evaluator, and none is guessed."""
    line = {
        "item": ITEM,
        "label": "Evaluator on Fireworks",
        "group": "Evaluator",
        "phase": Phase.DEPLOYMENT,
        "low": None,
        "expected": None,
        "high": None,
        "how": "Fireworks states no price for building or keeping one",
    }
    total = {"low": "0", "expected": "0", "high": "0", "not_calculated": [line["label"]]}
    return {"lines": [line], "by_group": [], "by_phase": [], **total}


def registered(work: Work) -> Resource:
    """The evaluator on Fireworks, made and filled if it is not there yet."""
    packed = archive(work)
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    about = Artifact.objects.get(session=work.session, name=FACTS).detail
    wanted = evaluators.Authored(
        entry_point=ENTRY,
        content_hash=digest,
        display_name=f"{work.session.public_id} {work.session.title}",
        description=about["criterion"],
    )

    def make(resource: Resource) -> None:
        evaluators.create(work.fireworks, names.short(resource.name), wanted)

    request = {"entryPoint": ENTRY, "sha256": digest}
    resource = ensure(
        work, Wanted("evaluator", evaluators.COLLECTION, "evaluator", ITEM, request=request), make
    )
    if not evaluators.get(work.fireworks, resource.name).failed:
        fill(work, resource, packed)
    return resource


def fill(work: Work, resource: Resource, packed: Path) -> None:
    """Upload the code, once: what is being built is left alone."""
    sent = "evaluator-uploaded"
    if not work.session.events.filter(kind=sent).exists():
        evaluators.upload(work.fireworks, resource.name, packed)
        work.tell(sent, f"The code of {names.short(resource.name)} was uploaded")


def archive(work: Work) -> Path:
    """`evaluator.py` and an empty `requirements.txt`; the same code gives the same bytes."""
    code = code_of(work)
    made = Artifact.objects.filter(session=work.session, name=ARCHIVE, detail__code=code.sha256)
    if not made.exists():
        content = packed_files({"evaluator.py": code.path.read_bytes(), "requirements.txt": b""})
        work.keep(ARCHIVE, "application/gzip", content, code=code.sha256)
    return work.folder / ARCHIVE


def packed_files(files: dict[str, bytes]) -> bytes:
    """A `.tar.gz` without times and owners."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def not_built(found: evaluators.Evaluator) -> Failure:
    """Fireworks could not build it; both files are kept."""
    return Failure(
        "platform",
        "Fireworks could not build the evaluator.",
        "Both files are kept on the session's page; look at the build's log on Fireworks.",
        found.status.message,
        retry_safe=True,
    )
