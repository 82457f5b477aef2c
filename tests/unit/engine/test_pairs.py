"""Preference pairs: faults named by line, what is trained, how pairs share batches."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localfireworks.engine.chat import Rendered, Renderer
from localfireworks.engine.dataset import open_source
from localfireworks.engine.job_settings import JobError
from localfireworks.engine.packing import SHORTEST, pack_pairs
from localfireworks.engine.pairs import Pair, pair_fault, render_pairs
from localfireworks.engine.tokens import load_tokenizer


def said(text, role="assistant", **more):
    return {"role": role, "content": text, **more}


def row(**change):
    good = {
        "input": {"messages": [said("a question", "user")]},
        "preferred_output": [said("a good answer")],
        "non_preferred_output": [said("bad")],
    }
    return {**good, **change}


@pytest.fixture(scope="module")
def renderer():
    return Renderer(load_tokenizer())


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ([1], "not a JSON object"),
        (row(input=None), 'the field "input" must be an object'),
        (row(input={"messages": []}), '"input.messages" must be a list'),
        (row(input={"messages": [said("x", "robot")]}), "input.messages[0].role is 'robot'"),
        (row(input={"messages": [said("x", "user")], "tools": {}}), '"input.tools" must be a list'),
        (row(preferred_output=None), '"preferred_output" must be a list with one assistant message'),
        (row(non_preferred_output=[said("a"), said("b")]), '"non_preferred_output" must be a list with one'),
        (row(preferred_output=[said("x", "user")]), "preferred_output[0].role is 'user': it must be"),
        (row(non_preferred_output=[said(5)]), "non_preferred_output[0].content must be text"),
        (row(preferred_output=["text"]), "preferred_output[0] is not an object"),
        ({"messages": [said("a chat row")]}, 'the field "input" must be an object'),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, bad, fault):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in (row(), bad, row())))
    with pytest.raises(JobError) as caught:
        open_source([path], pair_fault)
    assert str(caught.value).startswith("line 2: ")
    assert fault in str(caught.value)
    assert caught.value.reason == "DATASET_INVALID"


def test_only_the_answers_are_trained(renderer):
    history = [said("a", "user"), said("earlier answer"), said("b", "user")]
    pair = render_pairs(
        renderer.render, [row(input={"messages": history}, preferred_output=[said("x", weight=0)])]
    )[0]
    for side, text in ((pair.preferred, "x"), (pair.other, "bad")):
        trained = side.ids[side.weights > 0]
        assert renderer.tokenizer.decode(trained.tolist(), skip_special_tokens=False) == f"{text}<|im_end|>"
    assert pair.tokens == len(pair.preferred.ids) + len(pair.other.ids)
    assert pair.trainable
    assert not pair.cut(10).trainable


def made(lengths):
    sides = [Rendered(np.arange(size, dtype=np.int32), np.ones(size, np.float32)) for size in lengths]
    return Pair(*sides, reference=(-lengths[0], -lengths[1]))


@given(st.lists(st.tuples(st.integers(2, 150), st.integers(2, 150)), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_both_answers_of_a_pair_are_in_the_same_place_of_two_rows(lengths):
    found = []
    for batch, reference, present in pack_pairs([made(each) for each in lengths], 64):
        slots = np.eye(batch.tokens.shape[1] // SHORTEST + 1)[batch.segments][..., 1:]
        counts = np.einsum("rt,rts->rs", batch.weights, slots)
        assert ((counts[::2] > 0) == (present > 0)).all()
        assert np.array_equal(-reference - 1, np.where(counts > 0, counts, -1))
        found += zip(counts[::2][present > 0].tolist(), counts[1::2][present > 0].tolist(), strict=True)
    assert sorted(found) == sorted((a - 1, b - 1) for a, b in lengths)
