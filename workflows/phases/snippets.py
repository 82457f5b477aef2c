"""Ready-to-run code for the deployed model."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from workflows.work import Work

Messages = list[dict[str, Any]]
PLAIN = {"max_tokens": 200}


def python(work: Work, address: str, messages: Messages, settings: Mapping[str, Any] = PLAIN) -> str:
    """A request by the official SDK (`pip install fireworks-ai`)."""
    local = work.session.rehearsal
    client = (
        f'Fireworks(api_key="rehearsal", base_url="{work.fireworks.base_url}")' if local else "Fireworks()"
    )
    note = "" if local else "  # reads FIREWORKS_API_KEY"
    shown = json.dumps(messages, ensure_ascii=False, indent=4)
    return (
        "from fireworks import Fireworks\n\n"
        f"client = {client}{note}\n"
        "answer = client.chat.completions.create(\n"
        f"    model={json.dumps(address)},\n"
        f"    messages={indented(shown)},\n"
        f"{''.join(f'    {name}={value!r},{chr(10)}' for name, value in settings.items())}"
        ")\n"
        "print(answer.choices[0].message.content)\n"
    )


def indented(text: str) -> str:
    """Later lines moved in, so that the list stands well inside the call."""
    return text.replace("\n", "\n    ")


def curl(work: Work, address: str, messages: Messages, settings: Mapping[str, Any] = PLAIN) -> str:
    """The same request from the shell."""
    body = json.dumps({"model": address, "messages": messages, **settings}, ensure_ascii=False)
    key = "rehearsal" if work.session.rehearsal else "$FIREWORKS_API_KEY"
    return (
        f"curl -sS {work.fireworks.inference_url}/chat/completions \\\n"
        f'  -H "Authorization: Bearer {key}" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}\n"
    )
