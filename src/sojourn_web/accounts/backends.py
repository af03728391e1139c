"""Who may sign in: allauth's rules, and no demo account outside a demo."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from asgiref.sync import sync_to_async

from sojourn_web.accounts.installation import is_demo
from sojourn_web.accounts.models import DemoPerson


class OfficeBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    def user_can_authenticate(self, user: Any) -> bool:
        if not super().user_can_authenticate(user):
            return False
        return is_demo() or not DemoPerson.objects.filter(user=user).exists()

    def get_user(self, user_id: Any) -> Any:
        """Sessions too: a demo's session ends where its database is used as an office's. Django's
        own asks ``user_can_authenticate``: asked here once more, it would be two queries a page."""
        return super().get_user(user_id)

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        """None: roles are rules (``roles``), so Django's tables of permissions are not read."""
        return set()

    async def aget_user(self, user_id: Any) -> Any:
        return await sync_to_async(self.get_user)(user_id)
