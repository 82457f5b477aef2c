"""The rules that a written evaluator can hold, one module each.

They are ordinary modules and at the same time the text of `evaluator.py` (workflows/evaluators/writing.py):
what stands below `# settings` is written anew for the dataset, what stands below `# rule` is copied, and what
stands below `# trial` stays here: it spoils good answers, to see that the evaluator notices.
"""
