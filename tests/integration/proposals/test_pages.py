"""The page and the command line: the offer beside the words, the proposal with its boxes, plain refusals."""

import io
import json
import re

import pytest
from django.core.management import CommandError, call_command

from sessions.models import ProposedReading, TuningSession
from sessions.states import Decision, Status
from tests.factories import make_base_model
from tests.integration.session_page.conftest import words

TYPED = "make the rank sort of sixteen"


def page(client, desk, rest=""):
    return words(client.get(f"/s/{desk.session.public_id}/{rest}").content.decode())


def hidden(html, name):
    return re.findall(rf'name="{name}" value="([^"]*)"', html)


def post(client, desk, **fields):
    gate = desk.house.gate(desk.session)
    return client.post(f"/s/{desk.session.public_id}/gates/{gate.pk}/decide/", fields)


def test_the_offer_stands_beside_the_words_and_reading_the_page_asks_nothing(client, desk):
    html = page(client, desk)
    assert "Let standin-reader propose a reading, at most $0.00" in html
    assert all(f"<q>{lost}</q>" in html for lost in desk.offer().words)
    assert "Only your words are sent" in html
    assert not ProposedReading.objects.exists()


def test_pressing_it_takes_one_post_and_the_proposal_is_on_the_page(client, desk):
    [offer] = hidden(page(client, desk), "offer")
    answer = post(client, desk, action="propose", source="instruction", offer=offer)
    assert (answer.status_code, answer["location"]) == (302, desk.session.get_absolute_url())
    html = page(client, desk, "part/focus/")
    assert "standin-reader reads" in html
    assert "Let standin-reader" not in html
    desk.work()
    html = page(client, desk, "part/focus/")
    assert "How standin-reader reads your words" in html
    assert sorted(hidden(html, "take")) == ["lora_ranks", "seed"]
    assert "checked" not in html
    assert "LoRA ranks: 16" in html


def test_what_is_taken_shows_its_origin_in_the_plan(client, desk):
    desk.press()
    desk.work()
    assert post(client, desk, action="take", take=["lora_ranks"]).status_code == 302
    desk.house.drive(desk.session)
    html = page(client, desk)
    assert "you said, proposed by a model and taken by you" in html
    assert "“LoRA a rank of sixteen”" in html


def test_a_typed_change_that_was_not_understood_gets_the_offer_beside_it(client, desk):
    TuningSession.objects.filter(pk=desk.session.pk).update(not_understood=[])
    for action in ("reply", "changes"):
        answer = post(client, desk, action=action, reply=TYPED)
        html = words(answer.content.decode())
        assert answer.status_code == 422
        assert 'form="propose-reply"' in html
    [offer] = hidden(html, "offer")
    assert post(client, desk, action="propose", source="reply", offer=offer, reply=TYPED).status_code == 302
    assert ProposedReading.objects.get().source == "reply"
    assert desk.house.gate(desk.session).is_open


@pytest.mark.parametrize("reply", ["Use 2 epochs.", "Which base models do you support?", ""])
def test_words_that_were_understood_are_not_sent(client, desk, reply):
    found = post(client, desk, action="propose", source="reply", offer="x", reply=reply)
    assert found.status_code == 422
    assert not ProposedReading.objects.exists()


def test_where_no_model_reads_nothing_is_offered(client, desk):
    make_base_model("accounts/fireworks/models/gpt-oss-20b", serverless=True)  # a rehearsal's never learnt to
    desk.no_reader()
    assert "propose a reading" not in page(client, desk)
    assert post(client, desk, action="propose", source="instruction", offer="x").status_code == 422


def test_a_session_of_another_account_offers_nothing(client, desk, settings):
    """A rehearsal that was left open, in a portal that was started again with a real account."""
    [offer] = hidden(page(client, desk), "offer")
    settings.FIREWORKS = {**settings.FIREWORKS, "rehearsal": False}
    answer = post(client, desk, action="propose", source="instruction", offer=offer)
    assert answer.status_code == 422
    assert not ProposedReading.objects.exists()


def test_a_session_that_waits_no_more_approves_nothing(client, desk):
    [offer] = hidden(page(client, desk), "offer")
    gate = desk.house.gate(desk.session)
    address = f"/s/{desk.session.public_id}/gates/{gate.pk}/decide/"
    press = {"action": "propose", "source": "instruction", "offer": offer}
    TuningSession.objects.filter(pk=desk.session.pk).update(status=Status.RUNNING)
    assert client.post(address, press).status_code == 422
    desk.session.gates.filter(pk=gate.pk).update(decision=Decision.REJECTED)
    assert client.post(address, press).status_code == 409
    assert not ProposedReading.objects.exists()


def run(*arguments):
    out = io.StringIO()
    call_command("session", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_on_the_command_line(desk):
    number = desk.session.public_id
    assert "Let standin-reader propose a reading, at most $0.00" in run("propose", number)
    with pytest.raises(CommandError, match=r"more than 0\.0001"):
        run("propose", number, "--at-most", "0.0001")
    assert not ProposedReading.objects.exists()
    run("propose", number, "--at-most", "0.01")
    assert "is asked to read" in run("get", number)
    desk.work()
    shown = json.loads(run("get", number, "--json"))["proposed_reading"]
    assert [each["field"] for each in shown["values"] if each["can_be_taken"]] == ["lora_ranks", "seed"]
    assert "lora_ranks: 16, from “LoRA a rank of sixteen”, now 8" in run("get", number)
    run("update", number, "--take", "lora_ranks")
    desk.session.refresh_from_db()
    assert desk.session.value("lora_ranks") == (16,)


def test_the_command_line_names_the_offer_for_a_reply(desk):
    number = desk.session.public_id
    with pytest.raises(CommandError, match=r"session propose .* --at-most 0\.00"):
        run("update", number, "--instruction", TYPED)
    run("propose", number, "--instruction", TYPED, "--at-most", "1")
    desk.work()
    run("update", number, "--discard")
    assert ProposedReading.objects.get().decision == "discarded"
