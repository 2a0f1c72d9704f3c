"""`python -m mfexplore.cli`, where the command is not on the path."""

from __future__ import annotations

from mfexplore.cli import main

if __name__ == "__main__":
    main()
