"""The models that make pairs and that judge: those that a person named, else the ones that are proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sessions.models import Artifact, BaseModel
from sessions.specification import FIELDS, Entry, FieldError, Origin, Specification, short_name
from workflows.phases import plans
from workflows.phases.preference import making, roles
from workflows.phases.preference.roles import REHEARSAL_JUDGE, Makers
from workflows.phases.preference.splitting import Parts
from workflows.work import Work

PROPOSED = {
    "strong_model": "the largest model that answers by the token",
    "weak_model": "the smallest model that answers by the token",
}
SPLITTING = ("seed", "heldout_rows", "test_share")  # what decides which prompts are asked for pairs
OF_MAKING = ("make_pairs", *PROPOSED, "screening", "review_pairs")
OTHERS = "the largest model that answers by the token and is of another family than what it judges"
RELATED = "the largest model that answers by the token; none is of another family than what it judges"


def made_by(work: Work, specification: Specification, parts: Parts) -> tuple[Specification, Makers | None]:
    """Who makes the pairs, how they are screened, and whether they are shown first; None where the dataset
    has pairs. Raises FieldError."""
    if parts.has_pairs:
        return specification, None
    before = plans.latest(work.session)
    if before and Artifact.objects.filter(session=work.session, name=making.QUESTIONS).exists():
        unchanged(specification, Specification.from_json(before.body["specification"]))
    specification, makers = with_makers(specification)
    if specification.entry("screening") is None:
        specification = specification.with_entries({"screening": Entry("refused", Origin.DEFAULT)})
    if specification.value("review_pairs") == "change":
        said = specification.entries["review_pairs"]
        specification = specification.with_entries({"review_pairs": replace(said, value="show")})
    return specification, makers


def unchanged(specification: Specification, before: Specification) -> None:
    """Raises FieldError for a change of what is held out after the other prompts were asked."""
    for name in SPLITTING:
        if specification.value(name) != before.value(name):
            fault = f"{FIELDS[name].label} cannot be changed any more: the prompts were asked already."
            standing = FIELDS[name].show(before.value(name)) if before.value(name) is not None else "nothing"
            raise FieldError(name, fault, f"It is {standing}; for another, start a new session.")


def with_makers(specification: Specification) -> tuple[Specification, Makers]:
    """The strong and the weak model, as values that say where they come from. Raises FieldError."""
    names = [row.name for row in roles.served()]
    said = {name: entry for name in PROPOSED if (entry := by_person(specification, name))}
    for name, entry in said.items():
        there(name, entry.value, names)
    taken = {entry.value for entry in said.values()}
    free = [name for name in names if name not in taken]
    if len(free) + len(taken) < len(PROPOSED):
        roles.makers()  # says that there are too few
    strong, weak = said.get("strong_model"), said.get("weak_model")
    strong = strong or Entry(free[-1], Origin.DATA, PROPOSED["strong_model"])
    weak = weak or Entry(free[0], Origin.DATA, PROPOSED["weak_model"])
    found = specification.with_entries({"strong_model": strong, "weak_model": weak})
    return found, Makers(strong.value, weak.value)


def with_judge(
    specification: Specification, made_by: Sequence[str], *, rehearsal: bool
) -> tuple[Specification, str]:
    """The judge, as a value that says where it comes from. Raises FieldError."""
    said = by_person(specification, "judge_model")
    if said:
        there("judge_model", said.value, sorted(row.name for row in roles.served()))
        return specification, said.value
    models = specification.value("base_models")
    name = roles.judge(models, made_by, rehearsal=rehearsal)
    words = RELATED if roles.related(name, models) else OTHERS
    words = "the stand-in judge of rehearsals" if name == REHEARSAL_JUDGE else words
    return specification.with_entries({"judge_model": Entry(name, Origin.DATA, words)}), name


def by_person(specification: Specification, name: str) -> Entry | None:
    """What a person said; what was proposed before is worked out anew."""
    return specification.by_person().entry(name)


def there(field: str, model: str, names: Sequence[str]) -> None:
    """Raises FieldError with all there are when a named model is not among them."""
    if model in names:
        return
    listed = ", ".join(map(short_name, names)) or "none"
    fault = f"{FIELDS[field].label}: {short_name(model)} does not answer by the token here."
    raise FieldError(field, fault, f"Those that do: {listed}.")


def larger_weak(makers: Makers) -> str:
    """A warning where the weak model is the larger one; empty where it is not, or the sizes are unknown."""
    sizes = dict(BaseModel.objects.filter(name__in=makers.both).values_list("name", "parameters"))
    strong, weak = sizes.get(makers.strong), sizes.get(makers.weak)
    if not strong or not weak or weak < strong:
        return ""
    return (
        f"{short_name(makers.weak)} makes the answers that are not preferred and is not smaller than "
        f"{short_name(makers.strong)}: what is learned may go the wrong way."
    )
