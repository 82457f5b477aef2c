"""From a file with everything in it to the plan and the Data tab: conversions, risks, tokens, problems."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from django.test import Client

from sessions.models import BaseModel, TuningSession
from sessions.states import GateKind
from tests.factories import QWEN
from tests.integration.workflows.house import House, chat
from tests.unit.data.test_counting import folder  # noqa: F401  # the tokenizer that counts words
from tests.unit.data.test_sketches import pairs

CALL = {"name": "weather", "arguments": "{}"}
OLD = {
    "messages": [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": None, "function_call": CALL},
        {"role": "function", "name": "weather", "content": "dry"},
        {"role": "assistant", "content": "No."},
    ],
    "functions": [{"name": "weather"}],
    "parallel_tool_calls": False,
}
LONG = {"messages": [{"role": "user", "content": "Write."}, {"role": "assistant", "content": "word " * 2000}]}
UNANSWERED = {"messages": [{"role": "user", "content": "What is 6*7?"}], "ground_truth": "42"}


def started(house: House, rows: list[dict[str, object]], **values: object) -> TuningSession:
    session = house.start(dataset=house.dataset("mixed", rows), drop_bad_rows=True, **values)
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN
    return session


def page(session: TuningSession, query: str) -> str:
    answer = Client().get(session.get_absolute_url() + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_conversions_are_shown_before_the_plan_and_change_only_a_new_file(house: House) -> None:
    rows = [*chat(30), OLD, UNANSWERED]
    session = started(house, rows)
    body = house.gate(session).plan.body
    assert body["data"]["conversions"] == [
        {"why": "OpenAI's older function calls become tool calls", "rows": 1},
        {"why": "the ground truth becomes the assistant's answer", "rows": 1},
    ]
    place = session.artifacts.get(name="converted-data.jsonl").path.parent
    assert [orjson.loads(line) for line in (place / "data.jsonl").read_bytes().splitlines()] == rows
    made = [orjson.loads(line) for line in (place / "converted-data.jsonl").read_bytes().splitlines()]
    assert made[:30] == rows[:30]
    assert made[31]["messages"][-1] == {"role": "assistant", "content": "42"}
    assert "function" not in {message["role"] for row in made for message in row["messages"]}
    html = page(session, "?tab=data")
    for words in ("Line 31, before and after", "Line 32, before and after", "function_call", "tool_call_id"):
        assert words in html
    assert "1 row: the ground truth becomes" in html


def test_openais_developer_role_works_and_parts_are_flattened_by_choice(house: House) -> None:
    parts = [{"type": "text", "text": "Be"}, {"type": "text", "text": "short."}]
    rows = [{"messages": [{"role": "developer", "content": parts}, *row["messages"]]} for row in chat(30)]
    session = started(house, rows)
    made = session.artifacts.get(name="converted-data.jsonl").path
    assert first_message(made) == {"role": "system", "content": parts}
    assert "Not chosen" in page(session, "?tab=data")
    house.reply(session, "Flatten the content parts.")
    house.drive(session)
    assert house.gate(session).plan.revision == 2
    assert first_message(made) == {"role": "system", "content": "Be\nshort."}
    assert [each["why"] for each in house.gate(session).plan.body["data"]["conversions"]] == [
        "developer messages become system messages", "lists of text parts become one text",
    ]  # fmt: skip
    assert "Chosen" in page(session, "?tab=data")
    house.reply(session, "Keep content parts as they are.")
    house.drive(session)
    assert first_message(made)["content"] == parts


def first_message(path: Path) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(path.read_bytes().splitlines()[0])["messages"][0]
    return found


def test_what_the_data_may_spoil_is_told_in_the_plan_and_on_the_tab(house: House) -> None:
    BaseModel.objects.filter(name=QWEN).update(training_context_length=2048)
    texts, changed = pairs(40, 0.975)
    near = [
        [{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}]
        for text in (texts[0], changed[0])
    ]
    rows = [
        *chat(30),
        chat(1)[0],
        *({"messages": each} for each in near),
        OLD,
        LONG,
        {"messages": chat(1)[0]["messages"][:1]},
    ]
    evaluation = house.dataset("measured", [*chat(2), *chat(4, "shade")])
    session = started(house, rows, evaluation_dataset=evaluation)
    told = house.gate(session).plan.body["risks"]
    html = page(session, "?tab=data")
    for words in (
        "1 row longer (one is line 35) than the 2,048 tokens that qwen3-8b is trained with",
        "1 row without an answer to train on",
        "1 row more than once",
        "1 row (2.9%) nearly the same as another row",
        "2 of 6 rows of the evaluation dataset are also trained on",
        "`parallel_tool_calls` is an option of requests",
    ):
        assert any(words in line for line in told), words
        assert words in html
    assert html.count("Chart: samples by tokens") == 2


def test_the_base_models_tokenizer_counts_where_there_is_one(
    house: House,
    settings: pytest.Settings,
    folder: Path,  # noqa: F811
) -> None:
    session = started(house, chat(30))
    assert "Estimated" in house.gate(session).plan.body["data"]["token_note"]
    settings.TOKENIZERS = str(folder)
    session = house.start(dataset=session.value("dataset"))
    house.drive(session)
    data = house.gate(session).plan.body["data"]
    words = 30 * (len(["Number", "1", ":", "which", "colour", "?", "red"]) + 2 * 4 + 3)
    assert data["tokens"]["train"] + data["tokens"]["heldout"] == pytest.approx(words, abs=1)
    assert "counted by the tokenizer of qwen3-8b" in page(session, "?tab=data")


def test_the_same_bytes_give_the_same_files(house: House) -> None:
    rows = [*chat(40), OLD, UNANSWERED, {"messages": []}]
    first = started(house, rows)
    second = house.start(dataset=first.value("dataset"), drop_bad_rows=True)
    house.drive(second)
    hashes = [dict(each.artifacts.values_list("name", "sha256")) for each in (first, second)]
    assert hashes[0] == hashes[1]
    assert {"inspection.json", "charts/inspection-lengths.svg", "converted-data.jsonl"} <= set(hashes[0])


def test_problems_by_page_and_rule(house: House) -> None:
    bad = [
        {"messages": [{"role": f"=robot{at}", "content": "x"}, *chat(1)[0]["messages"]]} for at in range(230)
    ]
    session = started(house, [*chat(30), *bad, {"messages": []}])
    address = f"{session.get_absolute_url()}problems/"
    every = Client().get(address).content.decode()
    assert "1 to 100 of 231" in every
    assert "an unknown role (230)" in every
    last = Client().get(address, {"page": "3"}).content.decode()
    assert "201 to 231 of 231" in last
    assert ">261</th>" in last
    assert 'rel="next"' not in last
    one = Client().get(address, {"rule": "messages.empty", "page": "9"}).content.decode()
    assert "1 to 1 of 1" in one
    assert "=robot" not in one
    assert "Nothing of this kind" in Client().get(address, {"rule": "nonsense"}).content.decode()
    assert Client().get(address, {"of": "evaluation-inspection"}).status_code == 404
    assert Client().get(address, {"of": "../secrets"}).status_code == 404
    csv = b"".join(Client().get(f"{session.get_absolute_url()}files/inspection-problems.csv")).decode()
    assert len(csv.splitlines()) == 232
    assert ",'=robot0" in csv


def test_problems_beyond_the_kept_ones_are_counted(house: House) -> None:
    session = started(house, [*chat(30), {"messages": []}])
    artifact = session.artifacts.get(name="inspection.json")
    found = json.loads(artifact.path.read_text())
    found["problem_counts"]["messages.empty"] = 50_000
    artifact.path.write_text(json.dumps(found))
    html = page(session, "problems/")
    assert "1 to 1 of 50,000; the first 1 were written down, all were counted" in html
