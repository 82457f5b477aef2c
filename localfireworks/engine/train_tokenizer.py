"""Train the byte-level BPE tokenizer: python -m localfireworks.engine.train_tokenizer --data ../shared/data
--out DIR."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from localfireworks.engine.chat import END, START, STOP, text_of
from localfireworks.engine.corpus import Document, read_corpus

VOCABULARY = 2048
# Words with their leading blank, digits one by one, runs of punctuation, line ends; as Qwen's tokenizer cuts.
PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_tokenizer(texts: Iterator[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """A byte-level BPE tokenizer (any text can be written in it) with the three template markers first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[STOP, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def document_texts(documents: Sequence[Document]) -> Iterator[str]:
    """All texts, and the names of the roles often enough to become one token each."""
    yield from ["system", "user", "assistant", "tool"] * 500
    for document in documents:
        if isinstance(document, str):
            yield document
        else:
            yield from (text_of(message) for message in document)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=42)
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    corpus = read_corpus(chosen.data, chosen.seed)
    train_tokenizer(document_texts(corpus.train)).save(str(chosen.out / "tokenizer.json"))


if __name__ == "__main__":
    main()
