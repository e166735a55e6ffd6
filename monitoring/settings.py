"""Every setting of the site, and the only place where the environment is read."""

import fcntl
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from monitoring.embedded.addresses import read_addresses
from monitoring.embedded.lock import port_of_running

BASE_DIR = Path(__file__).resolve().parent.parent
# Wherever defusedxml is installed, openpyxl reads by a parser in plain Python, twice as slow. What
# it guards against is refused before (patients/intake/tables/xlsx_table.py)
os.environ["OPENPYXL_DEFUSEDXML"] = "False"
env = environ.Env()
_ON, _OFF = ("true", "on", "yes", "1"), ("false", "off", "no", "0")
env.ENVIRON = {name: value for name, value in os.environ.items() if value}  # empty is unset


def _refuse(name: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} cannot be used: it must be {wanted}.")


def _read_number(name: str, *, default: int, least: int = 1, most: int = 1_000_000_000) -> int:
    """Read a whole number, or say which ones there are."""
    text = env.str(name, default=str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise _refuse(name, f"a whole number from {least} to {most}, and is “{text}”")
    return int(text)


def _read_flag(name: str) -> bool:
    """Read what is on or off; off without a word."""
    text = env.str(name, default="false").lower()
    if text not in (*_ON, *_OFF):
        raise _refuse(name, f"true or false, and is “{text}”")
    return text in _ON


def _check_address(name: str, *beginnings: str) -> None:
    """Refuse an address of another kind; what stands in it may be secret and is not repeated."""
    if name in env and not env.str(name).startswith(beginnings):
        raise _refuse(name, f"an address that begins with {' or '.join(beginnings)}")


def _check_one_of(name: str, *known: str) -> None:
    """Refuse a word that is none of these."""
    if name in env and env.str(name) not in known:
        raise _refuse(name, f"one of {', '.join(known)}, and is “{env.str(name)}”")


def _read_or_make_secret(path: Path) -> str:
    """Read the secret that this copy made for itself, or make it now, once for all processes."""
    if not (path.exists() and path.stat().st_size):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            path.chmod(0o600)
            if path.stat().st_size == 0:
                file.write(secrets.token_urlsafe(48))
    return path.read_text()


# Where this copy keeps its data, servers, mails and secrets
VAR_DIR = Path(env.str("VAR", default=str(BASE_DIR / "var"))).resolve()
EMBEDDED = read_addresses(VAR_DIR)
DATABASE_IS_EMBEDDED = "DATABASE_URL" not in env
BROKER_IS_EMBEDDED = "REDIS_URL" not in env
_check_address("DATABASE_URL", "postgres://", "postgresql://")
_check_address("REDIS_URL", "redis://", "rediss://", "unix://")
_check_address("EMAIL_URL", "smtp://", "smtp+tls://", "smtp+ssl://", "smtps://")
_check_address("SITE_URL", "http://", "https://")
_check_one_of("LOG_LEVEL", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

DEBUG = _read_flag("DEBUG")
# Made when it is first asked for: a start that is refused leaves nothing behind
SECRET_KEY = env.str("SECRET_KEY", default="") or SimpleLazyObject(
    lambda: _read_or_make_secret(VAR_DIR / "secret_key")
)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Without one it is that of the copy that runs on these data: commands name addresses of its site
PORT = _read_number("PORT", default=port_of_running(VAR_DIR) or 8000, most=65535)
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
_site_host = urlsplit(SITE_URL).hostname or ""
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", _site_host])
if not (_site_host and validate_host(_site_host, ALLOWED_HOSTS)):
    raise _refuse("SITE_URL", "an address with a host that ALLOWED_HOSTS names too")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SERVED_OVER_TLS = SITE_URL.startswith("https://")
BEHIND_TLS_PROXY = _read_flag("BEHIND_TLS_PROXY")

# Another model than the one that comes along, and the approval of it (monitoring/model_in_force.py)
MODEL_RELEASE = env.str("MODEL_RELEASE", default="")
MODEL_APPROVAL = env.str("MODEL_APPROVAL", default="")

INSTALLED_APPS = [
    "patients",
    "monitoring",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "monitoring.headers.kept_by_nobody",
    "monitoring.headers.without_devices",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "monitoring.portal.middleware.SignInFirst",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "monitoring.portal.middleware.ReadersOwnWays",
]

# The machines' door has no sessions, forms, messages or pages (monitoring/wsgi.py)
DOOR_PATHS = ("/api/v1/", "/fhir", "/hl7v2", "/oauth2/")
DOOR_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "monitoring.headers.kept_by_nobody",
    "django.middleware.common.CommonMiddleware",
]

ROOT_URLCONF = "monitoring.urls"
WSGI_APPLICATION = "monitoring.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "monitoring.portal.context.of_every_page",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# Data: one engine everywhere; without DATABASE_URL the embedded PostgreSQL is used
DATABASES = {"default": env.db_url("DATABASE_URL", default=EMBEDDED.database_url)}
DATABASES["default"].update(
    CONN_MAX_AGE=_read_number("CONN_MAX_AGE", default=60, least=0),
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        # What patients/statements.py asks is prepared, and planned once a connection. Django's own
        # statements never are.
        "prepare_threshold": 5,
        "options": (
            "-c statement_timeout=30000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=60000"
            " -c plan_cache_mode=force_generic_plan"
            # A plan outlives the table that it was made for: one made while a table was young
            # would read the whole of it for every push until the connection is renewed (ADR 29)
            " -c enable_seqscan=off"
        ),
    },
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default=EMBEDDED.redis_url)
# The cache carries sign-in limits only: it lives in the database, so that nobody is locked out
# (or let in) because Redis is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entries",
    }
}

