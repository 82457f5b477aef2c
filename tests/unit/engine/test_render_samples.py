"""The file of rendered rows: which rows, and what each token is."""

import json

import numpy as np
import pytest

from localfireworks.engine.chat import Renderer
from localfireworks.engine.dataset import draw, open_source
from localfireworks.engine.files import Folder
from localfireworks.engine.render_samples import MOST, write_samples
from localfireworks.engine.tokens import load_tokenizer


@pytest.fixture
def records(tmp_path):
    """The records of a file of 30 rows with an empty line after each."""
    rows = [
        {"messages": [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": "a b"}]}
        for number in range(30)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(each) + "\n\n" for each in rows))
    renderer, source = Renderer(load_tokenizer()), open_source([path])
    samples = draw(source, np.arange(5, 30), renderer.render, 512, 0)
    write_samples(Folder(tmp_path), source, samples, renderer)
    return [json.loads(line) for line in (tmp_path / "render_samples.jsonl").read_text().splitlines()]


def test_the_first_trained_rows_are_there_with_their_place_in_the_file(records):
    assert len(records) == MOST == 20
    numbers = [record["source_jsonl_row_index"] for record in records]
    assert numbers == list(range(5, 25))
    assert [record["source_jsonl_line_number"] for record in records] == [2 * each + 1 for each in numbers]


def test_every_token_has_its_text_and_its_weight(records):
    record = records[0]
    assert record.keys() == {
        "source_jsonl_row_index", "source_jsonl_line_number", "split_index", "worker_id", "renderer",
        "train_on_what", "token_ids", "decoded_tokens", "token_weights", "training_target_token_ids",
        "training_loss_weights",
    }  # fmt: skip
    text = "<|im_start|>user\nq5<|im_end|>\n<|im_start|>assistant\na b<|im_end|>\n"
    assert "".join(record["decoded_tokens"]) == text
    trained = zip(record["decoded_tokens"], record["token_weights"], strict=True)
    assert "".join(token for token, weight in trained if weight) == "a b<|im_end|>"
    assert record["training_target_token_ids"] == record["token_ids"][1:]
    assert record["training_loss_weights"] == record["token_weights"][1:]
