"""A job in several processes: `parts` divides it and merges the answers, `together` runs the processes, `counted` makes
one line of their progress, `commands` has how each side's process is started."""
