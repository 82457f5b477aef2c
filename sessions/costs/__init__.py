"""What things cost and how long they take. Decimal USD; an unknown rate is "not calculated"."""

from sessions.costs.duration import TimeRange, time_range
from sessions.costs.estimate import (
    NO_COMPLETIONS,
    Job,
    Pricing,
    candidate_lines,
    deployment_line,
    estimate,
    final_line,
    training_line,
)
from sessions.costs.lines import Estimate, Line, Sum, add_up
from sessions.costs.money import about, money, money_exact, money_range
from sessions.costs.rates import Rates, RatesError, TokenPrice

__all__ = [
    "NO_COMPLETIONS",
    "Estimate",
    "Job",
    "Line",
    "Pricing",
    "Rates",
    "RatesError",
    "Sum",
    "TimeRange",
    "TokenPrice",
    "about",
    "add_up",
    "candidate_lines",
    "deployment_line",
    "estimate",
    "final_line",
    "money",
    "money_exact",
    "money_range",
    "time_range",
    "training_line",
]
