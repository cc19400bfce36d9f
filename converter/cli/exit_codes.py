"""The one table of exit codes."""

#: 1 is for verify alone: it found OUTPUT wrong. STOPPED is everything else that ends the work.
DONE, OUTPUT_IS_WRONG, STOPPED = 0, 1, 2
