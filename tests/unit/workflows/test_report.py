"""The report is text from facts: escaped, complete for every ending, with the page's number formats."""

from workflows.markup import plain
from workflows.report import render


def facts(**parts):
    return {
        "title": "Support replies",
        "verdict": "qwen3-8b was fine-tuned.",
        "rehearsal": True,
        "instruction": "",
        "final": None,
        "served": None,
        "failure": None,
        "values": [],
        "data": None,
        "candidates": [],
        "pictures": [],
        "promotion": None,
        "evaluation": "",
        "costs": {"approved": "0", "actual": "0", "lines": []},
        "standing": [],
        "next_steps": [],
        "phases": [],
        "decisions": [],
        "evaluations": [],
        "calls": [],
        **parts,
    }


CANDIDATE = {
    "number": 1,
    "role": "sweep",
    "model_short": "qwen3-8b",
    "lora_rank": 8,
    "learning_rate": "1.5e-4",
    "epochs": 5,
    "train_loss": 1.23456,
    "validation_loss": None,
    "tokens": 12345,
    "cost": "0.0061",
    "state": "done",
}
LINE = {
    "item": "training:candidate:1",
    "label": "Candidate 1",
    "low": "0.70",
    "expected": "1.00",
    "high": "1.30",
    "actual": "0.42",
    "gap": "the budget",
}


def test_numbers_look_as_on_the_page_and_missing_ones_are_said():
    text = render(facts(candidates=[CANDIDATE]))
    assert "| 1 | qwen3-8b | 8 | 1.5e-4 | 5 | 1.2346 | not reported | 12,345 | under $0.01 | done |" in text


def test_estimated_and_actual_stand_side_by_side_with_the_reason():
    text = render(facts(costs={"approved": "1.30", "actual": "0.42", "lines": [LINE]}))
    assert "| Candidate 1 | about $1.00 | $0.70 to $1.30 | $0.42 | the budget |" in text
    assert "Approved: up to $1.30" in text


def test_a_line_without_a_price_is_not_calculated():
    line = {**LINE, "low": None, "expected": None, "high": None, "actual": None, "gap": ""}
    text = render(facts(costs={"approved": "0", "actual": "0", "lines": [line]}))
    assert "| Candidate 1 | not calculated |  | not settled |  |" in text


def test_a_failure_names_phase_cause_words_and_next_step():
    told = {
        "phase": "inspection",
        "phase_label": "Data inspection",
        "whose": "data",
        "ours": "Line 143 is broken.",
        "theirs": "DATASET_INVALID",
        "next": "Mend line 143.",
    }
    text = render(facts(failure=told))
    for words in ("Data inspection", "Line 143 is broken.", "DATASET\\_INVALID", "Mend line 143."):
        assert words in text


def test_an_ending_without_a_plan_says_that_nothing_was_spent():
    assert "Nothing was approved and nothing was spent." in render(facts())


def test_words_of_people_and_data_cannot_act_as_markup():
    hostile = "<script>x</script> | [a](javascript:b)\n# Title"
    shown = plain(hostile)
    assert "<" not in shown.replace("\\<", "")
    assert "\n" not in shown
    assert "\\|" in shown
    assert "# Final report: \\<script\\>" in render(facts(title="<script>"))


def test_the_same_facts_give_the_same_text():
    assert render(facts(candidates=[CANDIDATE])) == render(facts(candidates=[CANDIDATE]))
