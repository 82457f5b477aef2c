"""What a brought `requirements.txt` may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.evaluators.packages import NotInstalled, install, wanted

pytestmark = pytest.mark.unit


def test_names_with_versions_are_taken() -> None:
    lines = ["numpy>=2,<3", "SQLGlot ==26.0", "pydantic[email]~=2.0; python_version < '4'"]
    assert (
        wanted("\n".join(["# tools", lines[0], f"{lines[1]}  # parser", "", lines[2], "eval_protocol>=0.2"]))
        == lines
    )


@pytest.mark.parametrize(
    "line",
    ["-r other.txt", "--index-url https://x.example", "-e .", "./local", "x @ https://x.example/x.whl",
     "a\\b", "git+https://x.example/x.git", "--global-option=x"],
)  # fmt: skip
def test_what_could_bring_in_anything_is_refused(line: str) -> None:
    with pytest.raises(NotInstalled, match="not a package's name"):
        wanted(f"numpy\n{line}")


def test_nothing_is_installed_unless_allowed(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match="FWPORTAL_EVALUATOR_PACKAGES=1"):
        install("numpy", tmp_path, allowed=False)
    assert install("eval-protocol\n", tmp_path, allowed=False) is None
    assert not list(tmp_path.iterdir())
