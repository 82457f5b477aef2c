"""Which base models go on from the benchmark to the sweep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sessions.models import Candidate
from sessions.specification import CandidateConfig, FieldError, Specification

LEAST = 2  # so that two named models are always compared, base and tuned


def how_many(specification: Specification) -> int:
    """The better half of the base models, rounded up, and at least two; all where the person wants no
    comparison between them."""
    count = len(specification.value("base_models"))
    if specification.value("compare_base") is False:
        return count
    return min(count, max(LEAST, -(-count // 2)))


def competing(configs: Iterable[CandidateConfig | Candidate]) -> list[str]:
    """The base models that have candidates, in their order: a limit of candidates may leave some without."""
    return list(dict.fromkeys(each.base_model for each in configs))


def check(specification: Specification, configs: Sequence[CandidateConfig]) -> None:
    """FieldError where fewer base models have candidates than go on from the benchmark."""
    wanted, found = how_many(specification), len(competing(configs))
    if found < wanted:
        raise FieldError(
            "max_candidates",
            f"{found} candidate{'s are' if found != 1 else ' is'} too few: {wanted} base models go on "
            "from the benchmark, each with a candidate of its own.",
            f"Allow at least {wanted} candidates, or name fewer base models.",
        )


def chosen(specification: Specification, accuracy: Mapping[str, float], models: Sequence[str]) -> list[str]:
    """Those of `models`, which compete, that go on, in their order. Of equals the first is the stronger."""
    ranking = sorted(models, key=lambda each: (-accuracy[each], models.index(each)))
    going_on = set(ranking[: how_many(specification)])
    return [each for each in models if each in going_on]
