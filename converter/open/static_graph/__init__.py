"""Static graphs: programs, combined parameter files, and folders with one file per variable."""
