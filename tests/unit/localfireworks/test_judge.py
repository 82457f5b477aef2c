"""The stand-in judge: what it reads, that it depends on both answers and on no place, how it says it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localfireworks.engine.asking import Asked
from localfireworks.judge import NOTHING, Bias, Judge, JudgingEngine, decide, judgement
from localfireworks.judge_demands import met_demands
from localfireworks.judge_reading import Comparison, read
from localfireworks.judge_rules import score
from tests.unit.localfireworks.conftest import EchoEngine, Server

ASKED = "Name three rivers of Africa as bullet points, without commas."
GOOD = "- Nile is a river of Africa\n- Congo is another\n- Niger is a third"
POOR = "I like trains, planes, and automobiles."
FORMS = {
    "tags": "<prompt>{asked}</prompt>\n<answer_a>\n{a}\n</answer_a>\n<answer_b>{b}</answer_b>\nReply A or B.",
    "bare tags": "Question: {asked}\n<A>{a}</A><B>{b}</B>",
    "id tags": "Question: {asked}\n<response id='A'>{a}</response>\n<response id='B'>{b}</response>",
    "brackets": (
        "[User Question]\n{asked}\n\n"
        "[The Start of Assistant A's Answer]\n{a}\n[The End of Assistant A's Answer]\n"
        "[The Start of Assistant B's Answer]\n{b}\n[The End of Assistant B's Answer]"
    ),
    "headings": "Instruction: {asked}\n\nAnswer A:\n{a}\n\nAnswer B:\n{b}\n\nWhich answer is better?",
    "markdown": "## Prompt\n{asked}\n\n### Response A\n{a}\n\n### Response B\n{b}\n\nReply with A or B.",
    "bold": "**Question:** {asked}\n\n**Assistant A**: {a}\n\n**Assistant B**: {b}",
    "numbers": "Instruction: {asked}\n\nOutput 1: {a}\n\nOutput 2: {b}\n\nPlease choose 1 or 2.",
}


def prompt(form: str, a: str, b: str) -> str:
    return FORMS[form].format(asked=ASKED, a=a, b=b)


@pytest.mark.parametrize("form", FORMS)
def test_every_marking_is_read_to_the_letter(form: str) -> None:
    found = read(prompt(form, GOOD, POOR))
    assert found is not None
    assert (found.asked, found.first, found.second) == (ASKED, GOOD, POOR)
    assert found.names == (("1", "2") if form == "numbers" else ("A", "B"))


@pytest.mark.parametrize("keys", [("answer_a", "answer_b"), ("response_1", "response_2"), ("A", "B")])
@pytest.mark.parametrize("frame", ["{}", "Compare these.\n```json\n{}\n```\nReply as JSON."])
def test_json_is_read(keys: tuple[str, str], frame: str) -> None:
    text = frame.format(json.dumps({"instruction": ASKED, keys[0]: GOOD, keys[1]: POOR}))
    found = read(text)
    assert found is not None
    assert (found.asked, found.first, found.second) == (ASKED, GOOD, POOR)


@pytest.mark.parametrize("text", ["What is better, tea or coffee?", "Answer A: only one", "{}", ""])
def test_a_prompt_without_two_answers_gets_no_verdict(text: str) -> None:
    assert judgement([{"role": "user", "content": text}]) == NOTHING


@pytest.mark.parametrize("form", FORMS)
def test_the_better_answer_wins_in_either_place(form: str) -> None:
    names = ("1", "2") if form == "numbers" else ("A", "B")
    for place, (a, b) in enumerate(((GOOD, POOR), (POOR, GOOD))):
        assert judgement([{"role": "user", "content": prompt(form, a, b)}]) == names[place]


def test_the_verdict_depends_on_both_answers_and_on_the_instruction() -> None:
    other = (
        "- The Nile and the Congo and the Niger and the Zambezi: rivers of Africa named\n- three\n- points"
    )
    assert score(ASKED, other) > score(ASKED, GOOD) > score(ASKED, POOR)
    assert score("I like what? Trains, planes, automobiles?", POOR) > score("I like trains", GOOD)


@pytest.mark.parametrize(
    ("asked", "meets", "fails"),
    [
        ("Write at least 5 words", "one two three four five", "one two"),
        ("Answer in at most two sentences.", "Yes. No.", "A. B. C."),
        ("Answer in exactly 2 paragraphs", "a\n\nb", "a\n\nb\n\nc"),
        ("Reply as JSON", '```json\n{"a": 1}\n```', "a: 1"),
        ("Answer with one word", "Yes", "Yes I think so too"),
        ("No commas please", "a b", "a, b"),
        ("Use all lowercase letters", "abc", "Abc"),
        ("Write in all capital letters", "ABC", "Abc"),
        ("Wrap your response in double quotation marks", '"a"', "a"),
        ("Give a title in double angular brackets", "<<T>> x", "T x"),
        ("Add a postscript", "x\nP.S. y", "x"),
        ("Use placeholders such as [name]", "Dear [name]", "Dear Tom"),
        ("Highlight a section", "a *b* c", "a b c"),
        ('End with the phrase "Any questions?"', "Well. Any questions?", "Any questions? Well"),
        ('Do not use the word "blue"', "red", "Blue sky"),
        ("Include the keyword 'sun'", "the sun", "the moon"),
    ],
)
def test_demands_of_the_instruction_are_checked(asked: str, meets: str, fails: str) -> None:
    met, demands = met_demands(asked, meets)
    assert met == demands >= 1
    assert met_demands(asked, fails)[0] < demands


def test_length_loops_and_silence_cost() -> None:
    assert score("Say hello", "hello " * 600) < score("Say hello", "hello")
    words = " ".join(f"word{number}" for number in range(600))
    assert score("Say hello", f"hello {words}") < score("Say hello", f"hello {words[:400]}")
    assert score("Say hello", "   ") < score("Say hello", "no")


@pytest.mark.parametrize("seed", range(20))
def test_swapping_swaps_the_verdict_also_for_equals(seed: int) -> None:
    comparison = Comparison("Say something", f"alpha {seed}", f"omega {seed}")
    verdict, swapped = decide(comparison, tie=False), decide(comparison.swapped(), tie=False)
    assert {verdict.place, swapped.place} == {0, 1}
    assert decide(comparison, tie=True).place is None


def test_a_bias_and_noise_can_be_planted() -> None:
    comparison = Comparison(ASKED, POOR, GOOD)
    assert decide(comparison, tie=False).place == 1
    assert decide(comparison, tie=False, bias=Bias(first=10)).place == 0
    places = [
        decide(Comparison("Say", f"a {n}", f"b {n}"), tie=False, bias=Bias(noise=5)).place for n in range(200)
    ]
    assert 70 <= sum(place or 0 for place in places) <= 130


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "v", "schema": {"properties": properties}}}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("Reply with [[A]], [[B]] or [[C]] for a tie.", "[[A]]"),
        ("Reply with A or B.", "A"),
        ('Reply as JSON: {"winner": "A" or "B"}', {"winner": "A"}),
        ("Reply in JSON.", {"verdict": "A"}),
    ],
)
def test_the_form_of_the_prompt_is_answered(words: str, answer: Any) -> None:
    said = judgement([{"role": "user", "content": f"{prompt('tags', GOOD, POOR)}\n\n{words}"}])
    if isinstance(answer, dict):
        assert json.loads(said).items() >= answer.items()
    else:
        assert said.endswith(answer)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"verdict": {"enum": ["A", "B", "tie"]}}, {"verdict": "A"}),
        ({"better": {"enum": ["answer_b", "answer_a"]}, "why": {"type": "string"}}, {"better": "answer_a"}),
        ({"pick": {"enum": ["first", "second"]}}, {"pick": "first"}),
        ({"winner": {"type": "integer"}}, {"winner": 1}),
        ({"winner": {"type": "string"}, "sure": {"type": "boolean"}}, {"winner": "A", "sure": False}),
        (
            {"score_a": {"type": "integer", "maximum": 3}, "verdict": {"enum": ["A", "B"]}},
            {"score_a": 3, "verdict": "A"},
        ),
    ],
)
def test_a_schema_is_filled(properties: dict[str, Any], expected: dict[str, Any]) -> None:
    said = json.loads(
        judgement([{"role": "user", "content": prompt("tags", GOOD, POOR)}], schema(**properties))
    )
    assert set(said) == set(properties)
    assert said.items() >= expected.items()


def test_a_tie_is_said_only_where_it_may_be() -> None:
    text = prompt("tags", "same words", "same words")
    assert judgement([{"role": "user", "content": text}]) == "A"
    assert judgement([{"role": "user", "content": f"{text}\nA tie is allowed."}]) == "tie"
    with_tie = schema(verdict={"enum": ["A", "B", "TIE"]})
    assert json.loads(judgement([{"role": "user", "content": text}], with_tie)) == {"verdict": "TIE"}


def test_it_generates_like_a_model() -> None:
    judge, messages = Judge(), [{"role": "user", "content": f"{prompt('tags', GOOD, POOR)} [[A]]"}]
    pieces = list(judge.generate(messages, max_tokens=1000, temperature=1.0, seed=3))
    assert "".join(piece.text for piece in pieces) == judgement(messages)
    assert [piece.finish_reason for piece in pieces[-2:]] == [None, "stop"]
    cut = list(judge.generate(messages, max_tokens=2))
    assert (len(cut), cut[-1].finish_reason) == (2, "length")
    stopped = "".join(piece.text for piece in judge.generate(messages, max_tokens=99, stop=["scores"]))
    assert stopped == "Stand-in judge: A "
    assert judge.count_prompt_tokens([{"role": "user", "content": "two words."}]) == 3


def test_it_answers_many_at_once_from_messages_or_tokens() -> None:
    judge = Judge()
    batch = judge.open()
    for ticket, (a, b) in enumerate(((GOOD, POOR), (POOR, GOOD), (GOOD, GOOD))):
        messages = [{"role": "user", "content": prompt("markdown", a, b)}]
        batch.add(ticket, Asked(prompt=judge.prompt(messages)) if ticket else Asked(messages))
    assert batch.tickets() == [0, 1, 2]
    batch.drop(2)
    answers = {ticket: "".join(piece.text for piece in pieces) for ticket, pieces in batch.step()}
    assert (answers, batch.busy) == ({0: "A", 1: "B"}, False)


@pytest.mark.parametrize("text", ["  Two  words.\n", "é ß—x\n\n\ty", ""])
def test_its_tokens_spell_the_text(text: str) -> None:
    judge = Judge()
    assert b"".join(judge.spell(token) for token in judge.encode(text)).decode() == text
    assert len(judge.prompt_chances(judge.encode(text))) == max(0, len(judge.encode(text)) - 1)


async def test_it_is_served_like_a_model_under_a_name_that_says_what_it_is(server: Server) -> None:
    name = "accounts/fireworks/models/standin-judge"
    shown = (await server.http.get(f"/v1/{name}")).json()
    assert "stand-in, a fixed rule" in shown["displayName"]
    for a, b, verdict in ((GOOD, POOR, "A"), (POOR, GOOD, "B")):
        body = {"model": name, "messages": [{"role": "user", "content": prompt("tags", a, b)}]}
        answer = (await server.http.post("/inference/v1/chat/completions", json=body)).json()
        assert answer["choices"][0]["message"]["content"] == verdict
    assert server.engine.loaded == []


def test_other_models_are_the_engines() -> None:
    engine = JudgingEngine(EchoEngine())
    assert engine.load("small", None).standin == "small"  # type: ignore[attr-defined]
    assert engine.count_tokens([{"a": "b"}]) == 2


async def test_a_schema_of_the_request_reaches_it(server: Server) -> None:
    name = "accounts/fireworks/models/standin-judge"
    asked = {"role": "user", "content": prompt("markdown", POOR, GOOD)}
    body = {"model": name, "messages": [asked], "response_format": schema(winner={"enum": ["A", "B", "tie"]})}
    answer = (await server.http.post("/inference/v1/chat/completions", json=body)).json()
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"winner": "B"}
