"""How often intervals hold the truth: win rates of a planted judge, and means of scores.

Targets: the interval of a win rate holds the planted truth in 93 to 97 % of 1,000 simulations at 50, 200
and 1,000 rows, whatever the judge's noise and position bias, and position bias does not move the estimate.
Each row of a simulation is judged in both orders. Seeded. Run with `make bench`, or
`PYTHONPATH=. python benchmarks/coverage.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.results import FOLDER, keep, taken
from tests.unit.metrics.planted import Floats, Judge, held, judges, lattice, probabilities
from workflows.metrics import bootstrap
from workflows.metrics.intervals import difference_bounds, normal_quantile

SIZES, SIMULATIONS, RESAMPLES = (50, 200, 1000), 1000, 1000
SUMMED = (50, 200)  # of 1,000 rows there are half a million outcomes
NOISES = (0.0, 0.1, 0.5, 1.0)
NEVER = 1e-8  # chances below add nothing to a coverage of four digits
Numbers = dict[str, Any]
Bounds = tuple[Floats, Floats]
SCORES: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "even": lambda draws, rows: draws.random(rows),
    "mostly_good": lambda draws, rows: draws.beta(8, 2, rows),
    "few_levels": lambda draws, rows: draws.choice(
        [0, 0.25, 0.5, 0.75, 1], rows, p=[0.1, 0.1, 0.2, 0.2, 0.4]
    ),
    "rarely_bad": lambda draws, rows: draws.choice([0, 1, 0.9], rows, p=[0.05, 0.45, 0.5]),
}
TRUE_MEANS = {"even": 0.5, "mostly_good": 0.8, "few_levels": 0.675, "rarely_bad": 0.9}


def main() -> None:
    numbers: Numbers = {"simulations": SIMULATIONS, "judges": len(list(judges(noises=NOISES)))}
    for rows in SIZES:
        numbers |= {f"win_rate_{rows}_rows_{name}": value for name, value in win_rates(rows).items()}
    for rows in SUMMED:
        numbers |= {f"win_rate_{rows}_rows_exact_{end}": value for end, value in exact(rows).items()}
    numbers |= careless()
    for rows in SIZES:
        for name in SCORES:
            numbers |= {f"{name}_{rows}_rows_{each}": value for each, value in means(name, rows).items()}
    keep("coverage", numbers)
    (FOLDER / "coverage.md").write_text(report(numbers))


def win_rates(rows: int) -> Numbers:
    """Least and most of all judges' coverages, by three intervals; how far bias moves the estimate."""
    found: dict[str, list[float]] = {"ours": [], "tango": [], "wilson": [], "wald": []}
    moved = []
    for number, judge in enumerate(judges(noises=NOISES)):
        wins, losses = simulated(judge, rows, seed=1000 * rows + number)
        truth = 2 * judge.truth - 1
        found["ours"].append(float(held(judge, wins, losses, rows).mean()))
        moved.append(abs(float(((wins - losses) / rows).mean()) - truth) / 2)
        for name, bounds in (("tango", difference_bounds), ("wilson", half_ties), ("wald", wald)):
            low, high = bounds(wins, losses, rows)
            found[name].append(float(((low <= truth) & (truth <= high)).mean()))
    ends = {
        f"{name}_{end.__name__}": round(end(values), 4)
        for name, values in found.items()
        for end in (min, max)
    }
    return ends | {
        "ours_mean": round(float(np.mean(found["ours"])), 4),
        "ours_in_range": sum(0.93 <= share <= 0.97 for share in found["ours"]),
        "moved_most": round(max(moved), 4),
    }


def simulated(judge: Judge, rows: int, seed: int) -> tuple[Floats, Floats]:
    """Wins and losses of each simulation, shape (simulations,): every row is judged in both orders."""
    forward, backward = judge.verdicts(SIMULATIONS * rows, np.random.default_rng(seed))
    shape = (SIMULATIONS, rows)
    wins, losses = (forward & backward).reshape(shape), (~forward & ~backward).reshape(shape)
    return wins.sum(axis=1).astype(float), losses.sum(axis=1).astype(float)


def exact(rows: int) -> Numbers:
    """Coverage summed over all that the rows can come to: no luck in it. Of judges that are
    alike, since bias changes nothing without noise, one is taken."""
    wins, losses = lattice(rows)
    found = []
    for judge in {judge.chances(): judge for judge in judges(noises=NOISES)}.values():
        chances = probabilities(judge, wins, losses, rows)
        can_be = chances > NEVER
        found.append(float(chances[can_be][held(judge, wins[can_be], losses[can_be], rows)].sum()))
    within = sum(0.93 <= share <= 0.97 for share in found)
    return {
        "min": round(min(found), 4),
        "max": round(max(found), 4),
        "in_range": within,
        "judges": len(found),
    }


def careless() -> Numbers:
    """What comes of a judge that picks the first place, whatever the answers are, in a share of verdicts."""
    draws = np.random.default_rng(9)
    rows, truth = 200_000, 0.7
    found: Numbers = {}
    for share in (0.1, 0.3):
        better = draws.random(rows) < truth
        forward, backward = np.where(draws.random((2, rows)) < share, [[True], [False]], better)
        found[f"careless_{share:.0%}_of_verdicts_truth_{truth}_win_rate"] = round(
            float((forward.mean() + backward.mean()) / 2), 4
        )
    return found


