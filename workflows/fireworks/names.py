"""Names of remote things, derived from our own rows before the call that creates them.

Ids are 1 to 63 characters of a-z, 0-9 and hyphen; they neither begin nor end with a hyphen, nor begin with
a digit (facts sheet 1.2). An id is never used twice: the attempt is part of it.
"""

from __future__ import annotations

import hashlib
import re

LONGEST = 63
_OTHER = re.compile(r"[^a-z0-9]+")
DEPLOYMENT_HEADER = "fireworks-deployment"
VALID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def slug(text: str) -> str:
    """Lower case, everything but letters and digits folded to single hyphens, none at the ends."""
    return _OTHER.sub("-", text.lower()).strip("-")


def resource_id(prefix: str, session: str, purpose: str, attempt: int, suffix: str) -> str:
    """An id like `fwp-k3x9-train-16-1e4-a1-9f2c01`.

    `prefix` marks the portal, `session` is the session's public id, `suffix` a content hash or a
    timestamp. The same parts always give the same id; what does not fit is replaced by a hash of the
    whole. Raises ValueError when `prefix` does not begin with a letter or `attempt` is below 1.
    """
    if not prefix[:1].isalpha() or not prefix.isascii():
        raise ValueError(f"a resource id must begin with a letter a-z, not with {prefix[:1]!r}")
    if attempt < 1:
        raise ValueError(f"attempts are counted from 1, not {attempt}")
    parts = [slug(prefix), slug(session), slug(purpose), f"a{attempt}", slug(suffix)]
    whole = "-".join(part for part in parts if part)
    if len(whole) <= LONGEST:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:10]
    return f"{whole[: LONGEST - 11].rstrip('-')}-{digest}"


def short(name: str) -> str:
    """Last part of a full name: `qwen3-8b` of `accounts/fireworks/models/qwen3-8b`."""
    return name.rsplit("/", 1)[-1]


def full_name(account: str, collection: str, identifier: str) -> str:
    """`accounts/{account}/{collection}/{identifier}`; a name that is already full is kept."""
    if identifier.startswith("accounts/"):
        return identifier
    return f"accounts/{account}/{collection}/{identifier}"


def deployment_named(account: str, model: str, header: str = "") -> str:
    """Full name of the deployment that a completion is addressed to, "" when it is to a model served to
    everyone: `accounts/a/deployments/d`, `model#d` in both lengths, or the header (facts sheet 6.4)."""
    head, _, tail = model.partition("#")
    named = tail or header or (head if "/deployments/" in head else "")
    return full_name(account, "deployments", named) if named else ""
