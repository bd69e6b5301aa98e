"""What runs: the commands, and room by room what they are made of."""

import sys

from launchers.hosts import early, graphics

# Python looks for a module of this package to run it: `python -m launchers.X`.
if sys.argv[:1] == ['-m']:
  early.print_anything()
  early.listen()

graphics.choose()
