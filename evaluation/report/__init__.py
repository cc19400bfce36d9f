"""An evaluation for people and for CI: the table of the terminal, report.json, report.html, junit.xml."""
