"""The shipped stand-ins: their size, and that a larger one knows more."""

import jax
import pytest

from localfireworks.engine.chat import Renderer
from localfireworks.engine.config import STANDINS, WEIGHTS
from localfireworks.engine.corpus import read_corpus
from localfireworks.engine.optimizer import summed_loss
from localfireworks.engine.packing import pack
from localfireworks.engine.pretrain import encode
from localfireworks.engine.tokens import load_tokenizer
from localfireworks.engine.weights import load_standin

# Written for this test: sums with their way, questions to a bank, plain sentences.
SUMS = [
    (
        "Mia has 12 pencils. She buys 5 more and gives 3 to her brother. How many are left?",
        "Mia has 12 + 5 = <<12+5=17>>17 pencils.\nShe has 17 - 3 = <<17-3=14>>14 left.\n#### 14",
    ),
    (
        "A baker sells 8 loaves a day for $4 each. How much money does he make in 6 days?",
        "He makes 8 * 4 = $<<8*4=32>>32 a day.\nIn 6 days he makes 32 * 6 = $<<32*6=192>>192.\n#### 192",
    ),
    (
        "Tom reads 20 pages on Monday and twice as many on Tuesday. How many pages did he read?",
        "On Tuesday he read 20 * 2 = <<20*2=40>>40 pages.\nHe read 20 + 40 = <<20+40=60>>60 pages.\n#### 60",
    ),
]
OWN = [
    *([{"role": "user", "content": asked}, {"role": "assistant", "content": told}] for asked, told in SUMS),
    [{"role": "user", "content": "I lost my card yesterday. Can you send me a new one to my address?"}],
    [{"role": "user", "content": "Why was I charged a fee when I took money out of the machine?"}],
    "the village lies on the left bank of the river near the old bridge",
    "he was the first president of the national football club",
]


def loss(name, samples):
    params, config = load_standin(name)
    step = jax.jit(summed_loss, static_argnames="config")
    batches = pack(samples, 512)
    return sum(float(step(params, None, config, batch)) for batch in batches) / sum(
        b.weights.sum() for b in batches
    )


def test_a_larger_stand_in_is_better_on_text_it_never_saw():
    samples = encode(OWN, Renderer(load_tokenizer()))
    losses = {name: loss(name, samples) for name in STANDINS}
    assert losses["small"] > losses["medium"] > losses["large"]
    assert losses["small"] < 4


@pytest.mark.parametrize(("name", "millions"), [("small", 0.5), ("medium", 1.5), ("large", 4.0)])
def test_sizes_are_as_named(name, millions):
    params, config = load_standin(name)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == pytest.approx(millions * 1e6, rel=0.02)
    assert config.max_position_embeddings == 2048


def test_the_shipped_folder_stays_small():
    assert sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()) < 14_000_000


def test_no_label_and_nothing_held_out_is_trained_on():
    folder = WEIGHTS.parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not there: the corpus of the stand-ins cannot be read")
    corpus = read_corpus(folder, 42)
    trained = {str(document) for document in corpus.train}
    assert all(str(document) not in trained for document in corpus.held_out["gsm8k"])
    assert {name: len(documents) for name, documents in corpus.held_out.items()} == {
        "gsm8k": 500,
        "text2sql": 20,
        "wiki": 295,
    }
    answers = {
        each["content"] for document in corpus.train if not isinstance(document, str) for each in document[1:]
    }
    assert "card_payment_fee_charged" not in answers
