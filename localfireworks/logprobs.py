"""Log probabilities in the two forms of the API: chat completions' and text completions'."""

from __future__ import annotations

from typing import Any

from localfireworks.engine.asking import Piece, Token


def shown(raw: bytes) -> str:
    """A token as text; bytes that are no whole characters show as the replacement character."""
    return raw.decode(errors="replace")


def logprob_items(pieces: list[Piece]) -> list[dict[str, Any]]:
    """Log probabilities as OpenAI's newer form has them; `text_offset` counts characters."""
    items, offset = [], 0
    for piece in pieces:
        token = shown(piece.raw)
        items.append(
            {
                "token": token,
                "logprob": piece.logprob,
                "bytes": list(piece.raw),
                "token_id": piece.token_id,
                "text_offset": offset,
                "top_logprobs": [_alternative(each) for each in piece.top],
            }
        )
        offset += len(token)
    return items


def _alternative(token: Token) -> dict[str, Any]:
    return {
        "token": shown(token.raw),
        "logprob": token.logprob,
        "bytes": list(token.raw),
        "token_id": token.token_id,
    }


def old_logprobs(pieces: list[Piece], offset: int = 0) -> dict[str, Any]:
    """The older form, in columns; the first token of an echoed prompt has no probability (NaN here)."""
    columns: dict[str, Any] = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
    for piece in pieces:
        token = shown(piece.raw)
        unknown = piece.logprob != piece.logprob  # NaN alone differs from itself
        columns["tokens"].append(token)
        columns["token_logprobs"].append(None if unknown else piece.logprob)
        columns["top_logprobs"].append(
            None if unknown else {shown(each.raw): each.logprob for each in piece.top}
        )
        columns["text_offset"].append(offset)
        offset += len(token)
    return columns
