"""`manage.py session …`: the verbs of `firectl session`, over the same actions as the pages."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fwportal import session_cli as shown
from fwportal import session_readings as readings
from fwportal.middleware import owner
from sessions import queries, replies
from sessions.actions import gates, uploading
from sessions.actions.starting import create_session
from sessions.drafts import Draft
from sessions.intake import shelf, take
from sessions.models import Gate, TuningSession
from sessions.replies import Kind
from sessions.specification import FIELDS
from sessions.states import Decision

POLL_SECONDS = 0.5
VERBS = {
    "create": "start a session from an instruction",
    "read": "show how an instruction is understood, without starting anything",
    "events": "print the event log",
    "get": "show a session",
    "list": "list your sessions",
    "update": "reply at the gate where a session waits",
    "propose": "let a model propose a reading of what was not understood",
    "cancel": "cancel a session",
    "report": "print final_report.md",
}


class Command(BaseCommand):
    """Exit codes: 0 done, 1 refused or not found."""

    help = "Start, watch and decide tuning sessions from the command line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb, words in VERBS.items():
            arguments = verbs.add_parser(verb, help=words, description=words.capitalize() + ".")
            arguments.add_argument("--json", action="store_true", help="print JSON")
            arguments.add_argument("--user", help="act as this user (default: the owner of local mode)")
            if verb not in {"create", "read", "list"}:
                arguments.add_argument("id", help="the session's id")
            if verb == "create":
                arguments.add_argument("--instruction", required=True, help="in plain English")
            if verb == "propose":
                words = "the reply that was not understood; without it, the session's own instruction"
                arguments.add_argument("--instruction", default="", help=words)
                words = "approve up to this amount in USD; without it, only the offer is shown"
                arguments.add_argument("--at-most", type=Decimal, metavar="USD", help=words)
            if verb == "read":
                arguments.add_argument("instruction", help="in plain English")
            if verb == "create":
                arguments.add_argument("--file", type=Path, help="upload this JSONL file as the dataset")
                words = "upload this .py, .zip or .tar.gz as the evaluator that scores"
                arguments.add_argument("--evaluator", type=Path, help=words)
            if verb == "update":
                way = arguments.add_mutually_exclusive_group(required=True)
                way.add_argument("--instruction", help="in plain English")
                words = "take these fields of the reading that a model proposed, with commas between them"
                way.add_argument("--take", metavar="FIELDS", help=words)
                way.add_argument("--discard", action="store_true", help="discard what a model proposed")
                words = "the revision of the plan that you read; needed to approve any but the first"
                arguments.add_argument("--revision", type=int, metavar="N", help=words)
            if verb == "events":
                arguments.add_argument("--wait", action="store_true", help="go on until it waits or is over")
                arguments.add_argument("--after", type=int, default=0, help="only events after this number")

    def handle(self, *_: Any, **options: Any) -> None:
        self.options, self.person = options, self.acting(options["user"])
        getattr(self, options["verb"])()

    def acting(self, name: str | None) -> User:
        if not name:
            return owner()
        person = User.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"There is no user {name}.")
        return person

    def found(self) -> TuningSession:
        session = queries.sessions_of(self.person).filter(public_id=self.options["id"]).first()
        if session is None:
            raise CommandError(f"There is no session {self.options['id']}. See: manage.py session list")
        return session

    def say(self, facts: Any, lines: Iterable[str]) -> None:
        """JSON when asked for, else lines for people."""
        if self.options["json"]:
            self.stdout.write(json.dumps(facts, ensure_ascii=False, indent=1))
        else:
            for line in lines:
                self.stdout.write(line)

    def create(self) -> None:
        draft = Draft(self.options["instruction"], self.uploaded())
        intake = take(draft.typed, shelf(), self.person, timezone.now().date(), unread=True)
        if intake.errors:
            self.refuse([error.to_json() for error in intake.errors])
        session = create_session(self.person, intake.start(draft.to_json()))
        notes = [*(f"Not understood: {words}" for words in session.not_understood), *intake.conflicts]
        for line in notes:
            self.stderr.write(line)
        self.say(shown.detail(session), [session.public_id])

    def uploaded(self) -> dict[str, str]:
        """The form's fields for files on this machine."""
        fields = {}
        if path := self.options["file"]:
            fields["dataset"] = self.received(path, uploading.data(settings.MAX_UPLOAD))
        if path := self.options["evaluator"]:
            fields |= {"evaluator": self.received(path, uploading.EVALUATOR), "strategy": "evaluator"}
        return fields

    def received(self, path: Path, kind: uploading.Kind) -> str:
        """One file, taken in as by the page; how a specification names it."""
        try:
            with path.open("rb") as file:
                given = UploadedFile(file, path.name, size=path.stat().st_size)
                return uploading.receive(self.person, given, kind).reference
        except (OSError, uploading.Refused) as fault:
            raise CommandError(str(fault)) from fault

    def refuse(self, faults: list[dict[str, str]]) -> None:
        """Every fault with its remedy; nothing is started."""
        if self.options["json"]:
            self.stdout.write(json.dumps({"errors": faults}, ensure_ascii=False, indent=1))
        else:
            for fault in faults:
                label = FIELDS[fault["field"]].label if fault["field"] in FIELDS else fault["field"]
                self.stderr.write(f"{label}: {fault['fault']} {fault['remedy']}")
        sys.exit(1)

    def read(self) -> None:
        draft = Draft(self.options["instruction"])
        intake = take(draft.typed, shelf(), self.person, timezone.now().date())
        facts: dict[str, Any] = {
            "text": draft.text,
            "values": intake.specification.to_json(),
            "spans": [span.to_json() for span in intake.reading.spans],
            "not_understood": [span.text for span in intake.reading.not_understood],
            "recognised": {span.text: span.field for span in intake.reading.not_understood if span.field},
            "missing": [question.field for question in intake.questions],
            "conflicts": intake.conflicts,
            "errors": [error.to_json() for error in intake.errors],
        }
        self.say(facts, shown.reading_text(intake.specification, facts))

    def events(self) -> None:
        session, after = self.found(), self.options["after"]
        line = shown.event_json if self.options["json"] else shown.event_text
        while True:
            session.refresh_from_db()
            resting = session.is_over or session.gates.filter(decision=Decision.OPEN).exists()
            for event in session.events.filter(seq__gt=after):
                self.stdout.write(line(event))
                after = event.seq
            if resting or not self.options["wait"]:
                return
            self.stdout.flush()
            time.sleep(POLL_SECONDS)

    def get(self) -> None:
        session = self.found()
        self.say(shown.detail(session), shown.detail_text(session))

    def list(self) -> None:
        sessions = list(queries.sessions_of(self.person))
        lines = [f"{each.public_id}  {each.status:<10} {each.phase:<11} {each.title}" for each in sessions]
        self.say([shown.summary(each) for each in sessions], lines or ["No sessions yet."])

    def update(self) -> None:
        session = self.found()
        gate = self.open_gate(session)
        form = readings.form_of(self.options) | {"plan_digest": [self.digest_read(gate)]}
        entered = self.entered(gate, form)
        outcome = replies.act(entered)
        if hint := readings.hint(entered, outcome):
            raise CommandError(f"{outcome.text} {hint}")
        if outcome.kind == Kind.STALE and gate.plan and self.options["revision"] is None:
            raise CommandError(shown.which_revision(gate.plan))
        if outcome.kind in {Kind.AGAIN, Kind.CLOSED, Kind.STALE}:
            raise CommandError(outcome.text)
        session.refresh_from_db()
        facts = {"kind": outcome.kind, "answer": outcome.text, "lines": list(outcome.lines)}
        self.say({**shown.detail(session), **facts}, [outcome.text, *outcome.lines])

    def open_gate(self, session: TuningSession) -> Gate:
        gate = session.gates.filter(decision=Decision.OPEN).first()
        if gate is None:
            raise CommandError(f"Session {session.public_id} waits for nothing; it is {session.status}.")
        return gate

    def entered(self, gate: Gate, form: readings.Form) -> replies.Entered:
        return replies.Entered(gate, self.person, form, timezone.now(), shelf().context)

    def propose(self) -> None:
        """The offer, or with --at-most its approval."""
        session = self.found()
        entered = self.entered(self.open_gate(session), readings.form_of_offer(self.options["instruction"]))
        found = readings.offered(entered)
        if self.options["at_most"] is None:
            self.say(readings.offer_facts(found), [f"{found.label}: --at-most {found.amount}"])
            return
        if found.amount is not None and found.amount > self.options["at_most"]:
            raise CommandError(f"{found.label}: that is more than {self.options['at_most']}.")
        entered.form["offer"] = [found.key]
        outcome = replies.act(entered)
        if outcome.kind != Kind.NOTED:
            raise CommandError(outcome.text)
        self.say({**shown.detail(session), "answer": outcome.text}, [outcome.text])

    def digest_read(self, gate: Gate) -> str:
        """Which plan an approval is for: the revision that was named, or the only one there ever was."""
        named: int | None = self.options["revision"]
        if named is None:
            return gate.plan.digest if gate.plan and gate.plan.revision == 1 else ""
        if gate.plan is None:
            raise CommandError("No plan waits for a decision now; leave --revision out.")
        if named != gate.plan.revision:
            raise CommandError(f"Revision {named} is not the newest. {shown.which_revision(gate.plan)}")
        return gate.plan.digest

    def cancel(self) -> None:
        session = self.found()
        if not gates.cancel(session, self.person, timezone.now()):
            raise CommandError(f"Session {session.public_id} is {session.status}: nothing to cancel.")
        self.say(shown.detail(session), ["Cancelling: nothing more is started, and what runs is stopped."])

    def report(self) -> None:
        session = self.found()
        artifacts = {each.name: each for each in session.artifacts.all()}
        name = "report.json" if self.options["json"] else "final_report.md"
        if name not in artifacts:
            raise CommandError(f"Session {session.public_id} has no report yet; it is {session.status}.")
        self.stdout.write(artifacts[name].path.read_text(encoding="utf-8"))
