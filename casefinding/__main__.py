"""`python -m casefinding`."""

from casefinding.cli import main

main()
