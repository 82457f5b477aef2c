"""What all rows begin with is found, laid out once a row, and changes no loss and no gradient."""

import jax
import numpy as np
import pytest

from localfireworks.engine.chat import Rendered
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.lora import init_lora
from localfireworks.engine.model import SHARED, init_params
from localfireworks.engine.optimizer import summed_loss
from localfireworks.engine.packing import pack, rest_length, row_length
from localfireworks.engine.sharing import LEAST, Sharing, shared

TINY = ModelConfig(
    vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, head_dim=8,
)  # fmt: skip
DRAWN = np.random.default_rng(5)
INSTRUCTION = DRAWN.integers(0, 50, LEAST + 10)


def row(own, learned=2, begins=INSTRUCTION):
    """A conversation of `own` tokens after an instruction; loss is taken on the last `learned`."""
    ids = np.concatenate([begins, DRAWN.integers(0, 50, own)]).astype(np.int32)
    weights = np.zeros(len(ids), np.float32)
    weights[-learned:] = 1
    return Rendered(ids, weights)


ROWS = [row(own) for own in (3, 9, 20, 40, 7, 12, 30, 5)]


def test_the_common_beginning_is_found():
    found = shared(ROWS)
    assert found >= len(INSTRUCTION)
    assert all(each.ids[:found].tolist() == ROWS[0].ids[:found].tolist() for each in ROWS)


@pytest.mark.parametrize(
    "odd",
    [row(200, begins=INSTRUCTION[:0]), row(10, begins=INSTRUCTION[: LEAST - 1]), row(4, learned=20)],
    ids=["begins otherwise", "shares too little", "learns from the instruction"],
)
def test_one_row_that_cannot_share_is_enough_for_none_to(odd):
    assert shared([*ROWS, odd]) == 0
    assert shared([]) == 0


def test_what_a_pass_reads_is_never_more_than_the_rows_whole():
    sharing = Sharing()
    counted = [sharing.add(each) for each in ROWS]
    whole = np.cumsum([each.tokens for each in ROWS]).tolist()
    assert counted[0] == whole[0]
    assert counted[-1] < whole[-1] / 2
    assert all(one <= other for one, other in zip(counted, whole, strict=True))
    assert sharing.add(row(9, begins=INSTRUCTION[:0])) == sharing.tokens, "nothing is shared any more"


def test_each_step_reads_the_beginning_again():
    by_step, at_once = Sharing(lambda rows: min(rows, 2)), Sharing()
    counted = [(by_step.add(each), at_once.add(each)) for each in ROWS][-1]
    assert counted[0] - counted[1] == (len(ROWS) // 2 - 1) * at_once.count


def test_each_token_is_learned_once_and_the_beginning_read_once_a_row():
    found = shared(ROWS)
    batches = pack(ROWS, rest_length(found, found), shared=found)
    read = sum(int((batch.segments != 0).sum()) for batch in batches)
    counted = [sharing.add(each) for sharing in [Sharing()] for each in ROWS][-1]
    assert read <= counted
    assert sum(batch.weights.sum() for batch in batches) == sum(each.weights.sum() for each in ROWS)
    learned = sorted(int(each) for batch in batches for each in batch.targets[batch.weights > 0])
    assert learned == sorted(int(each) for row in ROWS for each in row.ids[row.weights > 0])
    assert all((batch.segments[:, 0] == SHARED).any() for batch in batches)


def test_loss_and_gradient_are_those_of_rows_that_stand_alone():
    key = jax.random.PRNGKey(0)
    params, adapter = init_params(TINY, key), init_lora(TINY, 4, 1)
    adapter["v"]["b"] = jax.random.normal(key, adapter["v"]["b"].shape)  # B begins at zero and would hide A

    def loss(adapter, batches):
        return sum(summed_loss(params, adapter, TINY, batch) for batch in batches)

    found = shared(ROWS)
    together, alone = (
        jax.value_and_grad(loss)(adapter, batches)
        for batches in (
            pack(ROWS, rest_length(found, found), shared=found),
            pack(ROWS, max(row_length(each.tokens) for each in ROWS)),
        )
    )
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5), together, alone
    )
