"""What runs: the commands, and room by room what they are made of."""

import os

# dm_control looks for a screen when it is imported, and warns where there is
# none. Nothing here draws with it.
os.environ.setdefault('MUJOCO_GL', 'disable')
