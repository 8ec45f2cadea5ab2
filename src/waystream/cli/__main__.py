"""`python -m waystream.cli`."""

from waystream.cli import main

main()
