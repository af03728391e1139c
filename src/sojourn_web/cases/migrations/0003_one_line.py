"""Three migrations that were written side by side, in one line again."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0002_applicant_visits"),
        ("cases", "0002_counsellor"),
        ("cases", "0002_papers"),
    ]
