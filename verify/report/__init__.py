"""Results for people, programs and CI: report.json, report.html, junit.xml, the summary and the terminal's table."""
