"""Django's settings, from the environment. Defaults are for one machine and one office.

SOJOURN_HOME, SOJOURN_STATISTICS_URL (default: the home's statistics.sqlite3), SOJOURN_WEB_URL
(default: the home's web.sqlite3), SOJOURN_SECRET_KEY, SOJOURN_HOSTS, SOJOURN_DEMO=1,
SOJOURN_CASES_URL (default: the home's cases.sqlite3), SOJOURN_CASES_KEYS (default: the home's
keys/cases), SOJOURN_DOWNLOADS (default: the home's downloads/), SOJOURN_CASES_KEY_SERVICE (a key
service's address with its mount), with SOJOURN_CASES_KEY_TOKEN (the file of its token) and
SOJOURN_CASES_KEY_CA (certificates that vouch for it, where the system's own do not),
SOJOURN_EXIT_URL (where "leave this page" leads),
SOJOURN_COMPLAINTS (who takes complaints outside the office: a name and how to reach them),
SOJOURN_PRODUCTION=1 (a secret key is then required, cookies go over HTTPS alone, demo is
refused). SOJOURN_CLAMD: where ClamAV listens,
unix:/run/clamav/clamd.ctl or host:port; files that people hand in are opened once it has found
them clean. SOJOURN_API_RATE, SOJOURN_API_COUNTS_RATE: how often a token of the cases' API may ask,
and ask for counts (120/m and 6/m; units s, m, h). SOJOURN_POOL: how many connections to each
PostgreSQL database a server keeps open at most (20; commands that serve nobody keep none).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from csp.constants import NONE, SELF
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

ROOM = Path(__file__).parent
HOME = Path(os.environ.get("SOJOURN_HOME", "office")).resolve()
PRODUCTION = os.environ.get("SOJOURN_PRODUCTION") == "1"
DEMO = os.environ.get("SOJOURN_DEMO") == "1"
STATISTICS_URL = (
    os.environ.get("SOJOURN_STATISTICS_URL") or f"sqlite:///{HOME / 'statistics.sqlite3'}"
)
INBOX = HOME / "inbox"
# Published figures as files, made at the first ask; never beside a database.
DOWNLOADS = Path(os.environ.get("SOJOURN_DOWNLOADS") or HOME / "downloads")

# A server keeps its connections in a pool: under ASGI each request is a thread of its own, where
# Django's CONN_MAX_AGE would keep one connection for every request and use none of them again.
POOL = int(os.environ.get("SOJOURN_POOL") or 20) if os.environ.get("SOJOURN_SERVES") == "1" else 0

if PRODUCTION and DEMO:
    raise ImproperlyConfigured("SOJOURN_DEMO=1 on a production office: one of the two is wrong")


def _secret_key() -> str:
    """The given one; else one kept in the home, made at first use (never in production)."""
    if given := os.environ.get("SOJOURN_SECRET_KEY"):
        return given
    if PRODUCTION:
        raise ImproperlyConfigured(
            "SOJOURN_SECRET_KEY is not set: production needs one of 50 random characters or more"
        )
    kept = HOME / "keys" / "web.key"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return kept.read_text("utf-8")


def database(url: str) -> dict[str, object]:
    """Django's words for ``sqlite:///path`` or ``postgresql://user:password@host:port/name``.

    A server's socket folder goes behind: ``postgresql://user@/name?host=/run/postgresql``.
    """
    if url.startswith("sqlite:///"):
        options = {"init_command": "PRAGMA journal_mode=WAL", "transaction_mode": "IMMEDIATE"}
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "OPTIONS": options,
        }
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgresql"):
        raise ImproperlyConfigured("a database's URL: expected sqlite:///path or postgresql://...")
    kept = {"pool": {"min_size": min(2, POOL), "max_size": POOL, "timeout": 10}} if POOL else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or parse_qs(parts.query).get("host", [""])[0],
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,  # after a restart of the database nobody meets a dead one
        "OPTIONS": kept,
    }


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = os.environ.get("SOJOURN_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
DATABASES = {
    "default": database(os.environ.get("SOJOURN_WEB_URL") or f"sqlite:///{HOME / 'web.sqlite3'}"),
    # Voluntary return: a database and keys of its own (ADR 0020).
    "cases": database(os.environ.get("SOJOURN_CASES_URL") or f"sqlite:///{HOME / 'cases.sqlite3'}"),
}
DATABASE_ROUTERS = ["sojourn_web.cases.router.CasesRouter"]
# A key service instead of files alone: docs/how-to/keep-case-keys-in-a-service.md.
CASES_KEY_SERVICE = os.environ.get("SOJOURN_CASES_KEY_SERVICE", "")
CASES_KEY_TOKEN = os.environ.get("SOJOURN_CASES_KEY_TOKEN", "")  # a file, read for each request
CASES_KEY_CA = os.environ.get("SOJOURN_CASES_KEY_CA", "")
CASES_KEYS = Path(os.environ.get("SOJOURN_CASES_KEYS") or HOME / "keys" / "cases")
CASES_API_RATE = os.environ.get("SOJOURN_API_RATE", "120/m")
CASES_API_COUNTS_RATE = os.environ.get("SOJOURN_API_COUNTS_RATE", "6/m")
CASES_CLAMD = os.environ.get("SOJOURN_CLAMD", "")
# Counts of tries and requests, in memory; large enough that a flood of addresses drops few of them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "rules",
    "sojourn_web.accounts",
    "sojourn_web.cases",
    "sojourn_web.figures",
    "sojourn_web.runs",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "sojourn_web.figures.public_at_once.figures_at_once",  # needs no session: see there
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "sojourn_web.accounts.one_thread.in_one_thread",  # the last: see there
]
ROOT_URLCONF = "sojourn_web.urls"
ASGI_APPLICATION = "sojourn_web.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOM / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sojourn_web.accounts.context.installation",
            ],
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "sojourn_web.accounts.backends.OfficeBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
     "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]  # fmt: skip
CSRF_FAILURE_VIEW = "sojourn_web.cases.stale_forms.too_old"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "sojourn_web.accounts.adapter.OfficeAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Whether staff of voluntary return must have a second factor before they see anything there.
CASES_MFA = (os.environ.get("SOJOURN_CASES_MFA") or ("1" if PRODUCTION else "0")) == "1"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

LANGUAGE_CODE = "en-gb"
USE_I18N = True
# The languages of people's own pages; Persian serves Dari too. English alone is reviewed.
LANGUAGES = [
    ("en", "English"), ("fr", "français"), ("es", "español"), ("ar", "العربية"),
    ("fa", "فارسی / دری"), ("ps", "پښتو"), ("ku", "kurdî (kurmancî)"), ("ckb", "کوردی (سۆرانی)"),
    ("uk", "українська"), ("ru", "русский"), ("tr", "Türkçe"), ("so", "Soomaali"),
    ("am", "አማርኛ"), ("ti", "ትግርኛ"),
]  # fmt: skip
# All that are written from right to left, those of letters alone too (Dari, Urdu, Hebrew).
LANGUAGES_BIDI = ["ar", "fa", "prs", "ps", "ckb", "ur", "he"]
for _code, _name in LANGUAGES:  # Django knows nothing of some of them
    LANG_INFO.setdefault(
        _code,
        {"bidi": _code in LANGUAGES_BIDI, "code": _code, "name": _name, "name_local": _name},
    )
LOCALE_PATHS = [ROOM / "locale"]
RETURN_COMPLAINTS = os.environ.get("SOJOURN_COMPLAINTS", "")
# Where "leave this page" leads: somewhere that says nothing about anybody.
RETURN_EXIT_URL = os.environ.get("SOJOURN_EXIT_URL", "https://www.wikipedia.org/")
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOM / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # the second factor's QR code
        "font-src": [SELF],
        "media-src": [SELF],  # recordings for people who do not read
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# What a feed may send at once; bodies wait in the inbox's own folder, never in a public one.
INGEST_MAX_BYTES = 256 * 2**20
FILE_UPLOAD_TEMP_DIR = INBOX / ".spool"
# Files of cases stay in memory until they are sealed: none is written to a disk as it came. What is
# larger than this is dropped, and refused.
FILE_UPLOAD_MAX_MEMORY_SIZE = 11 * 2**20
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
LIVE_POLL_SECONDS = 0.2

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
