"""A report for people and for CI: report.html, junit.xml and the summary. All are made from what report.json holds."""
