"""Conversions: what changes, what does not, and that the original stays."""

from __future__ import annotations

import orjson
import pytest

from tests.unit.data.conftest import chat
from workflows.data.conversion import KINDS, convert, convert_row, preview
from workflows.data.inspection import inspect

CALL = {"type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}


@pytest.mark.parametrize(
    ("truth", "answer"),
    [
        ("42", "42"),
        (42, "42"),
        (["a", "b"], "a, b"),
        ({"k": 1}, '{"k":1}'),
        ([1, "b"], '[1,"b"]'),
        (0, "0"),
        (False, "false"),
    ],
)
def test_a_ground_truth_becomes_the_answer(truth, answer):
    row = chat("q", ground_truth=truth)
    made = convert_row(row, KINDS)
    assert made["messages"] == [*row["messages"], {"role": "assistant", "content": answer}]
    assert made["ground_truth"] == truth
    assert len(row["messages"]) == 1


@pytest.mark.parametrize(
    "row",
    [
        chat("q", "a", ground_truth="x"),
        chat("q"),
        chat("q", ground_truth=""),
        chat("q", ground_truth=None),
        chat("q", ground_truth=[]),
    ],
)
def test_an_answered_row_or_an_empty_truth_stays(row):
    assert convert_row(row, KINDS) is row


def test_tools_are_told_in_text():
    row = {
        "messages": [
            {"role": "user", "content": "add"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "name": "add", "content": "3"},
            {"role": "function", "content": [{"type": "text", "text": "4"}]},
            {"role": "assistant", "content": "It is 3."},
        ],
        "tools": [{"type": "function"}],
        "id": 1,
    }
    made = convert_row(row, ["tool_roles"])
    assert [message["role"] for message in made["messages"]] == [
        "user",
        "assistant",
        "user",
        "user",
        "assistant",
    ]
    assert made["messages"][1] == {"role": "assistant", "content": 'Call: add({"a": 1})'}
    assert made["messages"][2]["content"] == "Result of add:\n3"
    assert made["messages"][3]["content"] == "Result of the tool:\n4"
    assert "tools" not in made
    assert made["id"] == 1


def test_older_function_calls_become_tool_calls():
    call = CALL["function"]
    row = {
        "messages": [
            {"role": "user", "content": "add"},
            {"role": "assistant", "content": None, "function_call": call},
            {"role": "function", "name": "add", "content": "3"},
            {"role": "function", "name": "add", "content": "nobody asked"},
            {"role": "assistant", "content": "It is 3."},
        ],
        "functions": [{"name": "add"}],
        "function_call": "auto",
        "parallel_tool_calls": False,
    }
    made = convert_row(row, ["function_calls"])
    assert made["messages"][1:4] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
        {"role": "user", "content": "Result of add:\nnobody asked"},
    ]
    assert made["tools"] == [{"type": "function", "function": {"name": "add"}}]
    assert made.keys() == {"messages", "tools", "parallel_tool_calls"}
    assert convert_row(made, ["function_calls"]) is made
    assert "functions" in row


def test_parts_become_one_text_and_images_stay():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    image = [{"type": "image_url", "image_url": {"url": "x"}}]
    row = {
        "messages": [
            {"role": "user", "content": parts},
            {"role": "user", "content": image},
            {"role": "assistant", "content": "c"},
        ]
    }
    made = convert_row(row, ["content_parts"])
    assert [message["content"] for message in made["messages"]] == ["a\nb", image, "c"]


def test_developer_messages_become_system_messages(write):
    row = {
        "messages": [{"role": "developer", "content": "Be short.", "name": "d"}, *chat("q", "a")["messages"]]
    }
    made = convert_row(row, ["developer_roles"])
    assert made["messages"][0] == {"role": "system", "content": "Be short.", "name": "d"}
    assert made["messages"][1:] == row["messages"][1:]
    found = inspect(write(row, row, row, {"messages": [*row["messages"][1:], row["messages"][0]]}))
    (offer,) = found.conversions
    assert (offer.kind, offer.required, offer.rows, offer.first_line) == ("developer_roles", True, 4, 1)
    assert (found.usable_samples, found.system_rows, found.turns) == (3, 4, {2: 4})
    assert [each.rule for each in found.problems] == ["system.position"]


def test_only_what_was_asked_for_is_done():
    row = {"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}], "ground_truth": "x"}
    assert convert_row(row, []) is row
    assert len(convert_row(row, ["content_parts"])["messages"]) == 1


def test_the_new_file_keeps_line_numbers_and_the_original_its_bytes(write, tmp_path):
    path = write(
        chat("q", "a"),
        "{broken",
        "",
        chat("q2", ground_truth="42"),
        '{"messages":  [1]}',
        head=b"\xef\xbb\xbf",
        end=b"\r\n",
    )
    before = path.read_bytes()
    made = convert(path, tmp_path / "new.jsonl", KINDS)
    assert path.read_bytes() == before
    lines = made.path.read_bytes().split(b"\n")
    assert lines[1:3] == [b"{broken", b""]
    assert orjson.loads(lines[3])["messages"][-1]["content"] == "42"
    assert lines[4] == b'{"messages":  [1]}'
    assert (made.rows, made.changed) == (3, 1)
    assert [problem.line for problem in inspect(made.path).problems if problem.line] == [2, 5, 5]


def test_after_conversion_nothing_is_left_to_convert(write, tmp_path):
    tool = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "q"}]},
            {"role": "tool", "content": "r"},
            {"role": "assistant", "content": "a"},
        ]
    }
    path = write(tool, chat("q", ground_truth="1"), chat("q", ground_truth=2), chat("a", "b"))
    assert len(inspect(path).conversions) == 3
    found = inspect(convert(path, tmp_path / "new.jsonl", KINDS).path)
    assert (found.conversions, found.problems, found.usable_samples) == ((), (), 4)


def test_a_preview_shows_before_and_after_and_writes_nothing(write, tmp_path):
    path = write(chat("q", "a"), *[chat(f"q{at}", ground_truth=at) for at in range(5)])
    shown = preview(path, KINDS, limit=2)
    assert [each.line for each in shown] == [2, 3]
    assert shown[0].before == chat("q0", ground_truth=0)
    assert shown[0].after["messages"][-1] == {"role": "assistant", "content": "0"}
    assert len(preview(path, KINDS, limit=99)) == 5
    assert list(tmp_path.iterdir()) == [path]


def test_the_original_and_unknown_kinds_are_refused(write):
    path = write(chat("q", ground_truth="1"))
    with pytest.raises(ValueError, match="never overwrites"):
        convert(path, path, KINDS)
    with pytest.raises(ValueError, match="unknown conversion rot13"):
        convert(path, path.with_name("new"), ["rot13"])
