"""Who may sign in: allauth's rules, and no demo account outside a demo."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from sojourn_web.accounts.installation import is_demo


class OfficeBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    def user_can_authenticate(self, user: Any) -> bool:
        if not super().user_can_authenticate(user):
            return False
        # Read with the user where a session asks: a query less for each page.
        return not hasattr(user, "demoperson") or is_demo()

    def get_user(self, user_id: Any) -> Any:
        """Sessions too: a demo's session ends where its database is used as an office's."""
        found = get_user_model()._default_manager.select_related("demoperson").filter(pk=user_id)
        user = found.first()
        return user if user and self.user_can_authenticate(user) else None

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        """None: roles are rules (``roles``), so Django's tables of permissions are not read."""
        return set()

    async def aget_user(self, user_id: Any) -> Any:
        return await sync_to_async(self.get_user)(user_id)
