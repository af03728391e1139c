"""What Sojourn's speed and accuracy are, measured: ``make bench``. Not timed tests."""
