"""Django's settings; everything that differs between machines comes from benchsite.env."""

from benchsite import caches, env, logs
from benchsite.database import connection_settings

SITE = env.load()
BASE_DIR = env.BASE_DIR

SECRET_KEY = SITE.secret_key or env.kept_secret_key(SITE.data_dir)
DEBUG = SITE.debug
ALLOWED_HOSTS = list(SITE.allowed_hosts)
BENCHSITE_PUBLIC = SITE.public
BENCHSITE_MAX_UPLOAD_BYTES = SITE.max_upload_mb * 1024**2

INSTALLED_APPS = [
    "benchsite.apps.SiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "django_htmx",
    "template_partials",
    "benchsite.common",
    "hardware",
    "benchmarks",
    "experiments",
]
MIDDLEWARE = [
    "benchsite.common.request_log.RequestLogMiddleware",
    "benchsite.common.permissions.PermissionsPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "benchsite.common.maintenance.MaintenanceMiddleware",
    "benchsite.common.freshness.FreshnessMiddleware",  # keeps answers as they are sent: packed
    "django.middleware.gzip.GZipMiddleware",
    "benchsite.common.requests.ReadableRequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "benchsite.common.access.PrivateSiteMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "benchsite.urls"
WSGI_APPLICATION = "benchsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,  # template_partials puts its loader before the cached ones at start-up
        "OPTIONS": {
            "builtins": ["template_partials.templatetags.partials"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]


DATABASES = {"default": connection_settings(SITE)}
CACHES = {"default": caches.connection_settings(SITE.cache_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "benchsite.staticfiles.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "benchsite.staticfiles.SiteStaticStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# A raw request body holds one result file; parts of a multipart one go to disk beyond 2.5 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = BENCHSITE_MAX_UPLOAD_BYTES

SESSION_COOKIE_SECURE = SITE.https
CSRF_COOKIE_SECURE = SITE.https
SECURE_SSL_REDIRECT = SITE.https
SECURE_REDIRECT_EXEMPT = [r"^health$"]  # probed without TLS from inside
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SITE.https else 0
# TLS ends at a proxy, which must set this header itself; trusted only where HTTPS is asked for.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SITE.https else None
X_FRAME_OPTIONS = "DENY"
# HSTS for subdomains and browsers' preload lists binds other sites of the domain: not ours to ask.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Plotly inserts an empty style element and one for its maps, and styles its nodes by attribute.
# The hashes are those of the pinned version: a browser test fails when they change.
PLOTLY_STYLES = [
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src-elem": ["'self'", *PLOTLY_STYLES],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

LOGGING = logs.configuration(as_json=SITE.log_as_json)
