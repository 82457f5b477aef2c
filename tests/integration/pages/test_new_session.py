"""New session: sentence and form are one thing, nothing typed is lost, and one press starts one session."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from fwportal.middleware import owner
from sessions.forms import Typed
from sessions.intake import shelf, take
from sessions.models import BaseModel, TuningSession, Upload
from sessions.specification import Origin
from tests.factories import (
    BIG_QWEN,
    DATASET,
    QWEN,
    make_account,
    make_base_model,
    make_dataset,
    make_session,
    make_upload,
    make_user,
)
from tests.integration.pages.conftest import body, post, sentence, tag, text, value

FULL = {"dataset": DATASET, "base_models": [QWEN]}
PHRASE = (
    f"Run SFT on {DATASET} across qwen3-8b and qwen3-32b with learning rates 1e-4 and 5e-5, "
    "LoRA ranks 16 and 32, and 3 epochs"
)


@pytest.fixture(autouse=True)
def _account() -> None:
    """An account with two models and a dataset, as a worker lists them."""
    make_account()
    make_base_model(display_name="Qwen3 8B")
    make_base_model(BIG_QWEN, display_name="Qwen3 32B", parameters=32_800_000_000)
    make_dataset()


def inspection(samples: int = 40, usable: int = 40, **parts: Any) -> dict[str, Any]:
    found = {
        "samples": samples,
        "usable_samples": usable,
        "format": "chat",
        "tokens": {"total": 9000, "method": "estimated"},
        "problems": [],
        "problem_counts": {},
    }
    return found | parts


def fault(line: int, message: str, level: str = "error") -> dict[str, Any]:
    return {"line": line, "message": message, "remedy": "Mend it.", "level": level, "rule": "a.rule"}


def only_session() -> TuningSession:
    return TuningSession.objects.get()


# --- sentence to form -------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [True, False])
def test_typing_fills_the_form(client: Client, htmx: bool) -> None:
    answer = post(client, "read", htmx=htmx, instruction=PHRASE)
    assert value(answer, "lora_ranks") == "16, 32"
    assert value(answer, "learning_rates") == "1e-4, 5e-5"
    assert value(answer, "epochs") == "3"
    for name in (QWEN, BIG_QWEN, DATASET):
        assert "checked" in tag(answer, f'value="{name}"')
    assert not TuningSession.objects.exists()


def test_what_was_understood_is_marked_with_what_it_means(client: Client) -> None:
    answer = post(client, "read", htmx=True, instruction=PHRASE)
    assert 'title="LoRA ranks: 16 and 32"' in body(answer)
    assert 'title="Epochs: 3"' in body(answer)


def test_what_was_not_understood_is_shown(client: Client) -> None:
    answer = post(client, "read", htmx=True, instruction=f"{PHRASE}. Frobnicate the gizmo.")
    assert "Not understood, and left out: “Frobnicate the gizmo”" in text(answer)


def test_words_taken_out_of_the_sentence_leave_the_form(client: Client) -> None:
    first = post(client, "read", htmx=True, instruction="3 epochs, LoRA rank 16")
    again = {"said": value(first, "said"), "epochs": "3", "lora_ranks": "16"}
    second = post(client, "read", htmx=True, instruction="LoRA rank 16", **again)
    assert value(second, "epochs") == ""
    assert value(second, "lora_ranks") == "16"


def test_what_only_the_form_says_stays_when_the_sentence_changes(client: Client) -> None:
    answer = post(client, "read", htmx=True, instruction="3 epochs", title="Mine", said="epochs")
    assert value(answer, "title") == "Mine"


def test_a_fault_in_the_sentence_names_fault_and_remedy(client: Client) -> None:
    answer = post(client, "read", htmx=True, instruction="Use LoRA rank 24.")
    assert "LoRA rank 24 is not a power of two up to 32. Choose 1, 2, 4, 8, 16 or 32." in text(answer)


def test_markup_in_the_sentence_is_only_text(client: Client) -> None:
    answer = post(client, "read", htmx=True, instruction="<script>alert(1)</script>")
    assert "<script>alert" not in body(answer)


# --- form to sentence -------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [True, False])
def test_the_form_writes_the_sentence(client: Client, htmx: bool) -> None:
    answer = post(client, "write", htmx=htmx, **FULL, lora_ranks="8, 16", epochs="2")
    assert sentence(answer) == (
        f"Run supervised fine-tuning on {DATASET} across qwen3-8b with LoRA ranks 8 and 16. "
        "Train each candidate for 2 epochs."
    )
    assert not TuningSession.objects.exists()


def test_writing_the_sentence_keeps_words_that_were_not_understood(client: Client) -> None:
    answer = post(client, "write", htmx=True, instruction="3 epochs. Frobnicate the gizmo.", epochs="4")
    assert "4 epochs" in sentence(answer)
    assert "3 epochs" not in sentence(answer)
    assert "Frobnicate the gizmo" in sentence(answer)


def test_writing_the_sentence_keeps_a_phrase_that_is_at_fault(client: Client) -> None:
    answer = post(client, "write", htmx=True, instruction="Use LoRA rank 24.", epochs="4")
    assert "rank 24" in sentence(answer)


def test_boxes_left_as_they_were_say_nothing(client: Client) -> None:
    answer = post(client, "write", htmx=True, **FULL, final_run=["no", "yes"], deploy=["no", "yes"])
    assert sentence(answer) == f"Run supervised fine-tuning on {DATASET} across qwen3-8b."


def test_an_unticked_box_is_said(client: Client) -> None:
    answer = post(client, "write", htmx=True, **FULL, final_run="no", deploy=["no", "yes"])
    assert "Skip the full-data final run." in sentence(answer)


def test_sentence_and_form_go_round_without_change(client: Client) -> None:
    first = post(client, "read", htmx=True, instruction=PHRASE)
    fields = {"dataset": DATASET, "base_models": [QWEN, BIG_QWEN], "epochs": value(first, "epochs")}
    fields |= {name: value(first, name) for name in ("lora_ranks", "learning_rates")}
    written = sentence(post(client, "write", htmx=True, instruction=PHRASE, **fields))
    again = post(client, "read", htmx=True, instruction=written)
    assert {name: value(again, name) for name in ("lora_ranks", "learning_rates", "epochs")} == {
        name: value(first, name) for name in ("lora_ranks", "learning_rates", "epochs")
    }


# --- the side card ----------------------------------------------------------------------------------


def test_the_side_card_says_what_it_comes_to(client: Client) -> None:
    page = text(post(client, "write", htmx=True, **FULL))
    assert "Samples 240 216 train, 24 held out" in page
    assert "about 48k" in page
    assert "Jobs 3 candidates" in page
    assert "about $" in page
    assert "Not calculated yet: First hour of the deployment" in page
    assert "small differences will be noise" in page


def test_without_data_the_side_card_says_what_is_missing(client: Client) -> None:
    page = text(client.get("/new/"))
    assert "The cost shows as soon as usable data and a base model are picked." in page


def test_more_samples_than_candidates_get_adds_the_full_run(client: Client) -> None:
    page = text(post(client, "write", htmx=True, **FULL, tuning_samples="100"))
    assert "Jobs 4 3 candidates, then all the data" in page


def test_a_model_of_unknown_size_is_not_priced(client: Client) -> None:
    make_base_model("accounts/fireworks/models/mystery", parameters=None)
    fields = {**FULL, "base_models": ["accounts/fireworks/models/mystery"]}
    page = text(post(client, "write", htmx=True, **fields))
    assert "Not calculated yet: Candidate 1" in page


def test_what_is_missing_is_told_and_does_not_stop(client: Client) -> None:
    page = text(post(client, "write", htmx=True, dataset=DATASET))
    assert "Which base models should be fine-tuned?" in page
    assert "You can start all the same" in page


def test_where_sentence_and_form_differ_the_page_says_the_sentence_wins(client: Client) -> None:
    answer = post(client, "", instruction="3 epochs")
    assert answer.status_code == 200
    started = post(client, "start", **FULL, instruction=f"{PHRASE}", epochs="5")
    assert started.status_code == 302
    assert only_session().value("epochs") == 3
    told = only_session().events.filter(kind="conflict").values_list("text", flat=True)
    assert "Epochs: the instruction says 3, the form 5. The instruction wins." in list(told)


def test_where_sentence_and_default_differ_the_page_says_so(client: Client) -> None:
    page = text(post(client, "read", htmx=True, instruction="Skip the full-data final run."))
    assert "The sentence wins" in page
    assert "Full-data run: the instruction says no, the default is yes." in page


# --- start ------------------------------------------------------------------------------------------


def test_starting_from_the_form(client: Client) -> None:
    answer = post(client, "start", **FULL, epochs="2", title="Mine")
    run = only_session()
    assert answer.headers["Location"] == run.get_absolute_url()
    assert run.title == "Mine"
    assert run.value("base_models") == (QWEN,)
    assert run.specification.entry("epochs").origin == Origin.FORM
    assert run.rehearsal


def test_starting_from_the_sentence_quotes_it(client: Client) -> None:
    post(client, "start", instruction=PHRASE)
    entry = only_session().specification.entry("lora_ranks")
    assert (entry.value, entry.origin) == ((16, 32), Origin.SAID)
    assert "16 and 32" in entry.words
    assert only_session().instruction == PHRASE


def test_both_ways_give_the_same_specification(client: Client) -> None:
    fields = {"base_models": [QWEN, BIG_QWEN], "dataset": DATASET, "epochs": "3"}
    post(client, "start", form_token="one", instruction=PHRASE)
    post(client, "start", form_token="two", **fields, lora_ranks="16, 32", learning_rates="1e-4, 5e-5")
    first, second = TuningSession.objects.all()
    assert first.specification.digest() == second.specification.digest()


def test_a_sentence_the_form_wrote_makes_its_values_choices(client: Client) -> None:
    written = post(client, "write", htmx=True, **FULL, epochs="2")
    told = {"instruction": sentence(written), "written": value(written, "written")}
    post(client, "start", **FULL, epochs="2", **told)
    assert only_session().specification.entry("epochs").origin == Origin.FORM


def test_a_double_click_starts_one_session(client: Client) -> None:
    first, second = post(client, "start", **FULL), post(client, "start", **FULL)
    assert first.headers["Location"] == second.headers["Location"]
    assert TuningSession.objects.count() == 1


def test_each_form_has_its_own_token(client: Client) -> None:
    assert value(client.get("/new/"), "form_token") != value(client.get("/new/"), "form_token")


def test_a_get_starts_nothing(client: Client) -> None:
    client.get("/new/", {"action": "start", **FULL})
    assert not TuningSession.objects.exists()


def test_without_a_model_the_session_starts_and_asks(client: Client) -> None:
    assert post(client, "start", dataset=DATASET).status_code == 302
    assert not only_session().value("base_models")


def test_a_run_is_named_after_models_and_data(client: Client) -> None:
    post(client, "start", **FULL)
    assert only_session().title == "qwen3-8b on Support replies"


def test_a_fault_in_a_box_that_the_sentence_overrules_is_told(client: Client) -> None:
    post(client, "start", instruction=f"{PHRASE}. 3 epochs.", epochs="many")
    told = only_session().events.filter(kind="conflict").values_list("text", flat=True)
    assert any("Epochs: the instruction says 3; “many” in the form is left out." in each for each in told)


def test_words_not_understood_are_kept_with_the_session(client: Client) -> None:
    post(client, "start", instruction=f"{PHRASE}. Frobnicate the gizmo.")
    assert only_session().not_understood == ["Frobnicate the gizmo"]


# --- bad input: fault, place, remedy, and everything typed is still there ------------------------------


def refused(answer: Any) -> str:
    assert answer.status_code == 422
    assert not TuningSession.objects.exists()
    page = text(answer)
    assert "This cannot start yet. What you entered is all still here." in page
    return page


def test_nothing_entered(client: Client) -> None:
    assert "Nothing was said yet." in refused(post(client, "start"))


def test_rank_24(client: Client) -> None:
    answer = post(client, "start", **FULL, lora_ranks="8, 24", epochs="2", title="Mine")
    assert "LoRA rank 24 is not a power of two up to 32." in refused(answer)
    assert [value(answer, name) for name in ("lora_ranks", "epochs", "title")] == ["8, 24", "2", "Mine"]
    assert 'href="#lora_ranks"' in body(answer)
    assert 'aria-invalid="true"' in tag(answer, 'name="lora_ranks"')
    assert "checked" in tag(answer, f'value="{DATASET}"')
    assert "checked" in tag(answer, f'value="{QWEN}"')


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("learning_rates", "fast", "“fast” is not a number."),
        ("learning_rates", "0.5", "is outside what can train well."),
        ("epochs", "0", "is outside what is possible."),
        ("epochs", "1.5", "is not a whole number."),
        ("tuning_samples", "2", "is outside what is possible."),
        ("parallel_jobs", "500", "is outside what is possible."),
        ("heldout_rows", "239", "leaves too few to train on."),
        ("seed", "-1", "is outside what is possible."),
        ("title", "x" * 61, "The title has 61 characters."),
    ],
)
def test_each_field_refuses_nonsense_and_keeps_it(client: Client, field: str, typed: str, says: str) -> None:
    answer = post(client, "start", **FULL, **{field: typed})
    assert says in refused(answer)
    assert value(answer, field) == typed
    assert f'href="#{field}"' in body(answer)
    assert f'id="{field}"' in body(answer)


def test_an_unknown_model_in_the_form(client: Client) -> None:
    name = "accounts/fireworks/models/gpt-9"
    answer = post(client, "start", dataset=DATASET, base_models=[QWEN, name])
    assert "gpt-9” is not one that can be fine-tuned here." in refused(answer)
    assert "checked" in tag(answer, f'value="{name}"')


def test_an_unknown_model_in_the_sentence(client: Client) -> None:
    name = "accounts/fireworks/models/gpt-9"
    answer = post(client, "start", instruction=f"Run SFT on {DATASET} with {name}")
    assert "gpt-9" in refused(answer)
    assert sentence(answer) == f"Run SFT on {DATASET} with {name}"


def test_a_dataset_that_is_not_ready(client: Client) -> None:
    name = "accounts/rehearsal/datasets/fresh"
    make_dataset(name, display_name="Fresh", state="UPLOADING")
    page = refused(post(client, "start", **{**FULL, "dataset": name}))
    assert "Dataset “Fresh” is UPLOADING, not READY. Wait until it is READY, or pick another one." in page


def test_a_dataset_that_is_not_ready_is_offered_with_its_state_but_cannot_be_picked(client: Client) -> None:
    make_dataset("accounts/rehearsal/datasets/fresh", display_name="Fresh", state="SOMETHING_NEW")
    answer = client.get("/new/")
    assert "SOMETHING_NEW" in text(answer)
    assert "disabled" in tag(answer, 'value="accounts/rehearsal/datasets/fresh"')


def test_a_dataset_that_is_not_there(client: Client) -> None:
    page = refused(post(client, "start", **{**FULL, "dataset": "accounts/rehearsal/datasets/none"}))
    assert "is not in the account." in page
    assert "not in the list" in page


def test_the_same_data_to_train_and_to_measure(client: Client) -> None:
    page = refused(post(client, "start", **FULL, evaluation_dataset=DATASET))
    assert "The same data is used to train and to measure" in page


def test_what_is_outside_the_portal_is_refused_with_where_to_go(client: Client) -> None:
    page = refused(post(client, "start", **FULL, instruction="Run reinforcement learning on this."))
    assert "Reinforcement fine-tuning is outside what this portal does." in page


def with_upload(found: dict[str, Any] | None) -> tuple[Upload, dict[str, Any]]:
    upload = make_upload(filename="mine.jsonl", inspection=found)
    return upload, {"dataset": upload.reference, "base_models": [QWEN]}


def test_an_empty_upload(client: Client) -> None:
    problem = fault(0, "the file is empty", "fatal")
    _, fields = with_upload(inspection(0, 0, problems=[problem]))
    assert "“mine.jsonl”: the file is empty. Mend it." in refused(post(client, "start", **fields))


def test_an_upload_of_two_samples(client: Client) -> None:
    _, fields = with_upload(inspection(2, 2))
    page = refused(post(client, "start", **fields))
    assert "“mine.jsonl” has 2 usable samples. At least 3 are needed; add more." in page


def test_a_vision_upload(client: Client) -> None:
    problem = fault(7, "3 of 9 rows hold images; vision data is not supported here", "fatal")
    _, fields = with_upload(inspection(9, 6, format="vision", problems=[problem]))
    page = refused(post(client, "start", **fields, drop_bad_rows="yes"))
    assert "Line 7: 3 of 9 rows hold images; vision data is not supported here." in page


def test_a_broken_line_stops_the_start_until_it_is_left_out(client: Client) -> None:
    upload, fields = with_upload(inspection(200, 199, problems=[fault(143, "the line is not JSON")]))
    answer = post(client, "start", **fields, drop_bad_rows="no", epochs="2")
    page = refused(answer)
    assert "1 row cannot be used. Line 143: the line is not JSON." in page
    assert "Leave out rows that cannot be used (1 of 200)" in page
    assert value(answer, "epochs") == "2"
    assert "checked" in tag(answer, f'value="{upload.reference}"')
    assert post(client, "start", **fields, drop_bad_rows=["no", "yes"]).status_code == 302
    assert only_session().value("drop_bad_rows") is True


def test_without_bad_rows_there_is_nothing_to_leave_out(client: Client) -> None:
    _, fields = with_upload(inspection())
    assert "Leave out rows" not in text(post(client, "write", **fields))


def test_a_conversion_is_offered_where_the_file_has_rows_for_it(client: Client) -> None:
    offers = [{"kind": kind, "rows": 3, "first_line": 1} for kind in ("content_parts", "developer_roles")]
    _, fields = with_upload(inspection(conversions=offers))
    answer = post(client, "write", **fields, parts_as_text=["no", "yes"])
    assert "Flatten content parts into one text." in text(answer)
    assert "Rewrite tool messages" not in text(answer)
    assert post(client, "start", **fields, parts_as_text=["no", "yes"]).status_code == 302
    assert only_session().value("parts_as_text") is True


def test_an_upload_that_is_still_being_read(client: Client) -> None:
    _, fields = with_upload(None)
    assert "“mine.jsonl” is still being read. Wait a moment" in refused(post(client, "start", **fields))


def test_a_good_upload_starts(client: Client) -> None:
    upload, fields = with_upload(inspection())
    assert post(client, "start", **fields).status_code == 302
    assert only_session().value("dataset") == upload.reference
    assert only_session().title == "qwen3-8b on mine.jsonl"


def test_someone_elses_upload_cannot_be_used(client: Client) -> None:
    theirs = make_upload(make_user(), filename="secret.jsonl", inspection=inspection())
    answer = post(client, "start", dataset=theirs.reference, base_models=[QWEN])
    assert "This upload is not there any more." in refused(answer)
    assert "secret.jsonl" not in body(answer)


def test_someone_elses_uploads_are_not_offered(client: Client) -> None:
    make_upload(make_user(), filename="secret.jsonl", inspection=inspection())
    make_upload(filename="mine.jsonl", inspection=inspection())
    page = text(client.get("/new/"))
    assert "secret.jsonl" not in page
    assert "mine.jsonl" in page


# --- again ------------------------------------------------------------------------------------------


def test_starting_again_brings_the_values_back(client: Client) -> None:
    post(client, "start", **FULL, epochs="2", final_run="no", instruction="Use LoRA rank 16.")
    first = only_session()
    answer = client.get(f"/new/?from={first.public_id}")
    assert value(answer, "epochs") == "2"
    assert "checked" not in tag(answer, 'name="final_run"\\s+value="yes"')
    assert "checked" in tag(answer, f'value="{DATASET}"')
    assert sentence(answer) == "Use LoRA rank 16."
    assert value(answer, "again") == first.public_id
    post(client, "start", form_token="another", **FULL, again=first.public_id)
    assert TuningSession.objects.first().entered["again"] == first.public_id


def test_nobody_can_start_again_from_someone_elses_session(client: Client) -> None:
    theirs = make_session(make_user(), entered={"text": "secret words"})
    assert client.get(f"/new/?from={theirs.public_id}").status_code == 404


def test_a_model_or_data_can_be_brought_along(client: Client) -> None:
    answer = client.get("/new/", {"model": BIG_QWEN, "dataset": DATASET})
    assert "checked" in tag(answer, f'value="{BIG_QWEN}"')
    assert "qwen3-32b" in sentence(answer)


def test_entered_values_survive_as_json(client: Client) -> None:
    post(client, "start", **FULL, epochs="2")
    entered = json.loads(json.dumps(only_session().entered))
    assert entered["fields"]["epochs"] == "2"
    assert entered["fields"]["base_models"] == QWEN


# --- the worker's rows may be missing ---------------------------------------------------------------


def test_without_models_the_form_says_why(client: Client) -> None:

    BaseModel.objects.all().delete()
    assert "No models are listed yet" in text(client.get("/new/"))


def test_a_model_that_cannot_be_served_is_flagged(client: Client) -> None:
    make_base_model("accounts/fireworks/models/nano", servable=False)
    assert "not servable" in text(client.get("/new/"))
    fields = {**FULL, "base_models": ["accounts/fireworks/models/nano"]}
    assert "cannot be served as LoRA" in text(post(client, "write", htmx=True, **fields))


# --- the form's token -------------------------------------------------------------------------------


def test_going_back_and_changing_the_form_starts_a_second_session(client: Client) -> None:
    first = post(client, "start", **FULL, epochs="2")
    second = post(client, "start", **FULL, epochs="3")
    assert first.headers["Location"] != second.headers["Location"]
    assert sorted(run.value("epochs") for run in TuningSession.objects.all()) == [2, 3]


def test_a_token_of_someone_elses_form_gives_nothing_of_theirs(client: Client) -> None:
    theirs = make_session(make_user(), form_token="a-token")
    answer = post(client, "start", **FULL)
    assert answer.status_code == 302
    assert theirs.public_id not in answer.headers["Location"]


def test_what_is_advanced_and_set_is_not_hidden(client: Client) -> None:
    assert '<details class="card fold" open>' not in body(client.get("/new/"))
    assert '<details class="card fold" open>' in body(post(client, "start", **FULL, seed="-1"))


def test_the_command_line_may_start_with_a_file_that_was_not_read_yet() -> None:
    upload, _ = with_upload(None)
    typed = Typed("", {"dataset": upload.reference, "base_models": QWEN})
    today = timezone.now().date()
    assert [error.field for error in take(typed, shelf(), owner(), today).errors] == ["dataset"]
    assert not take(typed, shelf(), owner(), today, unread=True).errors


# --- evaluators ---------------------------------------------------------------------------------------


EVALUATOR = {"workflow": "authoring", "dataset": DATASET, "criterion": "the final number"}


def test_an_evaluator_is_started_from_the_form_alone(client: Client) -> None:
    answer = post(client, "start", **EVALUATOR)
    session = only_session()
    assert answer["Location"] == session.get_absolute_url()
    assert (session.workflow, session.value("criterion")) == ("authoring", "the final number")


def test_form_and_sentence_of_an_evaluator_are_the_same(client: Client) -> None:
    written = sentence(post(client, "write", **EVALUATOR))
    assert written.endswith(f" an evaluator for {DATASET}. What counts as right: “the final number”.")
    answer = post(client, "read", htmx=True, instruction=written)
    assert "checked" in tag(answer, 'value="authoring"')
    assert value(answer, "criterion") == "the final number"


def test_another_workflow_of_the_sentence_is_kept_by_the_form(client: Client) -> None:
    answer = post(client, "read", instruction=f"Run classification on {DATASET}")
    assert "checked" in tag(answer, 'value="classification"')