def half_ties(wins: Floats, losses: Floats, rows: int) -> Bounds:
    """Wilson's interval with half of the ties counted as won, on the scale of wins less losses."""
    z = normal_quantile(0.95)
    share = (1 + (wins - losses) / rows) / 2
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * np.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    return 2 * (middle - half) - 1, 2 * (middle + half) - 1


def wald(wins: Floats, losses: Floats, rows: int) -> Bounds:
    """The mean with 1.96 standard errors to each side."""
    seen = (wins - losses) / rows
    half = normal_quantile(0.95) * np.sqrt(np.maximum((wins + losses) / rows - seen**2, 0) / (rows - 1))
    return seen - half, seen + half


def means(name: str, rows: int) -> dict[str, float]:
    """How often the bootstrap interval of a mean score holds the true one."""
    held = {"BCa": 0, "percentile": 0}
    draws = np.random.default_rng(rows)
    for seed in range(SIMULATIONS):
        values = SCORES[name](draws, rows)
        for method in held:
            found = bootstrap.mean(values, seed=seed, resamples=RESAMPLES, method=method)
            held[method] += found.low is not None and found.holds(TRUE_MEANS[name])
    return {method: count / SIMULATIONS for method, count in held.items()}


def report(numbers: Numbers) -> str:
    machine = taken()
    lines = [
        f"| {rows:,} | "
        + " | ".join(span(numbers, rows, name) for name in ("ours", "exact", "tango", "wilson", "wald"))
        + f" | {of_judges(numbers, rows, 'exact')} | {of_judges(numbers, rows, 'ours')} "
        f"| {100 * numbers[f'win_rate_{rows}_rows_moved_most']:.2f} points |"
        for rows in SIZES
    ]
    scores = [
        f"| {name.replace('_', ' ')} | " + " | ".join(of_scores(numbers, name, rows) for rows in SIZES) + " |"
        for name in SCORES
    ]
    shrunk = [f"{share} of verdicts: {value:.1%}" for share, value in careless_of(numbers)]
    return f"""# Coverage of 95 % intervals

{machine["at"]}, {machine["system"]}, Python {machine["python"]}. {SIMULATIONS:,} simulations of each.

## Win rates of a planted judge

{numbers["judges"]} judges: true win rates 50 to 90 %, 0 to 100 % of rows open, position bias 0 to 0.4.
Every row is judged in both orders. Least and most of all judges' coverages; the exact ones are summed over
all outcomes, so what lies beyond them is the luck of {SIMULATIONS:,} simulations. The least at 50 rows is a
judge of truth 50 % without a tie: any interval that treats both sides alike holds it in 93.5 or in 96.7 %,
and {SIMULATIONS:,} simulations of 93.5 % come below 93 % every fourth time. "In range" is 93 to 97 %.

| rows | ours (mid-p) | exact | Tango | Wilson | mean ± 1.96 errors | exact in range | in range | moved by |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(lines)}

Bias on open rows that is as strong on either side does not move the estimate. A judge that picks the first
place whatever the answers are moves it towards 50 %; of a true 70.0 %, at {"; at ".join(shrunk)}. Where
narrow wins stand against wide losses, a bias hides the wins alone and moves it past 50 %: no count of
verdicts tells that. So where a judge leans to a place, or the order decides more than a quarter of the rows,
the interval that is shown takes in all that those rows could have come to; the figures above are of the
interval before that.

## Means of scores

Bootstrap BCa (percentile in brackets), {RESAMPLES:,} draws. "Rarely bad" is 0 in one row of 20: where
failures are rare, 50 rows hold too few of them for any interval that is drawn from these rows.

| scores | {" | ".join(f"{rows:,} rows" for rows in SIZES)} |
|---|---:|---:|---:|
{chr(10).join(scores)}
"""


def span(numbers: Numbers, rows: int, name: str) -> str:
    if f"win_rate_{rows}_rows_{name}_min" not in numbers:
        return "–"
    least, most = (numbers[f"win_rate_{rows}_rows_{name}_{end}"] for end in ("min", "max"))
    return f"{least:.1%} to {most:.1%}"


def of_judges(numbers: Numbers, rows: int, name: str) -> str:
    """How many judges' coverages lie in the range."""
    found = f"win_rate_{rows}_rows_{name}"
    if f"{found}_in_range" not in numbers:
        return "–"
    return f"{numbers[f'{found}_in_range']} of {numbers.get(f'{found}_judges', numbers['judges'])}"


def of_scores(numbers: Numbers, name: str, rows: int) -> str:
    corrected, plain = (numbers[f"{name}_{rows}_rows_{method}"] for method in ("BCa", "percentile"))
    return f"{corrected:.1%} ({plain:.1%})"


def careless_of(numbers: Numbers) -> Sequence[tuple[str, float]]:
    return [(name.split("_")[1], value) for name, value in numbers.items() if name.startswith("careless")]


if __name__ == "__main__":
    main()
