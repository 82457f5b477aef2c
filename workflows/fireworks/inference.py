"""Chat completions, and the several ways to address a deployment. Source: facts sheet 6.4, 6.5, 7.1.

Which address form works differs by deployment, so they are tried in order on 404 and the caller keeps the
one that worked (`Completion.address`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .client import Fireworks
from .errors import BadAnswer, FireworksError, NotFound, ScalingUp, Temporary
from .fields import integer, mapping, text
from .names import DEPLOYMENT_HEADER, short
from .steps import Steps
from .wire import Json, Timeouts

PATH = "/inference/v1/chat/completions"
CHAT_TIMEOUTS = Timeouts(read=300.0)


@dataclass(frozen=True, slots=True)
class Address:
    """The `model` to send, and the deployment when it goes into a header."""

    model: str
    header: str = ""

    def __str__(self) -> str:
        return f"{self.model} (header {self.header})" if self.header else self.model


def addresses(model: str, deployment: str = "", worked: str = "") -> tuple[Address, ...]:
    """All forms for `model` on `deployment` (full names), the one that `worked` before in front.

    Without a deployment the model itself is the only form (serverless).
    """
    if not deployment:
        return (Address(model),)
    forms = (
        Address(deployment),
        Address(f"{model}#{deployment}"),
        Address(f"{model}#{short(deployment)}"),
        Address(model, deployment),
    )
    return tuple(sorted(forms, key=lambda form: str(form) != worked))


@dataclass(frozen=True, slots=True)
class Completion:
    """The first choice of an answer, its cost in tokens and how it was addressed; `raw` has the rest."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    address: str
    reasoning: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def cut_off(self) -> bool:
        """Whether the answer ended because its token limit was reached."""
        return self.finish_reason == "length"


def chat_body(
    messages: Sequence[Mapping[str, Any]],
    *,
    max_tokens: int,
    temperature: float = 0.0,
    seed: int | None = None,
    reasoning_effort: str = "",
    **more: Any,
) -> Json:
    """A completion request without its `model`.

    `context_length_exceeded_behavior: error` is always sent: by default the provider would shorten the
    answer in silence (facts sheet 7.1). `reasoning_effort="none"` switches thinking off.
    """
    body: Json = {
        "messages": [dict(message) for message in messages],
        "max_tokens": max_tokens,
        "temperature": temperature,
        "context_length_exceeded_behavior": "error",
    }
    optional = {"seed": seed, "reasoning_effort": reasoning_effort or None}
    return body | {key: value for key, value in optional.items() if value is not None} | more


def complete(
    fireworks: Fireworks, body: Json, forms: Sequence[Address], timeouts: Timeouts = CHAT_TIMEOUTS
) -> Completion:
    """One chat completion, by the first address form that is not answered 404.

    Raises `ScalingUp` while the deployment wakes, `NotFound` when no form works (also during warm-up),
    else what the client raises. A lost answer raises `Temporary` and is not asked for again here.
    """
    return fireworks.run(steps(fireworks, body, forms, timeouts))


def steps(
    fireworks: Fireworks, body: Json, forms: Sequence[Address], timeouts: Timeouts = CHAT_TIMEOUTS
) -> Steps[Completion]:
    """The steps of `complete`, for taking them among others."""
    missed: list[str] = []
    last: NotFound | None = None
    for form in forms:
        headers = {DEPLOYMENT_HEADER: form.header} if form.header else {}
        try:
            answer = yield from fireworks.steps(
                "POST", PATH, body={"model": form.model, **body}, headers=headers, timeouts=timeouts
            )
            return read(answer.json, str(form))
        except NotFound as absent:
            missed.append(str(form))
            last = absent
    raise NotFound(f"no deployment answers under {'; '.join(missed)}: {last}", last.fault if last else None)


def read(raw: Mapping[str, Any], address: str) -> Completion:
    """A completion from its JSON. Raises `BadAnswer` when there is no choice with a message."""
    choices = raw.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else {}
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise BadAnswer("the completion holds no message")
    usage = mapping(raw, "usage")
    return Completion(
        text=text(message, "content"),
        finish_reason=text(choice, "finish_reason"),
        prompt_tokens=integer(usage, "prompt_tokens") or 0,
        completion_tokens=integer(usage, "completion_tokens") or 0,
        model=text(raw, "model"),
        address=address,
        reasoning=text(message, "reasoning_content"),
        raw=raw,
    )


def is_warming(error: FireworksError) -> bool:
    """Whether an error is one that a starting deployment gives: 503, or a window of 404s (facts 11.15)."""
    return isinstance(error, ScalingUp | NotFound) or (isinstance(error, Temporary) and error.status == 503)
