"""Prices of answers: by the token with a range, by the hours of a deployment, and by the order of ways."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from sessions.costs import Rates
from sessions.costs.inference import (
    Load,
    Offer,
    Served,
    deployment_line,
    deployment_offer,
    subject_line,
    token_offer,
)
from sessions.costs.rates import PACKAGED

RATES = Rates.load()
QWEN = "accounts/fireworks/models/qwen3-8b"
LOAD = Load(rows=100, prompt_tokens=10_000, answer_tokens=10, max_tokens=50)
PRICE = RATES.serverless(QWEN, 8_190_000_000)
SERVERLESS = token_offer("serverless", "serverless inference", LOAD, PRICE, RATES)
BATCH = token_offer("batch", "batch inference", LOAD, PRICE, RATES)
SHARED = deployment_offer("multi_lora", "a shared one", ("NVIDIA_H200_141GB", 2), Decimal(8))
OWN = deployment_offer("live_merge", "its own", ("NVIDIA_H200_141GB", 1), Decimal(8))


def served(*offers, number=1):
    return Served(f"candidate:{number}", f"Candidate {number}", QWEN, offers)


def test_a_model_without_a_price_of_its_own_goes_by_size():
    """Facts 9: below 4B, to 16B, above; mixtures to 56B and to 176B; beyond that nothing is known."""

    def price(billions, **more):
        found = RATES.serverless("accounts/fireworks/models/any", int(Decimal(billions) * 10**9), **more)
        return found and found.output

    dense = [price(size) for size in ("3.6", "4", "16", "16.1", "400")]
    assert dense == [Decimal(each) for each in ("0.10", "0.20", "0.20", "0.90", "0.90")]
    mixed = [price(size, mixture=True) for size in ("30", "56", "106", "176", "235")]
    assert mixed == [Decimal("0.50"), Decimal("0.50"), Decimal("1.20"), Decimal("1.20"), None]
    assert RATES.serverless("accounts/fireworks/models/any") is None
    named = RATES.serverless("accounts/fireworks/models/gpt-oss-20b", 20_900_000_000, mixture=True)
    assert named.output == Decimal("0.30")


def test_a_table_without_bands_and_batch_factor_leaves_them_unknown(tmp_path):
    """A person's own table of an earlier form still reads; what it lacks is not calculated."""
    table = json.loads(max(PACKAGED.glob("*.json")).read_text())
    del table["serverless_by_size"], table["batch_factor"]
    path = tmp_path / "rates.json"
    path.write_text(json.dumps(table))
    rates = Rates.load(path)
    assert rates.serverless(QWEN, 8_190_000_000) is None
    assert token_offer("batch", "batch inference", LOAD, PRICE, rates).expected is None
    assert token_offer("serverless", "serverless", LOAD, PRICE, rates).expected == SERVERLESS.expected


def test_tokens_times_rate_and_batch_at_half():
    """10,000 prompt and 1,000 answer tokens at $0.20; at the most 1.45 times and 50 tokens an answer."""
    assert (SERVERLESS.low, SERVERLESS.expected, SERVERLESS.high) == (
        Decimal("0.001600"), Decimal("0.002200"), Decimal("0.003900"),
    )  # fmt: skip
    assert BATCH.expected == Decimal("0.001100")
    assert "100 rows" in BATCH.how
    assert "0.5 of the serverless price" in BATCH.how


def test_the_upper_end_is_that_of_the_first_way_and_a_dearer_one_is_told():
    """Row 1.7: nobody approves what is only needed when a way is refused."""
    line = subject_line("heldout", served(BATCH, SERVERLESS), "evaluation", "Answers")
    assert line.item == "inference:heldout:candidate:1"
    assert (line.expected, line.high) == (BATCH.expected, BATCH.high)
    assert "Only if batch inference is refused" in line.how
    cheaper = subject_line("heldout", served(SERVERLESS, BATCH), "evaluation", "Answers")
    assert cheaper.how == SERVERLESS.how


def test_prompts_that_are_not_written_yet_count_at_their_longest():
    load = Load(100, 10_000, 10, 50, most_prompt_tokens=30_000)
    offer = token_offer("serverless", "serverless inference", load, PRICE, RATES)
    assert offer.expected == SERVERLESS.expected
    assert offer.high == Decimal("0.009700")


def test_a_way_that_does_not_fit_counts_for_nothing():
    unfit = Offer("serverless", "serverless inference", "tuned models are not served serverless")
    line = subject_line("heldout", served(unfit, BATCH), "evaluation", "Answers")
    assert (line.expected, line.high) == (BATCH.expected, BATCH.high)
    nothing = subject_line("heldout", served(unfit), "evaluation", "Answers")
    assert nothing.expected is None
    assert "not served serverless" in nothing.how


def test_a_deployment_that_is_only_a_fallback_costs_nothing_before_a_person_is_asked():
    group = [served(BATCH, SHARED, OWN, number=number) for number in (1, 2)]
    line = deployment_line("heldout", QWEN, group, "evaluation")
    assert line.item == f"deployment:heldout:{QWEN}"
    assert (line.low, line.expected, line.high) == (0, 0, 0)
    assert line.how == (
        "Only if batch inference is refused: about $16.00 an hour, and then you are asked first."
    )


def test_deployments_that_are_the_first_way_are_expected():
    """Half an hour to an hour of two accelerators, shared by both; their tokens cost nothing."""
    group = [served(SHARED, BATCH, number=number) for number in (1, 2)]
    line = deployment_line("heldout", QWEN, group, "evaluation")
    assert (line.expected, line.high) == (Decimal(8), Decimal(16))
    tokens = subject_line("heldout", group[0], "evaluation", "Answers")
    assert (tokens.expected, tokens.high) == (0, 0)
    mixed = [*group, served(OWN, number=3), served(OWN, number=4)]  # one after another: both add up
    assert deployment_line("heldout", QWEN, mixed, "evaluation").high == Decimal(16 + 2 * 8)


def test_without_a_deploying_way_there_is_no_line():
    assert deployment_line("heldout", QWEN, [served(BATCH)], "evaluation") is None


@pytest.mark.parametrize(("accelerators", "hour"), [(None, Decimal(8)), (("X_1", 1), None)])
def test_what_is_not_known_is_not_calculated(accelerators, hour):
    unknown = deployment_offer("live_merge", "its own", accelerators, hour)
    line = deployment_line("heldout", QWEN, [served(unknown)], "evaluation")
    assert (line.low, line.expected, line.high) == (None, None, None)
    assert line.how
    assert subject_line(
        "heldout", served(token_offer("batch", "batch", LOAD, None, RATES)), "evaluation", "Answers"
    ).expected is None  # fmt: skip


def test_the_plan_shows_every_way_with_price_or_reason():
    shown = served(BATCH, Offer("multi_lora", "a shared one", "no addons here")).to_json()
    assert [(each["way"], each["why_not"]) for each in shown["ways"]] == [
        ("batch", ""), ("multi_lora", "no addons here"),
    ]  # fmt: skip
    assert shown["ways"][0]["expected"] == "0.001100"
