"""What an inspection says about good, bad and hostile files."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.conftest import chat
from workflows.data import formats, tokens
from workflows.data.inspection import Inspection, inspect
from workflows.data.lines import Batch
from workflows.data.problems import Findings
from workflows.data.rules import row_findings
from workflows.data.scan import UNUSABLE, Tally

GOOD = chat("What is 2+2?", "4")


def rules(found: Inspection) -> list[tuple[int, str]]:
    return [(each.line, each.rule) for each in found.problems]


def test_a_good_file(write):
    system = {"messages": [{"role": "system", "content": "Be brief."}, *GOOD["messages"]]}
    found = inspect(write(GOOD, system, chat("a", "b", "c", "d"), GOOD))
    assert (found.format, found.samples, found.usable_samples, found.lines) == ("chat", 4, 4, 4)
    assert found.roles == {"assistant": 5, "system": 1, "user": 5}
    assert found.turns == {2: 3, 4: 1}
    assert (found.system_rows, found.duplicates, found.untrainable_rows) == (1, 1, 0)
    assert (found.problems, found.fatal, found.usable) == ((), (), True)
    assert found.longest_row == (len(orjson.dumps(chat("a", "b", "c", "d"))), 3)


def test_tokens_are_estimated_by_the_documented_rule(write):
    found = inspect(write(chat("a" * 40, "b" * 41), chat("ü" * 4, "x"), chat("a", "b")))
    counts = [21 + 8 + 3, 3 + 8 + 3, 1 + 8 + 3]
    assert (found.tokens.total, found.tokens.longest) == (sum(counts), 32)
    assert (found.tokens.p50, found.tokens.p90) == (14, 32)
    assert found.tokens.histogram == ((16, 2), (32, 1))
    assert "/ 4" in found.tokens.method


def test_line_numbers_are_physical(write):
    found = inspect(write(GOOD, "", GOOD, "{broken", "   ", GOOD, end=b"\r\n", head=b"\xef\xbb\xbf"))
    assert rules(found) == [(4, "row.json")]
    assert (found.lines, found.blank_lines, found.samples, found.usable_samples) == (6, 2, 4, 3)
    assert (found.bom, found.crlf) == (True, True)
    assert found.bad_lines == {4}


def test_a_broken_line_among_many_is_named(write):
    rows = [chat(f"q{at}", f"a{at}") for at in range(199)]
    found = inspect(write(*rows[:142], '{"messages": [{"role": "user", "content": "hi}]}', *rows[142:]))
    (problem,) = found.problems
    assert (problem.line, problem.rule, found.usable_samples) == (143, "row.json", 199)
    assert "character" in problem.message
    assert problem.remedy
    assert found.usable


@pytest.mark.parametrize(
    ("line", "rule", "said"),
    [
        (b'{"messages": NaN}', "row.json", "no NaN"),
        (b"{'messages': []}", "row.json", "double quotes"),
        (b'{"messages": [{"role": "user", "content": "\xff"}]}', "row.utf8", "byte 44 of the line"),
        (b'{"a": "\\ud800"}', "row.json", "surrogate"),
        (b"{", "row.json", "one object per line"),
        (b'{"a":1}{"b":2}', "row.json", "character 8"),
        (b"[" * 3000, "row.json", "depth"),
        (b"[1, 2]", "row.object", "a JSON list"),
        (b"null", "row.object", "JSON null"),
        (b'"text"', "row.object", "JSON text"),
    ],
)
def test_lines_that_are_no_object(write, line, rule, said):
    found = inspect(write(GOOD, line, GOOD, GOOD))
    (problem,) = found.problems
    assert (problem.line, problem.rule) == (2, rule)
    assert said in f"{problem.message} {problem.remedy}"
    assert len(problem.excerpt) <= 120


def changed(**last):
    row = deepcopy(GOOD)
    row["messages"][-1].update(last)
    return row


@pytest.mark.parametrize(
    ("row", "rule", "field"),
    [
        ({"messages": "hi"}, "messages.type", "messages"),
        ({"messages": []}, "messages.empty", "messages"),
        ({"messages": [*GOOD["messages"], "hi"]}, "message.type", "messages[2]"),
        ({"messages": [{"content": "x"}, *GOOD["messages"]]}, "role.missing", "messages[0].role"),
        (
            {"messages": [{"role": "bot", "content": "x"}, *GOOD["messages"]]},
            "role.unknown",
            "messages[0].role",
        ),
        (
            {"messages": [{"role": ["user"], "content": "x"}, *GOOD["messages"]]},
            "role.unknown",
            "messages[0].role",
        ),
        (
            {"messages": [*GOOD["messages"], {"role": "system", "content": "x"}]},
            "system.position",
            "messages[2].role",
        ),
        ({"messages": [{"role": "user"}, GOOD["messages"][1]]}, "content.missing", "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": 3}, GOOD["messages"][1]]},
            "content.type",
            "messages[0].content",
        ),
        (changed(content=[{"type": "text"}]), "content.part", "messages[1].content[0]"),
        (changed(content=[{"type": "audio", "text": "x"}]), "content.part", "messages[1].content[0]"),
        (changed(weight=2), "weight.value", "messages[1].weight"),
        (changed(weight=True), "weight.value", "messages[1].weight"),
        (changed(weight="1"), "weight.value", "messages[1].weight"),
        (changed(tool_calls={"name": "f"}), "tool_calls.type", "messages[1].tool_calls"),
        (changed(tool_calls=[{"function": {}}]), "tool_calls.type", "messages[1].tool_calls"),
        (changed(function_call="f"), "function_call.type", "messages[1].function_call"),
        ({**GOOD, "functions": {"f": 1}}, "tools.type", "functions"),
        (changed(reasoning_content=["x"]), "reasoning.type", "messages[1].reasoning_content"),
        ({**GOOD, "tools": {"f": 1}}, "tools.type", "tools"),
        (chat("only a question"), "assistant.none", "messages"),
        (changed(weight=0), "assistant.none", "messages"),
    ],
)
def test_each_rule_names_its_field_and_its_remedy(write, row, rule, field):
    found = inspect(write(GOOD, GOOD, GOOD, row))
    (problem,) = found.problems
    assert (problem.line, problem.rule, problem.field, problem.level) == (4, rule, field, "error")
    assert problem.message
    assert problem.remedy
    assert found.usable_samples == 3
    assert found.problem_counts == {rule: 1}


@pytest.mark.parametrize("truth", ["", []])
def test_an_empty_ground_truth_without_an_answer_is_told_as_that(write, truth):
    (problem,) = inspect(write(GOOD, GOOD, GOOD, chat("which?") | {"ground_truth": truth})).problems
    assert problem.message == "ground_truth is empty, and there is no assistant turn to train on"


@pytest.mark.parametrize(
    "row",
    [
        changed(weight=1),
        changed(weight=0.0) | {"messages": [*GOOD["messages"], *changed(weight=0)["messages"]]},
        changed(reasoning_content="thinking"),
        changed(
            content=None, tool_calls=[{"type": "function", "function": {"name": "f", "arguments": "{}"}}]
        ),
        changed(content=[{"type": "text", "text": "4"}]),
        {**GOOD, "tools": [{"type": "function", "function": {"name": "f"}}]},
        {**GOOD, "id": 7, "metadata": {"any": "thing"}},
        {"messages": [*GOOD["messages"], {"role": "tool", "content": "result"}, GOOD["messages"][1]]},
    ],
)
def test_what_fireworks_takes_is_no_problem(write, row):
    found = inspect(write(GOOD, GOOD, GOOD, row))
    assert found.problems == ()
    assert found.usable_samples == 4


def test_warnings_do_not_take_a_row_out(write):
    empty = {
        "messages": [
            *GOOD["messages"],
            {"role": "user", "content": "and?"},
            {"role": "assistant", "content": "  "},
        ]
    }
    found = inspect(write(GOOD, GOOD, chat("a", "b", "c"), empty))
    assert [(each.rule, each.level) for each in found.problems] == [
        ("turn.unanswered", "warning"),
        ("content.empty", "warning"),
    ]
    assert (found.usable_samples, found.bad_lines) == (4, set())


def test_an_empty_file(write):
    for path in (write(name="a"), write("", "  ", name="b")):
        found = inspect(path)
        assert rules(found) == [(0, "file.empty")]
        assert not found.usable


def test_two_samples_are_too_few_and_it_says_how_many(write):
    found = inspect(write(GOOD, GOOD))
    (problem,) = found.fatal
    assert problem.rule == "file.too-few"
    assert "2 usable samples" in problem.message
    assert "at least 3" in problem.remedy


def test_bad_rows_do_not_count_towards_the_least(write):
    found = inspect(write(GOOD, GOOD, "{", "{"))
    assert [each.rule for each in found.fatal] == ["file.too-few"]
    assert [line for line, _ in rules(found)] == [0, 3, 4]


def test_vision_data_is_refused_with_the_line(write):
    image = {
        "messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
            GOOD["messages"][1],
        ]
    }
    found = inspect(write(GOOD, GOOD, GOOD, image))
    (problem,) = found.fatal
    assert (problem.line, problem.rule, found.format) == (4, "file.vision", "vision")
    assert "vision fine-tuning" in problem.remedy


@pytest.mark.parametrize(
    ("row", "form", "said"),
    [
        (
            {"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []},
            "pairs",
            "preference learning",
        ),
        ({"chosen": [], "rejected": []}, "chosen-rejected", "preference learning"),
        (chat("only a prompt"), "prompts", "answers"),
        ({"prompt": "p", "completion": "c"}, "completion", "messages"),
        ({"text": "t"}, "unknown", "messages"),
    ],
)
def test_other_formats_are_refused_once_with_where_to_go(write, row, form, said):
    found = inspect(write(*[row] * 5))
    (problem,) = found.problems
    assert (problem.rule, problem.line, found.format, found.evidence) == ("file.format", 1, form, {form: 5})
    assert said in problem.remedy


def test_a_stray_row_of_another_format_is_a_bad_row(write):
    found = inspect(write(GOOD, GOOD, GOOD, {"prompt": "p", "completion": "c"}))
    assert rules(found) == [(4, "row.format")]
    assert (found.format, found.evidence) == ("chat", {"chat": 3, "completion": 1})


def test_weights_are_for_all_rows_or_none(write):
    weighted = {**GOOD, "weight": 0.5}
    assert inspect(write(weighted, weighted, weighted)).usable
    found = inspect(write(GOOD, weighted, GOOD))
    (problem,) = found.fatal
    assert (problem.rule, problem.line) == ("file.weights", 2)
    assert [each.rule for each in inspect(write(weighted, weighted, {**GOOD, "weight": -1})).problems] == [
        "row.weight",
        "file.too-few",
    ][::-1]


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"\xff\xfe{\x00", b"PAR1"])
def test_files_that_are_not_text(write, head):
    found = inspect(write(GOOD, head=head))
    assert [each.rule for each in found.problems] == ["file.foreign"]


def test_conversions_that_are_needed_or_offered(write):
    tool = {"messages": [*GOOD["messages"], {"role": "tool", "content": "r"}, GOOD["messages"][1]]}
    parts = changed(content=[{"type": "text", "text": "4"}])
    found = inspect(write(GOOD, chat("q", ground_truth="42"), tool, parts, chat("q", "a", ground_truth="x")))
    assert [(each.kind, each.rows, each.first_line, each.required) for each in found.conversions] == [
        ("ground_truth", 1, 2, True),
        ("tool_roles", 1, 3, False),
        ("content_parts", 1, 4, False),
    ]
    assert found.conversion_needed
    assert (found.ground_truth_rows, found.tool_rows, found.content_part_rows) == (2, 1, 1)
    assert (found.usable_samples, found.problems) == (5, ())


def test_the_old_function_role_must_be_converted(write):
    old = {
        "messages": [
            *GOOD["messages"],
            {"role": "function", "name": "f", "content": "r"},
            GOOD["messages"][1],
        ]
    }
    found = inspect(write(GOOD, GOOD, GOOD, old))
    assert [(each.kind, each.required) for each in found.conversions] == [
        ("function_calls", True),
        ("tool_roles", False),
    ]
    assert (found.problems, found.roles["function"]) == ((), 1)


def test_a_file_for_openai_works_as_it_is(write):
    weather = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
    call = {"name": "weather", "arguments": "{}"}
    ask, answer = {"role": "user", "content": "Rain?"}, {"role": "assistant", "content": "No.", "weight": 1}
    old = [ask, {"role": "assistant", "content": None, "function_call": call}]
    new = {"id": "c1", "type": "function", "function": call}
    found = inspect(
        write(
            {"messages": [*old, {"role": "function", "name": "weather", "content": "dry"}, answer]},
            {"messages": old, "functions": [weather]},
            {
                "messages": [ask, {"role": "assistant", "tool_calls": [new]}],
                "tools": [{"type": "function", "function": weather}],
                "parallel_tool_calls": False,
            },
            {"messages": [ask, {"role": "assistant", "content": "x", "weight": 0, "name": "a"}, ask, answer]},
        )
    )
    assert (found.problems, found.usable_samples) == ((), 4)
    assert found.other_fields == {"parallel_tool_calls": 1}
    assert [(each.kind, each.rows, each.required) for each in found.conversions] == [
        ("function_calls", 2, True),
        ("tool_roles", 1, False),
    ]


def test_prompts_with_answers_can_be_used_after_conversion(write):
    found = inspect(write(*[chat(f"q{at}", ground_truth=at) for at in range(4)]))
    assert (found.format, found.usable, found.conversion_needed) == ("prompts-with-answer", True, True)


def test_all_problems_are_counted_but_not_all_kept(write):
    found = inspect(write(*["{"] * 50, GOOD, GOOD, GOOD), max_problems_kept=10)
    assert (len(found.problems), found.problem_counts) == (10, {"row.json": 50})


def test_an_overlong_line_is_reported_with_its_length(write):
    found = inspect(write(GOOD, GOOD, chat("x" * 5000, "y"), GOOD), max_line=1000)
    (problem,) = found.problems
    assert (problem.line, problem.rule) == (3, "row.too-long")
    assert found.longest_row[1] == 3
    assert found.longest_row[0] > 5000


def test_json_there_and_back(write):
    found = inspect(write(GOOD, GOOD, GOOD, "{", chat("q", ground_truth="1"), chat(*"abcdef")))
    assert Inspection.from_json(json.loads(json.dumps(found.to_json()))) == found


roles = st.sampled_from(["system", "user", "assistant", "tool", "function", "odd"])
contents = st.one_of(
    st.text(max_size=6), st.none(), st.just(" "), st.just([{"type": "text", "text": "p"}]), st.integers()
)
messages = st.fixed_dictionaries(
    {"role": roles, "content": contents}, optional={"weight": st.sampled_from([0, 1, 2])}
)
rows = st.one_of(
    st.fixed_dictionaries(
        {"messages": st.lists(messages, max_size=4)},
        optional={
            "ground_truth": st.text(max_size=3),
            "weight": st.sampled_from([1, "x"]),
            "tools": st.sampled_from([None, [], [{"a": 1}], [1], {}]),
            "other": st.integers(),
        },
    ),
    st.fixed_dictionaries(
        {
            "messages": st.lists(
                st.fixed_dictionaries({"role": roles, "content": st.text(max_size=4)}), max_size=4
            )
        },
        optional={"tools": st.sampled_from([None, [], [{"a": 1}], [1], {}])},
    ),
    st.sampled_from([1, None, {"messages": None}, {"prompt": "a", "completion": "b"}, {}]),
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(rows)
def test_the_fast_way_and_the_rules_agree(row):
    try:
        line = orjson.dumps(row)
    except orjson.JSONEncodeError:
        return
    tally = Tally(Findings(100))
    (counted,) = tally.add(Batch(1, [line])).tolist()
    tally.finish()
    decoded = orjson.loads(line)
    form = formats.of_row(decoded)
    assert tally.evidence == Counter([form])
    if form in (formats.CHAT, formats.ANSWERS, formats.PROMPTS):
        expected = list(row_findings(decoded))
        assert [problem.rule for problem in tally.findings.kept] == [each.rule for each in expected]
        usable = all(each.level != "error" for each in expected)
        assert counted == (tokens.of_sample(decoded) if usable else UNUSABLE)
    else:
        assert counted == UNUSABLE
        assert tally.findings.counts


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=40), max_size=12))
def test_no_bytes_break_an_inspection(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("any") / "f"
    path.write_bytes(b"\n".join(lines))
    found = inspect(path)
    assert found.samples + found.blank_lines == found.lines
    assert 0 <= found.usable_samples <= found.samples
