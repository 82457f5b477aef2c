"""How the pages write money, numbers, times and states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone

from sessions.states import CandidateState, Family, PhaseState, Status
from sessions.templatetags import portal


def drawn(source: str, **context: object) -> str:
    return Template("{% load portal %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize("word", [*Status, *PhaseState, *CandidateState])
def test_every_state_has_icon_word_and_colour(word: str) -> None:
    shown = drawn("{% state word %}", word=word)
    family = portal.state(word)["family"]
    assert f"state-{family}" in shown
    assert "icons.svg#" in shown
    assert portal.WORDS[word] in shown


def test_every_family_has_its_icon_in_the_sprite_and_its_favicon(settings) -> None:
    folder = settings.BASE_DIR / "static" / "img"
    sprite = (folder / "icons.svg").read_text()
    for family in Family:
        assert f'id="{family}"' in sprite
        assert (folder / f"favicon-{family}.svg").exists()


def test_an_unknown_state_is_shown_as_it_is_and_escaped() -> None:
    shown = drawn("{% state word %}", word="RE_<b>QUEUEING")
    assert "RE_&lt;b&gt;QUEUEING" in shown
    assert "state-waiting" in shown


@pytest.mark.parametrize(
    ("amount", "words"),
    [("1.5", "$1.50"), (Decimal(1234), "$1,234.00"), ("0", "$0"), ("0.004", "under $0.01")],
)
def test_money(amount: object, words: str) -> None:
    assert portal.money(amount) == words


@pytest.mark.parametrize("nothing", [None, "", "soon", "NaN", "Infinity"])
def test_what_is_no_amount_is_not_calculated(nothing: object) -> None:
    assert portal.money(nothing) == "not calculated"
    assert portal.about(nothing) == "not calculated"
    assert portal.to_money("1", nothing) == "not calculated"


def test_estimates_say_about() -> None:
    assert portal.about("0.36") == "about $0.36"
    assert portal.to_money("0.25", "0.47") == "$0.25 to $0.47"


@pytest.mark.parametrize(
    ("number", "words"), [(999, "999"), (48_000, "48k"), (1_234_567, "1.2M"), (2e9, "2B"), (None, "–")]
)
def test_tokens_in_short(number: object, words: str) -> None:
    assert portal.tokens(number) == words


@pytest.mark.parametrize(("number", "words"), [(131072, "128K"), (512, "512"), (None, "–")])
def test_context_lengths(number: object, words: str) -> None:
    assert portal.context_length(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (200, "3 min 20 s"),
        (700, "11 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (None, "–"),
    ],
)
def test_durations(seconds: object, words: str) -> None:
    assert portal.duration(seconds) == words


def test_a_timedelta_is_a_duration_too() -> None:
    assert portal.duration(timedelta(minutes=3)) == "3 min"


@pytest.mark.parametrize(("value", "words"), [(1.5e-4, "1.5e-4"), (5e-5, "5e-5"), (0, "0"), (None, "–")])
def test_learning_rates(value: object, words: str) -> None:
    assert portal.rate(value) == words


def test_counts_and_figures() -> None:
    assert (portal.count(7473), portal.count(None)) == ("7,473", "–")
    assert (portal.figure(0.812371), portal.figure(None)) == ("0.8124", "–")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "just now"),
        (45, "45 s ago"),
        (600, "10 min ago"),
        (7200, "2 h ago"),
        (-120, "in 2 min"),
        (9e5, "2026-11-20"),
    ],
)
def test_relative_times(seconds: float, words: str) -> None:
    assert portal.relative(seconds, datetime(2026, 11, 20, tzinfo=UTC)) == words


def test_a_relative_time_has_the_absolute_one_on_hover() -> None:
    moment = timezone.now() - timedelta(hours=3)
    shown = drawn("{% ago moment %}", moment=moment)
    assert f'title="{moment:%Y-%m-%d %H:%M:%S} UTC"' in shown
    assert "3 h ago" in shown
    assert drawn("{% ago moment %}", moment=None) == "never"


def test_an_id_is_shown_short_and_copied_whole() -> None:
    shown = drawn("{% copyable name %}", name="accounts/acme/models/tuned-1")
    assert ">tuned-1</code>" in shown
    assert 'data-copy="accounts/acme/models/tuned-1"' in shown


def test_every_icon_that_a_template_names_is_in_the_sprite(settings) -> None:
    import re

    sprite = (settings.BASE_DIR / "static" / "img" / "icons.svg").read_text()
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    named = {
        name
        for template in (settings.BASE_DIR / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', template.read_text())
    }
    assert named
    assert named <= known
