"""Pages of figures. They read totals, cells and freshness from the statistics database, no more."""
