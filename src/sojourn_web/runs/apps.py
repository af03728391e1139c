from django.apps import AppConfig
from django.conf import settings


class RunsConfig(AppConfig):
    name = "sojourn_web.runs"
    label = "runs"

    def ready(self) -> None:
        """Bodies on their way in wait here, for nobody else to read."""
        settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
