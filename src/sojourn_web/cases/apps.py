from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "sojourn_web.cases"
    label = "cases"
