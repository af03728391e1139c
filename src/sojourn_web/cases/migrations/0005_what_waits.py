"""Indexes of lists, and of what waits: few rows of many, looked for on each page of today."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0004_invitation"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="case",
            name="case_by_change",
        ),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                condition=models.Q(("conflicts_with__isnull", False), ("settled_at", None)),
                fields=["made_at"],
                name="answered_twice",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("erased_at", None)),
                fields=["office", "-state_since", "id"],
                name="case_list",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("erased_at", None)),
                fields=["office", "state", "-state_since", "id"],
                name="case_list_of_state",
            ),
        ),
        migrations.AddIndex(
            model_name="clockstop",
            index=models.Index(
                condition=models.Q(("started_at", None)), fields=["stopped_at"], name="clock_stands"
            ),
        ),
        migrations.AddIndex(
            model_name="complaint",
            index=models.Index(
                condition=models.Q(("answered_at", None)), fields=["made_at"], name="complaint_open"
            ),
        ),
        migrations.AddIndex(
            model_name="followup",
            index=models.Index(
                condition=models.Q(("done_at", None)), fields=["due_on"], name="to_follow_up"
            ),
        ),
        migrations.AddIndex(
            model_name="screening",
            index=models.Index(
                condition=models.Q(("replaced_at", None), ("result", "asked")),
                fields=["made_at"],
                name="screening_asked",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("done_at", None)),
                fields=["for_user_id", "due_on"],
                name="task_to_do",
            ),
        ),
    ]
