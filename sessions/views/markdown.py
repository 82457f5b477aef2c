"""Markdown of the portal's own files as HTML."""

from __future__ import annotations

import re

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt


def rendered(text: str, public_id: str) -> SafeString:
    """Markdown as HTML. Raw HTML in it stays text; its pictures are the session's own files."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    html = parser.render(text)
    base = reverse("artifact", args=(public_id, "NAME")).removesuffix("NAME")
    html = re.sub(r'(<img src=")(?!https?:|/)', rf"\g<1>{base}", html)
    html = re.sub(rf'<img src="(?!{re.escape(base)})[^"]*" alt="([^"]*)"[^>]*>', r"\g<1>", html)
    html = html.replace("<table>", '<div class="table-wrap"><table class="table">').replace(
        "</table>", "</table></div>"
    )
    return mark_safe(html)  # noqa: S308  # the parser escapes everything that is not Markdown
