"""The evaluator of a session: brought in or written, and tried apart, before any plan that rests on it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from sessions.models import Artifact, Upload
from sessions.specification import Option
from workflows.evaluators import brought, isolation, packages
from workflows.evaluators.authoring import CannotTell
from workflows.evaluators.brought import Brought
from workflows.evaluators.folders import NotTaken
from workflows.evaluators.isolation import Evaluator
from workflows.evaluators.samples import look, samples_in
from workflows.evaluators.trial import REFERENCE
from workflows.evaluators.trying import Tried, tried
from workflows.evaluators.unpacking import unpacked
from workflows.fireworks import evaluators, names, signed
from workflows.fireworks.errors import BadAnswer, NotFound, Permanent
from workflows.phases import authoring
from workflows.phases.questions import Refusal
from workflows.phases.staging import UPLOAD
from workflows.work import Work

ROOM = "evaluator"  # folder of the workspace
SOURCE, CODE = f"{ROOM}/source", f"{ROOM}/code"  # each unpacked one in a folder named by its hash
SHOWN, SCORES, FACTS = f"{ROOM}/evaluator.py", f"{ROOM}/scores.csv", f"{ROOM}/evaluator.json"
SAMPLES = 8  # held-out rows that a brought evaluator is tried on
OTHER_ONE = "Give another evaluator, or say “use validation loss”."


@dataclass(frozen=True, slots=True)
class Source:
    """What somebody brought: a file as it came, and the entry point that its owner names, if any."""

    filename: str
    content: bytes
    entry: str = ""


def prepared(work: Work, strategy: str, rows: Path) -> dict[str, Any]:
    """The facts of the evaluator, which is there and was tried. `rows` are those it will be asked about.

    Raises Refusal where a person must say something else, and NeedsIsolation.
    """
    authoring.settle(work)
    try:
        if strategy == "generated":
            authoring.ensure(work)
        elif not current(work):
            bring(work, rows)
    except CannotTell as fault:
        offers = tuple(Option(each, each) for each in fault.offers)
        raise Refusal("criterion", f"{fault} What counts as right?", authoring.OTHER_WORDS, offers) from fault
    except isolation.NotIsolated as fault:
        raise authoring.NeedsIsolation(str(fault)) from fault
    return facts(work, strategy)


def facts(work: Work, strategy: str) -> dict[str, Any]:
    """What is known of the session's evaluator."""
    name = authoring.FACTS if strategy == "generated" else FACTS
    found: dict[str, Any] = Artifact.objects.get(session=work.session, name=name).detail
    return found


def evaluator(work: Work, strategy: str) -> Evaluator:
    """The evaluator as it is run. Its files and packages were put there by `prepared`."""
    if strategy == "generated":
        return Evaluator((work.folder / authoring.CODE).parent)
    known = facts(work, strategy)
    return Evaluator(place_of(work, known["sha256"]), known["entry"], installed(known["requirements"]))


def place_of(work: Work, sha256: str) -> Path:
    """Where the evaluator with this hash is, once it was tried: another one never comes in its place."""
    return work.folder / CODE / sha256


def current(work: Work) -> bool:
    """Whether the evaluator that is named now is there, as it was tried and as it is shown."""
    made = Artifact.objects.filter(session=work.session, name=FACTS).first()
    shown = Artifact.objects.filter(session=work.session, name=SHOWN).first()
    if not made or not shown or made.detail["from"] != work.session.value("evaluator"):
        return False
    place = place_of(work, made.detail["sha256"])
    try:
        found = brought.read(place, made.detail["entry"])
    except NotTaken:
        return False
    same = found.sha256 == made.detail["sha256"]
    return same and hashlib.sha256(found.file.read_bytes()).hexdigest() == shown.sha256


