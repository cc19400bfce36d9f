"""report.html: one page without scripts and without anything from elsewhere."""
