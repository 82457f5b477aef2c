"""All settings. Two modes: `local` (`make run`, one person on loopback) and `server` (login, HTTPS)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fwportal import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = Path(env.text(os.environ, "FWPORTAL_DATA", str(BASE_DIR / "var"))).resolve()
RUNNING = {**env.running(DATA), **os.environ}

MODE = env.choice(os.environ, "FWPORTAL_MODE", ("local", "server"))
LOCAL = MODE == "local"
PORT = env.port(RUNNING)
DEBUG = False

SECRET_KEY = (
    env.kept_secret(DATA / "secret.key")
    if LOCAL
    else env.required(os.environ, "SECRET_KEY", "the key that signs logins: 50 random characters or more")
)
# In local mode any other Host is refused, so that a foreign page cannot reach the portal by DNS rebinding.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"] if LOCAL else env.names(os.environ, "ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.names(os.environ, "CSRF_TRUSTED_ORIGINS")

# --- Fireworks ---------------------------------------------------------------------------------------

if LOCAL:
    _rehearsal_url = env.web_address(RUNNING, "FWPORTAL_FIREWORKS_URL", f"http://127.0.0.1:{PORT + 1}")
else:
    _rehearsal_url = env.rehearsal_of_a_server(os.environ)
FIREWORKS = env.fireworks(os.environ, _rehearsal_url)

# --- Django ------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "fwportal",
    "sessions.apps.TuningConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "fwportal.middleware.content_security_policy",
    "fwportal.middleware.static_files",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fwportal.middleware.signed_in_owner"
    if LOCAL
    else "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "fwportal.urls"
ASGI_APPLICATION = "fwportal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sessions.context.portal",
            ],
        },
    },
]

DATABASES = {"default": env.database(os.environ, DATA)}
if not env.text(os.environ, "DATABASE_URL"):
    # A file, not memory: tests of races need several connections, and two test runs must not share one.
    DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.gettempdir()}/fwportal-test-{os.getpid()}.sqlite3"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = None if LOCAL else env.text(os.environ, "STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = DATA / "uploads"
RATES_FILE = env.text(os.environ, "FWPORTAL_RATES")  # replaces the dated price table of the portal
TOKENIZERS = env.text(os.environ, "FWPORTAL_TOKENIZERS")  # folder with MODEL/tokenizer.json of base models
MAX_UPLOAD = env.whole(os.environ, "FWPORTAL_MAX_UPLOAD", 1_000_000_000, 1, 10**12)  # bytes of one file
# Foreign evaluator code: where the system has no namespaces "full" refuses it, and "weaker" runs it without
# walls around network and files. Packages come from the index only where that is allowed.
EVALUATORS = {
    "isolation": env.choice(os.environ, "FWPORTAL_EVALUATOR_ISOLATION", ("full", "weaker")),
    "packages": env.flag(os.environ, "FWPORTAL_EVALUATOR_PACKAGES", default=False),
}
WHITENOISE_USE_FINDERS = LOCAL
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 0 if LOCAL else 60

# --- Security ----------------------------------------------------------------------------------------

HTTPS = not LOCAL and env.flag(os.environ, "FWPORTAL_HTTPS", default=True)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "fwportal_login", "fwportal_csrf"
# The proxy's word on the scheme is believed only where a proxy stands in front (docker-compose.yml).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.whole(os.environ, "HSTS_SECONDS", 31_536_000, 0, 63_072_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS and env.flag(
    os.environ, "HSTS_SUBDOMAINS", default=True
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Celery: only delivers wake-ups, the database row is the workflow ---------------------------------

REDIS_URL = env.text(RUNNING, "REDIS_URL", f"redis://127.0.0.1:{PORT + 2}/0")
SWEEP_SECONDS = env.whole(os.environ, "FWPORTAL_SWEEP_SECONDS", 2, 1, 60)
REFRESH_SECONDS = env.whole(os.environ, "FWPORTAL_REFRESH_SECONDS", 60, 1, 3600)

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A step under way when Redis dies is finished and recorded; its message comes again and finds it done.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "beat-schedule")
# A wake-up that comes late is worthless: the next one does the same work.
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "workflows.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": 1.5 * SWEEP_SECONDS},
    },
    "refresh": {
        "task": "workflows.refresh",
        "schedule": REFRESH_SECONDS,
        "options": {"expires": 1.5 * REFRESH_SECONDS},
    },
}

# --- Logging: one line each ---------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text(os.environ, "LOG_LEVEL", "INFO").upper()},
    "loggers": {
        # httpx logs whole addresses at INFO, and signed upload addresses are secrets.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # Celery writes three lines a wake-up, one every two seconds; failures are errors and still shown.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
