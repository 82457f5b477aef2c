"""The body of an evaluator (fireworks-api.md, 8)."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from localfireworks.errors import ApiError, invalid
from localfireworks.names import check_display_name
from localfireworks.service import Message

ENTRY = re.compile(r"([^:]+\.py)::([A-Za-z_]\w*)")
DESCRIPTION_LIMIT = 1000
LANGUAGES = frozenset({"", "python", "python3", "py"})


class CodeSnippets(Message):
    language: str = ""
    file_contents: dict[str, str] = Field(default_factory=dict)
    entry_file: str = ""
    entry_func: str = ""


class Criterion(Message):
    name: str = ""
    type: Literal["TYPE_UNSPECIFIED", "CODE_SNIPPETS"] = "TYPE_UNSPECIFIED"
    description: str = ""
    code_snippets: CodeSnippets | None = None


class Source(Message):
    type: Literal["TYPE_UNSPECIFIED", "TYPE_UPLOAD", "TYPE_GITHUB", "TYPE_TEMPORARY"] = "TYPE_UNSPECIFIED"
    github_repository_name: str = ""


class EvaluatorFields(Message):
    """The part of an evaluator a client may give."""

    display_name: str = ""
    description: str = ""
    requirements: str = ""
    entry_point: str = ""
    criteria: list[Criterion] = Field(default_factory=list)
    commit_hash: str = ""
    default_dataset: str = ""
    source: Source = Field(default_factory=Source)

    def check(self) -> None:
        """INVALID_ARGUMENT for the first value that makes no sense."""
        check_display_name(self.display_name)
        if len(self.description) >= DESCRIPTION_LIMIT:
            raise invalid(f"description must be fewer than {DESCRIPTION_LIMIT} characters")
        if self.entry_point and not ENTRY.fullmatch(self.entry_point):
            raise invalid(f"invalid entry_point {self.entry_point!r}: write path/file.py::function")
        if self.source.type == "TYPE_GITHUB":
            raise ApiError("UNIMPLEMENTED", "this server reaches no network: upload the code instead")
        for criterion in self.criteria:
            snippets = criterion.code_snippets
            if snippets and snippets.language.lower() not in LANGUAGES:
                raise invalid(
                    f"invalid language {snippets.language!r} of {criterion.name!r}: only Python runs"
                )

    def body(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True, exclude_none=True)


class EvaluatorCreate(Message):
    evaluator: EvaluatorFields
    evaluator_id: str = ""


def snippets_of(body: dict[str, Any]) -> dict[str, str]:
    """Inline code of all criteria: text by file name."""
    files: dict[str, str] = {}
    for criterion in body["criteria"]:
        files |= criterion.get("codeSnippets", {}).get("fileContents", {})
    return files


def entries_of(body: dict[str, Any]) -> list[dict[str, str]]:
    """What is to be called: name, file and function of each criterion with code, else the entry point."""
    entries = []
    for number, criterion in enumerate(body["criteria"], 1):
        snippets = criterion.get("codeSnippets") or {}
        if snippets.get("fileContents") or snippets.get("entryFile"):
            file = snippets["entryFile"] or next(iter(snippets["fileContents"]))
            name = criterion["name"] or f"criterion-{number}"
            entries.append({"name": name, "file": file, "function": snippets["entryFunc"] or "evaluate"})
    match = ENTRY.fullmatch(body["entryPoint"])
    if not entries and match:
        entries = [{"name": "score", "file": match[1], "function": match[2]}]
    return entries
