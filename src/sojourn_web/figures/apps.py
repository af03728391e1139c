from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "sojourn_web.figures"
    label = "figures"
