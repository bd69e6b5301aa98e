"""What runs: the commands, and room by room what they are made of."""

import os
import sys

from launchers.hosts import early

# Python looks for a module of this package to run it: `python -m launchers.X`.
if sys.argv[:1] == ['-m']:
  early.listen()

# dm_control looks for a screen when it is imported, and warns where there is
# none. Nothing here draws with it.
os.environ.setdefault('MUJOCO_GL', 'disable')
