"""Loads an evaluator and scores rows with it, inside the sandbox."""
