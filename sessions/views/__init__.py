"""Pages, decisions, fragments and the stream. A view reads, refuses, acts and redirects."""
