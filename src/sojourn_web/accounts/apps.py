from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sojourn_web.accounts"
    label = "accounts"
