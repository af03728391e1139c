"""The ASGI application."""

import atexit
import os
import warnings

from django.core.asgi import get_asgi_application
from django.db import connections

# WhiteNoise hands files over synchronously; they are small and few.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")


def close_pools() -> None:
    """Before Python ends: a pool that is found open then waits for threads that are gone."""
    for connection in connections.all():
        if close := getattr(connection, "close_pool", None):
            close()


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sojourn_web.settings")
os.environ.setdefault("SOJOURN_SERVES", "1")
application = get_asgi_application()
atexit.register(close_pools)
