"""`python -m chainrule.cli`: the command itself."""

from chainrule.cli import main

main()
