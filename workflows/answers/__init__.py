"""Answers of models to prompt sets: each asked and paid for once, by the cheapest way that works."""

from sessions.costs.inference import Load
from workflows.answers.collecting import collect
from workflows.answers.pricing import Priced, priced
from workflows.answers.prompts import PromptSet, Sampling, prompt_set
from workflows.answers.subjects import Subject

__all__ = ["Load", "Priced", "PromptSet", "Sampling", "Subject", "collect", "priced", "prompt_set"]
