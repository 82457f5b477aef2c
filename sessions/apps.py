"""The app that holds what a person sees and decides."""

from django.apps import AppConfig


class TuningConfig(AppConfig):
    """`label` differs from the folder: `sessions` is the label of Django's own login sessions."""

    name = "sessions"
    label = "tuning"
    verbose_name = "Tuning sessions"
    default_auto_field = "django.db.models.BigAutoField"
