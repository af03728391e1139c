"""Who counselled a case when its person complained."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_what_waits"),
    ]

    operations = [
        migrations.AddField(
            model_name="complaint",
            name="counsellor_id",
            field=models.BigIntegerField(null=True),
        ),
    ]
