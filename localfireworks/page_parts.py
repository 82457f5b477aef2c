"""HTML of the page at `/`: its frame, its look in light and dark and on small screens, tables and fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%23b4430f'/%3E"
    "%3Cpath d='M16 5v22M5 16h22M8 8l16 16M24 8L8 24' stroke='white' stroke-width='2.5'/%3E%3C/svg%3E"
)
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
  --page: #f6f5f3; --card: #fff; --text: #1c1b1a; --soft: #5f5b57; --line: #dedad5; --field: #8b857e;
  --accent: #b4430f; --on-accent: #fff; --tint: #fbeee6; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --page: #161412; --card: #201d1b; --text: #f0ece8; --soft: #aea69e; --line: #3a3531; --field: #7d756d;
  --accent: #f08a52; --on-accent: #1c0f07; --tint: #38261b; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; display: grid; gap: 1.25rem;
  grid-template-columns: minmax(0, 1fr); }
h1 { font-size: 1.6rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
p { margin: .5rem 0; max-width: 65ch; } section > p:first-child { margin-top: 0; max-width: none; }
a { color: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: .5rem; }
nav a { padding: .4rem 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.25rem;
  scroll-margin-top: 1rem; }
.note { background: var(--tint); border-radius: .5rem; padding: .75rem 1rem; max-width: none; }
.soft, small { color: var(--soft); }
.bad { color: var(--bad); font-weight: 600; }
code, pre { font: .875rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { margin: .75rem 0 0; padding: .75rem 1rem; background: var(--page); border-radius: .5rem;
  white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-size: .8rem; color: var(--soft); font-weight: 600; padding: 0 1rem .4rem 0; }
td { padding: .5rem 1rem .5rem 0; border-top: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
form { margin: 0; }
.fields { display: grid; gap: .75rem 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); }
.field { display: grid; gap: .2rem; font-size: .875rem; align-content: start; }
label { font-weight: 600; }
input, select { font: inherit; width: 100%; min-height: 2.6rem; padding: .4rem .6rem;
  color: inherit; background: var(--page); border: 1px solid var(--field); border-radius: .4rem; }
details { margin: .9rem 0 0; }
summary { cursor: pointer; padding: .5rem 0; font-size: .875rem; font-weight: 600; }
button { font: inherit; font-weight: 600; min-height: 2.6rem; padding: .4rem 1.1rem; border-radius: .4rem;
  cursor: pointer; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); }
button.quiet { background: none; color: var(--accent); border-color: var(--field); padding: .25rem .8rem; }
button:hover { filter: brightness(1.08); }
button.quiet:hover { background: var(--tint); filter: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin-top: 1rem; }
@media (max-width: 40rem) {
  section { padding: 1rem; }
  table, tbody, tr, td { display: block; width: 100%; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tr { border-top: 1px solid var(--line); padding: .6rem 0; }
  td { border: 0; padding: .1rem 0; display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .5rem; }
  td::before { content: attr(data-label); color: var(--soft); font-size: .875rem; }
  td:has(> span:empty) { display: none; }
  td[data-label=''] { grid-template-columns: minmax(0, 1fr); } td[data-label='']::before { content: none; }
}
"""


class Safe(str):
    """HTML that is put into the page as it is."""

    __slots__ = ()


def html(text: str) -> str:
    return text if isinstance(text, Safe) else escape(text)


def section(id_: str, title: str, *parts: str) -> str:
    return f"<section id='{id_}'><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> str:
    """An HTML table that becomes a list of cards on small screens, or the sentence for an empty one."""
    body = "".join(
        "<tr>"
        + "".join(
            f"<td data-label='{escape(head)}'><span>{html(text)}</span></td>"
            for head, text in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    if not body:
        return f"<p class='soft'>{escape(empty)}</p>"
    head = "".join(f"<th scope='col'>{escape(text)}</th>" for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _field(name: str, label: str, start: str, end: str, hint: str) -> str:
    """A labelled control, between whose start and end its id and description go."""
    id_ = name.replace(".", "-")
    described = f" aria-describedby='{id_}-hint'" if hint else ""
    small = f"<small id='{id_}-hint'>{escape(hint)}</small>" if hint else ""
    return (
        f"<div class='field'><label for='{id_}'>{escape(label)}</label>"
        f"{start} id='{id_}' name='{name}'{described}{end}{small}</div>"
    )


def text_field(name: str, label: str, value: str = "", hint: str = "", **attributes: str) -> str:
    more = "".join(f" {key}='{escape(given)}'" for key, given in attributes.items())
    return _field(name, label, "<input", f" value='{escape(value)}'{more}>", hint)


def select_field(
    name: str, label: str, groups: Mapping[str, Mapping[str, str]], value: str, hint: str = ""
) -> str:
    """Choices by group: value and text; the group "" has no heading."""
    parts = ""
    for group, choices in groups.items():
        options = "".join(
            f"<option value='{escape(key)}'{' selected' if key == value else ''}>{escape(text)}</option>"
            for key, text in choices.items()
        )
        parts += f"<optgroup label='{escape(group)}'>{options}</optgroup>" if group else options
    return _field(name, label, "<select", f">{parts}</select>", hint)


def button_form(action: str, label: str, kind: str = "quiet", described: str = "") -> Safe:
    """One button that posts; `described` says to a screen reader what it acts on."""
    spoken = f" aria-label='{escape(described)}'" if described else ""
    return Safe(
        f"<form method='post' action='{escape(action)}'><input type='hidden' name='sent' value='form'>"
        f"<button class='{kind}'{spoken}>{escape(label)}</button></form>"
    )


def document(title: str, *parts: str) -> str:
    head = (
        f"<meta charset='utf-8'><title>{escape(title)}</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f'<link rel="icon" href="{ICON}"><style>{STYLE}</style>'
    )
    return (
        f"<!doctype html><html lang='en'><head>{head}</head><body><main>{''.join(parts)}</main></body></html>"
    )
