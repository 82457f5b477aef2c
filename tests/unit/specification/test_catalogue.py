"""Model names as people write them, and the nearest ones for those that are not there."""

from __future__ import annotations

import pytest

from sessions.specification import FieldError, ModelName, choose, find, nearest, short_name
from tests.unit.specification.examples import CATALOGUE, IDS


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("qwen3-8b", "qwen3-8b"),
        ("Qwen3 32B", "qwen3-32b"),
        ("Qwen 3 32B", "qwen3-32b"),
        ("qwen3.5-9b", "qwen3p5-9b"),
        ("Qwen3.5 35B A3B", "qwen3p5-35b-a3b"),
        ("qwen3.6 35b", "qwen3p6-35b-a3b"),
        ("llama 3.3 70b", "llama-v3p3-70b-instruct"),
        ("Llama v3.1 8B Instruct", "llama-v3p1-8b-instruct"),
        ("Llama-3.2-3B", "llama-v3p2-3b-instruct"),
        ("Mistral Small 24B", "mistral-small-24b-instruct-2501"),
        ("gemma 4 31b", "gemma-4-31b-it"),
        ("Kimi K2.7 Code", "kimi-k2p7-code"),
        ("kimi k3", "kimi-k3"),
        ("GLM 5.2", "glm-5p2-fp8"),
        ("DeepSeek V4 Pro", "deepseek-v4-pro-0813"),
        ("qwen3 235b", "qwen3-235b-a22b-instruct-2507"),
        ("qwen3 4b", "qwen3-4b-instruct-2507"),
        ("accounts/fireworks/models/qwen3-8b", "qwen3-8b"),
        ("QWEN3-8B", "qwen3-8b"),
    ],
)
def test_written_names_find_their_model(written: str, expected: str) -> None:
    assert [model.id for model in find(written, CATALOGUE)] == [expected]


@pytest.mark.parametrize(
    "written",
    [
        "qwen3",
        "qwen9-99b",
        "llama 3 70b",
        "kimi k2.7",
        "qwen3-8",
        "8b",
        "",
        "accounts/me/models/qwen3-8b",
        "b",
        "code",
    ],
)
def test_names_that_tell_no_model_find_none(written: str) -> None:
    assert find(written, CATALOGUE) == ()


@pytest.mark.parametrize("model_id", IDS)
def test_every_id_and_display_name_finds_itself_alone(model_id: str) -> None:
    model = next(each for each in CATALOGUE if each.id == model_id)
    assert find(model.id, CATALOGUE) == (model,)
    assert find(model.display_name, CATALOGUE) == (model,)


def test_a_name_that_fits_two_models_is_asked_back() -> None:
    two = (
        ModelName("accounts/fireworks/models/x-7b-instruct"),
        ModelName("accounts/fireworks/models/x-7b-chat"),
    )
    with pytest.raises(FieldError, match="more than one") as caught:
        choose("X 7B", two)
    assert caught.value.remedy == "Say x-7b-instruct or x-7b-chat."


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(FieldError) as caught:
        choose("qwen3-33b", CATALOGUE)
    assert caught.value.field == "base_models"
    assert "qwen3-33b" in caught.value.fault
    assert "qwen3-32b" in caught.value.remedy
    assert nearest("lama 3.3 70b", CATALOGUE)[0] == "llama-v3p3-70b-instruct"


def test_without_anything_near_the_list_is_pointed_to() -> None:
    with pytest.raises(FieldError, match="Choose one from the list"):
        choose("zzzzzz", CATALOGUE)


def test_short_name_only_for_public_models() -> None:
    assert short_name("accounts/fireworks/models/qwen3-8b") == "qwen3-8b"
    assert short_name("accounts/me/models/mine") == "accounts/me/models/mine"


def test_before_the_list_was_read_no_model_is_called_unsupported() -> None:
    with pytest.raises(FieldError) as refusal:
        choose("qwen3-8b", [])
    assert "is not here yet, so “qwen3-8b” cannot be looked up" in refusal.value.fault
    assert "try again" in refusal.value.remedy
