from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "sojourn_web.cases"
    label = "cases"

    def ready(self) -> None:
        """Compile what was translated since; Django reads compiled catalogues alone."""
        from sojourn_web.cases.applicant.catalogues import build

        build()
