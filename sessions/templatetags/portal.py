"""How the pages write states, money, times, counts and ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions import costs
from sessions.states import PHASE_LABELS, Family, Phase, family

register = template.Library()

WORDS = {
    "queued": "Queued",
    "running": "Running",
    "waiting": "Needs you",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "pending": "Not started",
    "working": "Working",
    "done": "Done",
    "skipped": "Skipped",
    "planned": "Planned",
    "active": "Training",
}
ICONS = {"skipped": "skipped"}
SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A picture from the sprite, for the eye only: the word beside it carries the meaning."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra,
        static("img/icons.svg"),
        name,
    )


@register.inclusion_tag("components/state.html")
def state(word: str, label: str = "", plain: bool = False) -> dict[str, Any]:
    """A state as icon, word and colour. An unknown word is shown as it is."""
    group = Family(family(word))
    return {
        "family": group,
        "icon_name": ICONS.get(word, group),
        "spin": "icon-spin" if group == Family.WORKING else "",
        "label": label or WORDS.get(word, word),
        "plain": plain,
    }


@register.simple_tag
def favicon(word: str = "") -> str:
    """The address of the tab's icon for a state word; the plain one without."""
    return static(f"img/favicon-{family(word)}.svg" if word else "img/favicon.svg")


@register.inclusion_tag("components/copy.html")
def copy_button(text: object, label: str = "Copy") -> dict[str, object]:
    return {"text": text, "label": label}


@register.inclusion_tag("components/copyable.html")
def copyable(text: str, short: str = "") -> dict[str, str]:
    """An id with a button that copies it whole; `short` is what is shown, else the name's last part."""
    return {"text": text, "short": short or text.rsplit("/", 1)[-1]}


def decimal(value: object) -> Decimal | None:
    try:
        number = None if value in (None, "") else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


@register.filter
def money(value: object) -> str:
    """US dollars; `not calculated` when there is no amount."""
    return costs.money(decimal(value))


@register.filter
def money_exact(value: object) -> str:
    """A small amount to the hundredth of a cent."""
    found = decimal(value)
    return costs.money(None) if found is None else costs.money_exact(found)


@register.filter
def about(value: object) -> str:
    """An estimated amount."""
    return costs.about(decimal(value))


@register.filter
def to_money(low: object, high: object) -> str:
    """A range of amounts: `low|to_money:high`."""
    first, last = decimal(low), decimal(high)
    return costs.money(None) if first is None or last is None else costs.money_range(first, last)


@register.filter
def count(value: object) -> str:
    """A whole number with separators; a dash when unknown."""
    number = decimal(value)
    return "–" if number is None else f"{int(number):,}"


@register.filter
def tokens(value: object) -> str:
    """A large number in short: 1.2M."""
    number = decimal(value)
    if number is None:
        return "–"
    for size, letter in SCALES:
        if abs(number) >= size:
            short = f"{number / size:.1f}".removesuffix(".0")
            return f"{short}{letter}"
    return f"{int(number)}"


@register.filter
def context_length(value: object) -> str:
    """A context length in thousands of 1,024 tokens, as the catalogue writes it: 128K."""
    number = decimal(value)
    return "–" if number is None else f"{int(number) // 1024}K" if number >= 1024 else f"{int(number)}"


@register.filter
def duration(value: object) -> str:
    """Seconds (or a timedelta) in words of two units at most: 3 min 20 s."""
    number = decimal(value.total_seconds() if isinstance(value, timedelta) else value)
    if number is None:
        return "–"
    seconds = max(0, int(number))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min" + (f" {seconds % 60} s" if seconds < 600 and seconds % 60 else "")
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h" + (f" {minutes} min" if minutes else "")


@register.filter
def figure(value: object, digits: int = 4) -> str:
    """A measured number with a fixed count of digits after the point; a dash when there is none."""
    number = decimal(value)
    return "–" if number is None else f"{number:.{digits}f}"


@register.filter
def rate(value: object) -> str:
    """A learning rate as people write it: 1.5e-4."""
    number = decimal(value)
    if not number:
        return "–" if number is None else "0"
    digits, _, power = f"{number:.6e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"


@register.simple_tag
def ago(moment: datetime | None, empty: str = "never") -> SafeString | str:
    """A relative time with the absolute one on hover; the script keeps it true while the page is open."""
    if moment is None:
        return empty
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        relative((timezone.now() - moment).total_seconds(), exact),
    )


@register.simple_tag
def since(moment: datetime | None) -> SafeString | str:
    """A duration that still runs."""
    if moment is None:
        return ""
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="since {}" data-since>{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        duration(timezone.now() - moment),
    )


def relative(seconds: float, exact: datetime) -> str:
    """The words of portal.js, for the first paint and for a page without scripts."""
    size = abs(seconds)
    if size >= 7 * 86400:
        return f"{exact:%Y-%m-%d}"
    if size < 10:
        return "just now" if seconds >= 0 else "in a moment"
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    words = next(f"{int(size // span)} {unit}" for span, unit in units if size >= span)
    return f"{words} ago" if seconds >= 0 else f"in {words}"


@register.filter
def get(mapping: Any, key: object) -> Any:
    """A value of a mapping by a key that is a variable."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.filter
def phase_label(phase: str) -> str:
    """A phase's name for people."""
    return PHASE_LABELS[Phase(phase)] if phase in set(Phase) else phase


@register.filter
def short_name(name: object) -> str:
    """The last part of a resource name."""
    return str(name).rsplit("/", 1)[-1]
