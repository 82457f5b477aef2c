"""The engine of local Fireworks: a small Qwen3 decoder that really trains and really answers."""
