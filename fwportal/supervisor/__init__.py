"""`manage.py up`: starts Redis, local Fireworks, worker, beat and web, and keeps them running."""