# People
AUTH_USER_MODEL = "patients.Clinician"
# One account per address in any case of letters is a database constraint, which W004 cannot see
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "monitoring.portal.passwords.NoRepetition"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:worklist"
ACCOUNT_ADAPTER = "monitoring.portal.accounts.ByInvitationOnly"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
# Nobody stays signed in on a ward's shared computer
ACCOUNT_SESSION_REMEMBER = False
# Whose address counts: behind a proxy it is the last but so many of X-Forwarded-For. A key is an
# account from one address (monitoring/portal/accounts.py), so that no stranger locks a person out;
# a clinic may have one address for everybody
ALLAUTH_TRUSTED_PROXY_COUNT = _read_number(
    "TRUSTED_PROXY_COUNT", default=1 if BEHIND_TLS_PROXY else 0, least=0, most=10
)
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "30/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/10m/key",
}
ACCOUNT_FORMS = {"reset_password": "monitoring.portal.forms.passwords.ForgottenPasswordForm"}
# Who asks for nothing is signed out, and everybody is when a working day is over
SESSION_ENGINE = "monitoring.sessions"
SESSION_COOKIE_AGE = 60 * _read_number("SIGN_OUT_AFTER_MINUTES", default=30, least=5, most=1440)
SIGN_OUT_AFTER_HOURS = _read_number("SIGN_OUT_AFTER_HOURS", default=12, most=24)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
# Browsers send cookies of one host to every port: two copies side by side need their own names
SESSION_COOKIE_NAME = "__Host-session" if SERVED_OVER_TLS else f"session_{PORT}"
CSRF_COOKIE_NAME = "__Host-csrf" if SERVED_OVER_TLS else f"csrf_{PORT}"

# Headers
SECURE_HSTS_SECONDS = 31_536_000 if SERVED_OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SERVED_OVER_TLS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Words, dates, zones
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "monitoring" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Files
STATIC_URL = "static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # served from where they are: nothing to collect
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Mail: SMTP when EMAIL_URL is set, otherwise readable files
MAIL_DIR = VAR_DIR / "mail"
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    _email = env.email_url("EMAIL_URL")
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"], _email["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
else:
    EMAIL_BACKEND = "monitoring.mail_files.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Soundings <soundings@localhost>")

# The queue (reasons: docs/adr/0006-the-database-is-the-queue.md)
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_DEFAULT_QUEUE = "soundings"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Not after a number of tasks: both children would reach it together, and for up to 5 s nobody works
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_VISIBILITY_TIMEOUT = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat_schedule")

# The laboratory's door
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["monitoring.api.authentication.LaboratoryAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["monitoring.api.permissions.HasScope"],
    "EXCEPTION_HANDLER": "monitoring.api.problems.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Soundings: the laboratory's door",
    "DESCRIPTION": (
        "Laboratories push serum sIL-6R, IL-6, TNF-α and hs-CRP results here. "
        "The raw message is stored before the answer leaves; the same message again changes "
        "nothing."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
PUSHES_PER_MINUTE = _read_number("PUSHES_PER_MINUTE", default=120_000)
# A system of a clinic sends what people fill in; ten in a second is more than they do
RATINGS_PER_MINUTE = _read_number("RATINGS_PER_MINUTE", default=600)
DOOR_LINES_KEPT_DAYS = _read_number("DOOR_LINES_KEPT_DAYS", default=365)
# Origins from which key sets may be fetched though they are private or not over TLS
JWKS_ALLOWED_ORIGINS = env.list("JWKS_ALLOWED_ORIGINS", default=[])
# The header in which a proxy hands on the subject of a client's certificate, and who that proxy is
CERTIFICATE_HEADER = env.str("CERTIFICATE_HEADER", default="")
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=["127.0.0.1", "::1"])

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "monitoring.log_lines.WithoutValues",
            "format": "{levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"fontTools": {"level": "WARNING"}},  # it tells of every font of every PDF
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
