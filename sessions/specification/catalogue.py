"""Base models as people write them: "Qwen3 32B", "qwen3.5-9b", "llama 3.3 70b", or the full name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sessions.specification.entries import FieldError

PUBLIC = "accounts/fireworks/models/"
ATOM = re.compile(r"(?:fp|bf|int)\d+|\d+(?:[p.]\d+)?(?:[bt](?![a-z]))?|[a-z]+")
# Parts of a model id that people leave out: they name no other model of the family.
DECORATION = {"instruct", "it", "chat", "bf16", "fp8", "hf"}
SIZE = re.compile(r"\d+(\.\d+)?[bt]")
DATE = re.compile(r"\d{4}")

Atoms = tuple[str, ...]


@dataclass(frozen=True)
class ModelName:
    """A base model of the catalogue: full resource name and the name shown to people."""

    full: str
    display_name: str = ""

    @property
    def id(self) -> str:
        return self.full.rsplit("/", 1)[-1]


def short_name(full: str) -> str:
    """The id alone for a public model of Fireworks, else the full name."""
    return full.removeprefix(PUBLIC) if full.startswith(PUBLIC) else full


@lru_cache(maxsize=4096)
def atoms(text: str) -> Atoms:
    """Comparable parts of a model name: `Llama v3p3-70B` and `llama 3.3 70b` give the same."""
    parts = ATOM.findall(re.sub(r"(?<![a-z])v(?=\d)", " ", text.lower()))
    return tuple(re.sub(r"(?<=\d)p(?=\d)", ".", part) for part in parts)


def is_size(atom: str) -> bool:
    return SIZE.fullmatch(atom) is not None


def _left_out(rest: Atoms) -> bool:
    """True when only decoration, a date or the active size of a mixture (`a22b`) was left out."""
    skip = False
    for index, atom in enumerate(rest):
        following = rest[index + 1] if index + 1 < len(rest) else ""
        if skip:
            skip = False
        elif atom == "a" and is_size(following):
            skip = True
        elif atom not in DECORATION and not DATE.fullmatch(atom):
            return False
    return True


def _abbreviates(written: Atoms, whole: Atoms) -> bool:
    """Written atoms occur in order at the start of `whole`, and what is left out tells no models apart."""
    left: list[str] = []
    position = 0
    for atom in whole:
        if position < len(written) and written[position] == atom:
            position += 1
        else:
            left.append(atom)
    return position == len(written) and bool(written) and whole[0] == written[0] and _left_out(tuple(left))


def matches(written: Atoms, catalogue: Sequence[ModelName]) -> tuple[ModelName, ...]:
    """Models that these atoms can mean: the exact one, else all that they abbreviate."""
    exact = tuple(m for m in catalogue if written in (atoms(m.id), atoms(m.display_name)))
    if exact:
        return exact[:1]
    short = tuple(m for m in catalogue if _abbreviates(written, atoms(m.id)))
    return short or tuple(m for m in catalogue if _is_family_and_size(written, atoms(m.id)))


def _is_family_and_size(written: Atoms, whole: Atoms) -> bool:
    """`llama 70b`: no version was said, so it means whichever there is."""
    if len(written) != len(("family", "size")) or not is_size(written[1]):
        return False
    return whole[:1] == written[:1] and next(filter(is_size, whole), "") == written[1]


def find(text: str, catalogue: Sequence[ModelName]) -> tuple[ModelName, ...]:
    """Models meant by one written name; empty when unknown, several when it could be any of them."""
    full = tuple(m for m in catalogue if text == m.full or text.lower() == m.id)
    if full or text.startswith("accounts/"):
        return full[:1]
    return matches(atoms(text), catalogue)


def nearest(text: str, catalogue: Sequence[ModelName], count: int = 3) -> tuple[str, ...]:
    """Ids of the catalogue closest in spelling, best first."""
    wanted = text.rsplit("/", 1)[-1].lower().replace(" ", "-")
    ids = {m.id: m for m in catalogue}
    return tuple(difflib.get_close_matches(wanted, list(ids), n=count, cutoff=0.4))


def choose(text: str, catalogue: Sequence[ModelName]) -> ModelName:
    """The one model meant by `text`; raises `FieldError` naming the nearest when there is not one."""
    if not catalogue:
        fault = f"The list of base models is not here yet, so “{text}” cannot be looked up."
        raise FieldError("base_models", fault, "It is read in the background: try again in a few seconds.")
    found = find(text, catalogue)
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(m.id for m in found[:4])
        raise FieldError("base_models", f"“{text}” could mean more than one base model.", f"Say {names}.")
    near = nearest(text, catalogue)
    remedy = f"Nearest: {', '.join(near)}." if near else "Choose one from the list of supported base models."
    raise FieldError("base_models", f"Base model “{text}” is not one that can be fine-tuned here.", remedy)


def choose_served(field: str, text: str, served: Sequence[ModelName]) -> ModelName:
    """The one model that answers by the token meant by `text`; raises `FieldError` that lists them all."""
    found = find(text, served)
    if len(found) == 1:
        return found[0]
    told = "could mean more than one model" if found else "is not a model that answers by the token here"
    names = ", ".join(sorted(each.id for each in found or served))
    remedy = f"Choose one of: {names}." if names else "This account has none; leave it empty."
    raise FieldError(field, f"“{text}” {told}.", remedy)
