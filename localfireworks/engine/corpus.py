"""The text the stand-ins are trained on, from `../shared/data`, as conversations and plain lines.

Kept out, to measure on: the last 500 rows of GSM8K, the last 20 of text2sql, every 50th line of the corpus,
all of Banking77's test file; of Banking77's training file only what customers wrote is used, never a label.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from localfireworks.engine.chat import text_of

Message = dict[str, Any]
Document = list[Message] | str
GSM8K_HELD, SQL_HELD, WIKI_EVERY = 500, 20, 50


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Documents to train on, and held-out ones by source. A document is a conversation or plain text."""

    train: list[Document]
    held_out: dict[str, list[Document]]


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]


def read_corpus(folder: Path, seed: int) -> Corpus:
    """All sources, in a fixed order that depends on the seed only."""
    draw = random.Random(seed)  # noqa: S311 - a reproducible mixture, not a secret
    gsm8k = [row["messages"] for row in read_rows(folder / "gsm8k-train.jsonl")]
    sql = [row["messages"] for row in read_rows(folder / "text2sql.jsonl")]
    wiki = [line for line in (folder / "corpus-wiki-sentences.txt").read_text().splitlines() if line.strip()]
    kept = [line for number, line in enumerate(wiki) if number % WIKI_EVERY]
    held = [line for number, line in enumerate(wiki) if number % WIKI_EVERY == 0]
    questions = list(banking_questions(folder))
    train: list[Document] = [
        *gsm8k[:-GSM8K_HELD],
        *sql[:-SQL_HELD] * 4,
        *questions,
        *prompts(folder),
        *plain_pages(kept, draw),
        *exercises(kept, draw),
        *topics([text_of(each[0]) for each in questions], draw),
        *topics([text_of(each[0]) for each in gsm8k[:-GSM8K_HELD:3]], draw),
    ]
    draw.shuffle(train)
    return Corpus(
        train, {"gsm8k": list(gsm8k[-GSM8K_HELD:]), "text2sql": list(sql[-SQL_HELD:]), "wiki": list(held)}
    )


def banking_questions(folder: Path) -> Iterator[list[Message]]:
    """What customers wrote, without the labels."""
    for row in read_rows(folder / "banking77-train.jsonl"):
        yield [message for message in row["messages"] if message["role"] == "user"]


def prompts(folder: Path) -> Iterator[Document]:
    """Instructions without their answers: those stay unseen for preference learning."""
    for row in read_rows(folder / "prompts-only.jsonl"):
        yield row["messages"][:1]
    for row in read_rows(folder / "ifeval-pairs.jsonl"):
        yield row["input"]["messages"][:1]


def plain_pages(lines: list[str], draw: random.Random) -> Iterator[Document]:
    """Sentences as plain text, a few on a page."""
    start = 0
    while start < len(lines):
        size = draw.randint(1, 6)
        yield "\n".join(lines[start : start + size])
        start += size


def exercises(lines: list[str], draw: random.Random) -> Iterator[Document]:
    """Small tasks with an answer that follows from the question: they teach to look back at the prompt."""
    for line in lines:
        words = line.split()
        if 4 <= len(words) <= 30:
            task, answer = exercise(line, words, draw)
            yield [{"role": "user", "content": f"{task}\n{line}"}, {"role": "assistant", "content": answer}]


def exercise(line: str, words: list[str], draw: random.Random) -> tuple[str, str]:
    at = draw.randint(1, len(words) - 2)
    return draw.choice(
        [
            ("Repeat this sentence:", line),
            ("What is the first word?", words[0]),
            ("What is the last word?", words[-1]),
            ("What is the longest word?", max(words, key=len)),
            (f'Which word comes after "{words[at]}"?', words[at + 1]),
            (f'Is the word "{words[at]}" in this sentence?', "yes"),
            (f'Is the word "{words[at]}s" in this sentence?', "yes" if f"{words[at]}s" in words else "no"),
            ("Write this sentence in capital letters.", line.upper()),
        ]
    )


def topics(texts: list[str], draw: random.Random) -> Iterator[Document]:
    """Texts and their most telling words as a name in snake case: what to look for when naming a subject."""
    split = [re.findall("[a-z]+", text.lower()) for text in texts]
    counts = Counter(word for words in split for word in set(words))
    for text, words in zip(texts, split, strict=True):
        known = {word for word in words if 20 <= counts[word] <= len(texts) // 20 and len(word) > 2}
        if not known:
            continue
        telling = sorted(known, key=lambda word: (counts[word], word))[: draw.randint(1, 3)]
        name = "_".join(sorted(telling, key=words.index))
        task = draw.choice(["Name the topic.", "Give this message a label.", "Sum it up in a name."])
        yield [
            {"role": "system", "content": task},
            {"role": "user", "content": text},
            {"role": "assistant", "content": name},
        ]
