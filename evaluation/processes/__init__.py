"""A job in several processes: `parts` divides it and merges the answers, `paddle` asks Paddle's side, `counted` makes
one line of their progress, `resources` has the threads and the memory of each."""
