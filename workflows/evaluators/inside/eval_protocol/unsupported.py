"""What the portal cannot honour of Eval Protocol, named in words instead of being ignored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

SELF = "the portal asks the models itself, one answer to each row's own prompt"
# Options of the decorators whose effect a score would lack; all others say how models are asked or where rows
# come from, which is the portal's part, or what a test run prints.
REFUSED_OPTIONS = {
    "mcp_config_path": f"tools are not called: {SELF}",
    "server_script_path": f"no environment is started: {SELF}",
    "resources": "no model and no database can be reached from where evaluators run",
}
REFUSED_MODES = {
    "groupwise": "it compares several models' answers to one prompt, and the portal scores each model's "
    "answers apart. Use pointwise or all"
}
REWARD_MODES = {"batch": "a reward function gets one answer at a time. Use pointwise"}


class NotSupported(ImportError):
    """The message says what is not supported, and why."""

    in_plain_words = True


def refuse(what: str, why: str) -> NoReturn:
    raise NotSupported(f"{what} is not supported: {why}")


def refuse_options(options: dict[str, Any]) -> None:
    """Raises NotSupported for the first option that would change what a score means."""
    for name, why in REFUSED_OPTIONS.items():
        if options.get(name):
            refuse(f"{name}=", why)


def refuse_mode(mode: str, refused: dict[str, str]) -> None:
    if mode in refused:
        refuse(f'mode="{mode}"', refused[mode])


def missing(module: str) -> Callable[[str], NoReturn]:
    """A module's `__getattr__`: what is imported from it and is not there."""

    def absent(name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"{module}.{name}", f"{SELF}, and evaluators reach no network")

    return absent
