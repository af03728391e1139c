from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "sojourn_web.cases"
    label = "cases"

    def ready(self) -> None:
        """Compile what was translated since, for Django reads compiled catalogues alone; pack
        the styles."""
        from sojourn_web.cases.applicant.catalogues import build
        from sojourn_web.cases.applicant.packing import pack_styles

        build()
        pack_styles()
