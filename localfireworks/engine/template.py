"""A model's own chat template (Jinja, as Hugging Face tokenizers carry it), rendered in a sandbox.

As with Hugging Face, a marker such as `<|im_end|>` written inside a message is that marker; with the
stand-ins, `chat.Renderer` keeps it plain text.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from localfireworks.engine.chat import END, START, STOP, Rendered, Renderer
from localfireworks.engine.folder import ModelFolder, NotAModel, check_folder, read_json

TEMPLATE, SETTINGS, GENERATION = "chat_template.jinja", "tokenizer_config.json", "generation_config.json"
# What a template, a program of others, may raise in its sandbox.
STUMBLES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _dumped(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def compile_template(source: str) -> Any:
    """The template with the helpers that Hugging Face promises to templates."""
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    made.filters["tojson"] = _dumped
    made.globals["raise_exception"] = _refuse
    made.globals["strftime_now"] = lambda form: datetime.datetime.now(datetime.UTC).strftime(form)
    return made.from_string(source)


class TemplateRenderer:
    """The interface of `chat.Renderer` over a template. Not for use by several threads at once."""

    def __init__(self, tokenizer: Tokenizer, source: str, stop_ids: tuple[int, ...], **given: Any) -> None:
        self.tokenizer, self.stop_ids, self._given = tokenizer, stop_ids, given
        self._template = compile_template(source)

    def text(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[Any] | None, *, answer: bool, **more: Any
    ) -> str:
        """The conversation as text; with `answer`, up to where the assistant is to speak.

        ValueError carries what the template itself refuses.
        """
        try:
            rendered = self._template.render(
                messages=messages,
                tools=list(tools) if tools else None,
                add_generation_prompt=answer,
                **self._given,
                **more,
            )
        except STUMBLES as error:
            raise ValueError(f"the model's chat template refuses the messages: {error}") from error
        return str(rendered)

    def prompt(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[Any] | None = None, *, thinking: bool = True
    ) -> list[int]:
        """Ids of a conversation that the assistant is to continue."""
        text = self.text(messages, tools, answer=True, enable_thinking=thinking)
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def render(self, rows: Iterable[dict[str, Any]]) -> list[Rendered]:
        """Conversations (`{"messages": […], "tools"?: […], "weight"?: float}`) as ids and loss weights."""
        return [self._render(row) for row in rows]

    def _render(self, row: dict[str, Any]) -> Rendered:
        messages, tools, scale = row["messages"], row.get("tools"), row.get("weight")
        whole = self.text(messages, tools, answer=False)
        found = self.tokenizer.encode(whole, add_special_tokens=False)
        weights = np.zeros(len(found.ids), np.float32)
        starts = np.asarray([start for start, _ in found.offsets])
        for begin, end, weight in self._said(messages, tools, whole):
            inside = (starts >= begin) & (starts < end)
            weights[inside] = weight * (1.0 if scale is None else float(scale))
        return Rendered(np.asarray(found.ids, np.int32), weights)

    def _said(
        self, messages: Sequence[dict[str, Any]], tools: Any, whole: str
    ) -> Iterable[tuple[int, int, float]]:
        """Where in the text an assistant speaks (its end marker included), and with which weight.

        A template may show a turn differently once others follow (Qwen3 drops earlier thoughts); such a
        turn is not a beginning of the whole text, and carries no loss.
        """
        for index, message in enumerate(messages):
            if message.get("role") != "assistant" or message.get("weight") == 0:
                continue
            before = self.text(messages[:index], tools, answer=True)
            until = self.text(messages[: index + 1], tools, answer=False)
            if whole.startswith(until) and until.startswith(before):
                given = message.get("weight")
                yield len(before), len(until.rstrip("\n")), 1.0 if given is None else float(given)


def own_renderer(folder: ModelFolder) -> Renderer | TemplateRenderer:
    """The folder's tokenizer with its chat template; without one, ChatML when it has those markers."""
    tokenizer = _tokenizer(folder.path / "tokenizer.json")
    if tokenizer.get_vocab_size() > folder.config.vocab_size:
        raise NotAModel(
            f"{folder.path / 'tokenizer.json'} has {tokenizer.get_vocab_size()} tokens, the model only "
            f"{folder.config.vocab_size}: use the tokenizer of this model"
        )
    settings = _optional(folder.path / SETTINGS)
    source = _source(folder.path / TEMPLATE, settings)
    if source is not None:
        names = {name: _token(settings.get(name)) for name in ("bos_token", "eos_token", "pad_token")}
        try:
            return TemplateRenderer(tokenizer, source, stop_ids(folder, tokenizer), **names)
        except TemplateError as error:
            raise NotAModel(
                f"{folder.path} has a chat template that is not Jinja ({error}): repair it"
            ) from error
    if tokenizer.token_to_id(START) is None or tokenizer.token_to_id(END) is None:
        raise NotAModel(
            f"{folder.path / TEMPLATE} is missing, and the tokenizer has no {START}: put the template there"
        )
    return Renderer(tokenizer)


def _tokenizer(path: Path) -> Tokenizer:
    """A byte-level tokenizer, the kind that all Qwen3 models have."""
    try:
        made = Tokenizer.from_file(str(path))
    except Exception as error:  # the library, written in Rust, raises a bare Exception and nothing narrower
        raise NotAModel(f"{path} is not a tokenizer ({error}): save the fast tokenizer there") from error
    if "ByteLevel" not in str(json.loads(path.read_text()).get("decoder")):
        raise NotAModel(f"{path} is not a byte-level tokenizer: use the one of this Qwen3 model")
    return made


def checked_folder(path: Path) -> ModelFolder:
    """A folder with everything in place: weights, tokenizer and template; NotAModel names the first fault."""
    folder = check_folder(path)
    own_renderer(folder)
    return folder


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path, "download it again") if path.exists() else {}


def _source(path: Path, settings: dict[str, Any]) -> str | None:
    if path.exists():
        return path.read_text()
    given = settings.get("chat_template")
    if isinstance(given, list):
        given = next((each["template"] for each in given if each.get("name") == "default"), None)
    return str(given) if given else None


def _token(given: Any) -> str | None:
    return given.get("content") if isinstance(given, dict) else given


def stop_ids(folder: ModelFolder, tokenizer: Tokenizer) -> tuple[int, ...]:
    """Tokens that end an answer: those of generation_config.json or config.json, and the ChatML ones."""
    found = {each for each in (tokenizer.token_to_id(END), tokenizer.token_to_id(STOP)) if each is not None}
    for name in (GENERATION, "config.json"):
        given = _optional(folder.path / name).get("eos_token_id")
        found |= set(given if isinstance(given, list) else [] if given is None else [given])
    named = _token(_optional(folder.path / SETTINGS).get("eos_token"))
    if named and (known := tokenizer.token_to_id(named)) is not None:
        found.add(known)
    if not found:
        raise NotAModel(f"{folder.path / GENERATION} names no eos_token_id: add the id of the end token")
    return tuple(sorted(found))