def bring(work: Work, rows: Path) -> None:
    """Fetch, unpack, install, try, and keep what was found; the facts come last and mark it all.

    Only what passed its trial comes where evaluators are run from. A refused one changes nothing there."""
    reference = str(work.session.value("evaluator"))
    fresh = work.folder / f"{CODE}-new"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        source = copied(work, reference) if reference.startswith(UPLOAD) else fetched(work, reference)
        found = opened(source, fresh)
        shelf = installed(found.requirements)
    except NotTaken as fault:
        raise refused(f"it cannot be used: {fault}") from fault
    except packages.NotInstalled as fault:
        raise refused(str(fault)) from fault
    seen = look(samples_in(rows), seed=work.session.value("seed"), keep=SAMPLES)
    trial = tried(Evaluator(found.folder, found.entry, shelf), seen.kept, authoring.scorer())
    if trial.refusal:
        raise refused(f"tried on {len(seen.kept)} rows of your data, {trial.refusal}")
    place = place_of(work, found.sha256)
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    found.folder.rename(place)
    shutil.rmtree(fresh, ignore_errors=True)
    keep(work, reference, source, replace(found, folder=place), trial)


def opened(source: Source, fresh: Path) -> Brought:
    """The source unpacked below the new folder `fresh`. Raises NotTaken."""
    fresh.mkdir(parents=True)
    packed, code = fresh / "source", fresh / "code"
    packed.write_bytes(source.content)
    unpacked(packed, code)
    return brought.read(code, source.entry)


def refused(fault: str) -> Refusal:
    return Refusal("evaluator", f"The evaluator: {fault.rstrip('.')}.", OTHER_ONE)


def copied(work: Work, reference: str) -> Source:
    """An upload of the session's owner; it names no entry point. Raises Refusal."""
    token = reference.removeprefix(UPLOAD)
    upload = Upload.objects.filter(token=token, owner=work.session.owner).first()
    if upload is None or not upload.path.exists():
        raise refused("the uploaded file is not there any more")
    return Source(upload.filename, upload.path.read_bytes())


def fetched(work: Work, name: str) -> Source:
    """The source of an evaluator on Fireworks. Raises Refusal."""
    try:
        found = evaluators.get(work.fireworks, name)
        urls = evaluators.source_urls(work.fireworks, found.name or name)
        if len(urls) != 1:
            raise refused(
                f"Fireworks gave {len(urls)} files of source for {names.short(name)}, not one archive"
            )
        [(filename, url)] = urls.items()
        content = signed.read_signed(work.fireworks, url)
    except NotFound as fault:
        raise refused(f"there is no {name}, or it has no source") from fault
    except (Permanent, BadAnswer) as fault:
        raise refused(f"its source was not given out: {fault}") from fault
    return Source(filename, content, found.entry_point)


def installed(requirements: str) -> Path | None:
    """The folder of its packages. Raises NotInstalled."""
    shelf = Path(settings.DATA) / "evaluator-packages"
    return packages.install(requirements, shelf, allowed=bool(settings.EVALUATORS["packages"]))


def keep(work: Work, reference: str, source: Source, found: Brought, trial: Tried) -> None:
    """The source, the code as it is shown, the scores of the trial, and the facts."""
    work.keep(SOURCE, "application/octet-stream", source.content, filename=source.filename)
    work.keep(SHOWN, "text/x-python", found.file.read_bytes())
    work.keep(SCORES, "text/csv", authoring.scores_csv(trial.answers))
    own = trial.means[REFERENCE]
    told = "–" if own is None else f"{own:.2f}"
    told = f"tried on {trial.to_json()['samples']} rows: the dataset's own answers score {told} on average"
    detail = {
        **trial.to_json(),
        "kind": "brought",
        "label": f"what you brought, {source.filename}",
        "from": reference,
        "file": source.filename,
        "entry": found.entry,
        "requirements": found.requirements,
        "sha256": found.sha256,
        "warnings": trial.warnings,
        "words": told,
    }
    work.keep(FACTS, "application/json", json.dumps(detail, ensure_ascii=False, indent=1), **detail)
    work.tell("evaluator-brought", f"{source.filename} is run apart; {told}")
