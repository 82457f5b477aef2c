"""The page that answers which base models are supported."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from tests.factories import BIG_QWEN, make_account, make_base_model
from tests.integration.pages.conftest import body, text


def test_each_model_has_context_price_methods_and_serving(client: Client) -> None:
    make_base_model(display_name="Qwen3 8B")
    make_base_model(BIG_QWEN, display_name="Qwen3 32B", parameters=32_800_000_000, servable=False)
    page = text(client.get("/models/"))
    assert "Qwen3 8B qwen3-8b 8.2B 128K $0.50 $1.00 SFT DPO yes" in page
    assert "Qwen3 32B qwen3-32b 32.8B 128K $3.00 $6.00 SFT DPO no" in page
    assert "2 can be fine-tuned with LoRA here" in page


def test_a_model_of_unknown_size_has_no_guessed_price(client: Client) -> None:
    make_base_model(parameters=None)
    assert "128K not calculated not calculated" in text(client.get("/models/"))


def test_models_that_cannot_be_tuned_are_apart(client: Client) -> None:
    make_base_model()
    make_base_model("accounts/fireworks/models/only-served", tunable=False, serverless=True)
    page = text(client.get("/models/"))
    assert page.index("cannot be fine-tuned here") < page.index("only-served")


def test_models_no_longer_listed_are_gone(client: Client) -> None:
    make_base_model(listed=False)
    assert "qwen3-8b" not in text(client.get("/models/"))


def test_an_empty_list_says_why_and_looks_again(client: Client) -> None:
    answer = client.get("/models/")
    assert "No models are listed yet" in text(answer)
    assert 'hx-trigger="every 3s"' in body(answer)


def test_an_old_list_says_so(client: Client) -> None:
    make_base_model(refreshed_at=timezone.now() - timedelta(hours=2))
    page = text(client.get("/models/"))
    assert "This list is old." in page
    assert "2 h ago" in page


def test_a_fresh_list_says_nothing(client: Client) -> None:
    make_base_model()
    assert "This list is old." not in text(client.get("/models/"))


def test_trouble_is_told_in_the_providers_words(client: Client) -> None:
    make_account(trouble="403 <b>no such account</b>")
    answer = client.get("/models/")
    assert "Fireworks said: 403 <b>no such account</b>" in text(answer)
    assert "<b>no such account" not in body(answer)


def test_a_model_can_be_taken_into_a_new_session(client: Client) -> None:
    make_base_model()
    assert "/new/?model=accounts/fireworks/models/qwen3-8b" in body(client.get("/models/"))


def test_the_time_of_the_list_is_absolute_on_hover(client: Client) -> None:
    moment = timezone.now()
    make_base_model(refreshed_at=moment)
    assert f'title="{moment:%Y-%m-%d %H:%M:%S} UTC"' in body(client.get("/models/"))


def test_a_stand_in_is_named_as_such(client: Client) -> None:
    make_base_model(display_name="Qwen3 8B (stand-in, 0.5M parameters)")
    assert "Qwen3 8B stand-in, 0.5M qwen3-8b" in text(client.get("/models/"))
    assert "stand-in, 0.5M" in text(client.get("/new/"))
