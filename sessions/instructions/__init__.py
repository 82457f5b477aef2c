"""Plain English to a specification, and typed replies to decisions. Wrong is worse than not understood."""

from sessions.instructions.reading import Reading, Span, read
from sessions.instructions.replies import ACCEPTED, Reply, ReplyKind, reply

__all__ = ["ACCEPTED", "Reading", "Reply", "ReplyKind", "Span", "read", "reply"]
