"""The ASGI application."""

import os
import warnings

from django.core.asgi import get_asgi_application

# WhiteNoise hands files over synchronously; they are small and few.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sojourn_web.settings")
application = get_asgi_application()
