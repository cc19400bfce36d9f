"""`python -m paddle2torch`: the command."""

from converter.__main__ import main

if __name__ == "__main__":
    main()
