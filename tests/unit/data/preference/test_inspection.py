"""What an inspection says of pairs, prompts, chosen/rejected and mixed files."""

from __future__ import annotations

import pytest

from tests.unit.data.preference.conftest import chosen, pair, prompt
from workflows.data import formats
from workflows.data.inspection import Inspection
from workflows.data.preference.inspection import inspect
from workflows.data.preference.shared import asked_in

GOOD = [pair(f"Question {at}?", f"A full answer {at}.", f"No {at}.") for at in range(6)]


def rules(found: Inspection) -> list[tuple[int, str, str]]:
    return [(each.line, each.rule, each.level) for each in found.problems]


def test_pairs(write):
    found = inspect(write(*GOOD))
    report, lint = found.report, found.lint
    assert (report.format, report.samples, report.usable_samples) == (formats.PAIRS, 6, 6)
    assert (report.problems, report.conversions, report.usable) == ((), (), True)
    assert (lint.rows, lint.prompts, lint.copies, lint.contradictory) == (6, 6, 0, 0)
    assert lint.lengths is not None
    assert (lint.lengths.longer, lint.lengths.characters) == (6, 11)
    # Prompt, answer, template, for both sides: "Question 0?" has 11 bytes, the answers 16 and 5.
    assert report.tokens.total == 6 * ((-(-27 // 4) + 11) + (16 // 4 + 11))


def test_prompts(write):
    with_truth = {**prompt("How much is 2 + 2?"), "ground_truth": "4"}
    found = inspect(write(prompt("Name a colour."), with_truth, prompt("Name a river.")))
    assert (found.report.format, found.report.usable_samples) == (formats.PROMPTS, 3)
    assert (found.lint.prompts, found.lint.lengths) == (3, None)


def test_chosen_and_rejected_count_as_usable_and_need_a_conversion(write):
    rows = [chosen(f"q{at}", "good answer", "bad") for at in range(3)]
    broken = {"chosen": rows[0]["chosen"], "rejected": rows[1]["rejected"]}
    found = inspect(write(*rows, broken)).report
    assert (found.format, found.usable_samples, found.samples) == (formats.CHOSEN, 3, 4)
    assert rules(found) == [(4, "chosen.prompts", "error")]
    (conversion,) = found.conversions
    assert (conversion.rows, conversion.first_line, conversion.required) == (4, 1, True)


@pytest.mark.parametrize(
    ("rows", "rule", "words"),
    [
        ([*GOOD, prompt("a"), prompt("b")], "file.mixed", "6 preference pairs, 2 prompts without answers"),
        ([*GOOD[:2], chosen("q", "a", "b")], "file.mixed", "2 preference pairs, 1 chosen/rejected"),
        ([{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}] * 3,
         "file.format", "3 chat samples"),
        ([], "file.empty", "empty"),
        (GOOD[:2], "file.too-few", "2 usable rows of 2"),
        ([{"text": "x"}] * 4, "file.format", "4 rows of an unknown format"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_refused_with_the_counts(write, rows, rule, words):
    first = inspect(write(*rows)).report.fatal[0]
    assert first.rule == rule
    assert words in first.message
    assert first.remedy


def test_every_fault_of_a_pair_is_named_with_its_line(write):
    two = pair("q", "a", "b")
    two["preferred_output"] *= 2
    user = pair("q", "a", "b")
    user["non_preferred_output"][0]["role"] = "user"
    unasked = pair("q", "a", "b")
    unasked["input"]["messages"].append({"role": "assistant", "content": "hm"})
    bad = [
        pair("q", "same ", " same"),
        pair("q", "  ", "b"),
        two,
        user,
        unasked,
        {**pair("q", "a", "b"), "input": "q"},
        {**pair("q", "a", "b"), "preferred_output": "a"},
        "{broken",
        pair(" ", "a", "b"),
        {"text": "no pair"},
    ]
    found = inspect(write(*GOOD, *bad)).report
    assert [rule for _, rule, _ in rules(found)] == [
        "pair.identical", "answer.empty", "answer.turns", "answer.role", "prompt.last", "input.type",
        "answer.type", "row.json", "prompt.empty", "messages.type",
    ]  # fmt: skip
    assert [line for line, *_ in rules(found)] == list(range(7, 17))
    assert all(each.remedy for each in found.problems)
    assert (found.samples, found.usable_samples, found.usable) == (16, 6, True)


def test_earlier_turns_are_context_and_only_warned_of(write):
    row = pair("third?", "a", "b")
    row["input"]["messages"][:0] = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
    ]
    found = inspect(write(*GOOD, row)).report
    assert rules(found) == [(7, "prompt.turns", "warning")]
    assert (found.usable_samples, found.turns) == (7, {1: 6, 3: 1})


def test_contradictions_name_each_other_and_are_left_out(write):
    found = inspect(write(*GOOD, pair("Which?", "left", "right"), pair("Which? ", "right", "left")))
    assert rules(found.report) == [(7, "pair.contradicts", "error"), (8, "pair.contradicts", "error")]
    assert "line 8 prefers" in found.report.problems[0].message
    assert (found.report.usable_samples, found.lint.contradictory) == (6, 2)


def test_a_ranking_of_three_answers_is_no_contradiction(write):
    rows = [
        pair("Which?", "best", "middle"),
        pair("Which?", "middle", "worst"),
        pair("Which?", "best", "worst"),
    ]
    found = inspect(write(*rows, rows[0]))
    assert found.report.problems == ()
    assert (found.lint.prompts, found.lint.copies, found.lint.rows) == (1, 1, 4)


def test_length_bias_is_told_with_its_interval(write):
    long = [pair(f"q{at}", "word " * 20, "word") for at in range(18)]
    short = [pair(f"r{at}", "word", "word " * 20) for at in range(2)]
    lengths = inspect(write(*long, *short)).lint.lengths
    assert lengths is not None
    assert (lengths.longer, lengths.shorter, lengths.share) == (18, 2, 0.9)
    assert lengths.low == pytest.approx(0.699, abs=0.001)
    assert lengths.high == pytest.approx(0.972, abs=0.001)
    assert lengths.biased
    assert (lengths.characters, lengths.ratio) == (96, 25)


def test_equal_shares_are_no_bias(write):
    rows = [pair(f"q{at}", *("longer", "sh")[:: 1 - 2 * (at % 2)]) for at in range(20)]
    lengths = inspect(write(*rows)).lint.lengths
    assert lengths is not None
    assert not lengths.biased


def test_a_line_that_is_too_long_is_a_problem_and_no_more(write):
    path = write(*GOOD, pair("q", "x" * 5000, "y"))
    found = inspect(path, max_line=1000).report
    assert rules(found) == [(7, "row.too-long", "error")]
    assert found.longest_row[1] == 7


def test_a_report_survives_json(write):
    found = inspect(write(*GOOD)).report
    assert Inspection.from_json(found.to_json()) == found


def test_contradictions_that_differ_in_white_space_are_found(write):
    rows = [pair("q", "one  two", "three"), pair("q", "three\n", "one two"), pair("w", "a b", "a\nb")]
    found = inspect(write(*GOOD, *rows))
    assert found.lint.contradictory == 2, "a pair about white space alone does not contradict itself"


def test_prompts_with_tools_are_refused_since_they_are_not_asked_with_them(write):
    tools = [{"type": "function", "function": {"name": "look"}}]
    row = pair("q", "a", "b")
    row["input"]["tools"] = tools
    found = inspect(write(*GOOD, row)).report
    assert (rules(found), found.usable_samples) == ([(7, "tools.unasked", "error")], 6)
    sides = [chosen(f"q{at}", "a", "b") for at in range(3)]
    found = inspect(write(*sides, {**chosen("r", "a", "b"), "tools": tools})).report
    assert rules(found) == [(4, "tools.unasked", "error")]
    alone = inspect(write(*[prompt(f"p{at}") for at in range(3)], {**prompt("p"), "tools": tools})).report
    assert (rules(alone), alone.usable_samples) == ([(4, "tools.unasked", "error")], 3)
    assert all(each.remedy for each in alone.problems)


def test_a_prompt_that_is_measured_on_is_named_once_with_the_lines_of_both(write):
    measured = write(prompt("Shared  one?"), prompt("Alone?"), prompt("Shared two?"), name="measured.jsonl")
    rows = [prompt("Shared one?"), prompt("Mine?"), prompt("Shared two?"), prompt("Shared one?")]
    found = inspect(write(*rows), measured=asked_in(measured)).report
    assert rules(found) == [(1, "prompt.shared", "warning"), (3, "prompt.shared", "warning")]
    assert [each.message for each in found.problems] == [
        "lines 1 and 4 ask the prompt of line 1 of the evaluation dataset, and are not trained on",
        "line 3 asks the prompt of line 3 of the evaluation dataset, and is not trained on",
    ]
    assert found.usable_samples == 4, "they are left out of training alone"
    assert [each.rule for each in inspect(measured, measured={}).report.problems] == []
