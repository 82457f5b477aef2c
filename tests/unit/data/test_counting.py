"""Tokens by a tokenizer: exact for a file that is counted whole, within the told range for pieces of it."""

from __future__ import annotations

import random

import orjson
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from tests.unit.data.conftest import chat
from workflows.data import counting
from workflows.data.inspection import inspect
from workflows.data.tokens import HIGH, LOW, Scaled


@pytest.fixture
def folder(tmp_path):
    """A tokenizer that counts words."""
    made = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    made.pre_tokenizer = Whitespace()
    (tmp_path / "tokenizers" / "qwen3-8b").mkdir(parents=True)
    made.save(str(tmp_path / "tokenizers" / "qwen3-8b" / "tokenizer.json"))
    return tmp_path / "tokenizers"


def words(count: int, draw: random.Random) -> str:
    return " ".join("x" * draw.randint(1, 12) for _ in range(count))


def test_a_tokenizer_is_found_by_the_models_name(folder):
    file = counting.find(folder, "accounts/fireworks/models/qwen3-8b")
    assert file == folder / "qwen3-8b" / "tokenizer.json"
    (folder / "qwen3-4b.json").write_bytes(file.read_bytes())
    assert counting.find(folder, "qwen3-4b") == folder / "qwen3-4b.json"
    assert counting.find(folder, "accounts/a/models/..") is None
    assert counting.find(folder, "other") is None
    assert counting.find("", "qwen3-8b") is None


def test_a_small_file_is_counted_whole(folder, write):
    call = {"function": {"name": "f", "arguments": "{}"}}
    rows = [chat("one two three", "four"), chat("a", "b"), chat("only a question"), "{"]
    rows += [{"messages": [*chat("a b")["messages"], {"role": "assistant", "tool_calls": [call]}]}]
    path = write(*rows)
    found = counting.count(path, counting.find(folder, "qwen3-8b"), "qwen3-8b")
    marks = 3 * (2 * 4 + 3)
    calls = len(
        Tokenizer.from_file(str(folder / "qwen3-8b" / "tokenizer.json"))
        .encode(str(orjson.dumps([call]), "utf8"))
        .ids
    )
    assert (found.rows, found.exact, found.low) == (3, True, found.high)
    scaled = Scaled(found.scale, found.low, found.high, found.method)
    tokens = inspect(path, scaled=scaled).tokens
    assert tokens.total == tokens.low == tokens.high == 4 + 2 + 2 + calls + marks
    assert "qwen3-8b" in tokens.method


def test_of_a_large_file_pieces_are_counted_and_the_range_holds(folder, write):
    draw = random.Random(2)
    rows = [chat(words(draw.randint(1, 30), draw), words(draw.randint(1, 90), draw)) for _ in range(1200)]
    path, file = write(*rows), counting.find(folder, "qwen3-8b")
    whole = counting.count(path, file, "m")
    part = counting.count(path, file, "m", whole=1000, piece=4096)
    assert not part.exact
    assert part.low <= whole.scale <= part.high
    assert part.high / part.low < 1.1
    assert "in proportion" in part.method
    assert counting.count(path, file, "m", whole=1000, piece=4096) == part


def test_what_is_no_tokenizer_is_said(tmp_path, write):
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(counting.NoTokenizer, match=r"t\.json"):
        counting.count(write(chat("a", "b")), tmp_path / "t.json", "m")


def test_nothing_to_count_is_nothing(folder, write):
    assert counting.count(write("{"), counting.find(folder, "qwen3-8b"), "m") is None


def test_an_estimate_tells_its_range(write):
    tokens = inspect(write(*[chat("a" * 40, "b" * 41)] * 3)).tokens
    assert (tokens.low, tokens.high) == (round(tokens.total * LOW), round(tokens.total * HIGH))
    assert "between" in tokens.method


def test_the_longest_rows_have_their_lines_and_others_are_counted_by_quantile(write):
    rows = [chat("q", "a" * 4 * at) for at in range(1000)]
    tokens = inspect(write(*rows)).tokens
    assert tokens.longest_rows[0] == (tokens.longest, 1000)
    assert tokens.over(tokens.longest_rows[9][0], 1000) == 9
    assert tokens.over(0, 1000) == 1000
    assert tokens.over(tokens.p50, 1000) == pytest.approx(500, abs=2)
    assert tokens.over(10**6, 1000) == 0
