"""What runs: the commands, and room by room what they are made of."""

import logging
import os

import absl.logging  # noqa: F401  (makes its logger, of a class of its own)

# dm_control looks for a screen when it is imported, and warns where there is
# none. Nothing here draws with it.
os.environ.setdefault('MUJOCO_GL', 'disable')


def _is_of_use(record: logging.LogRecord) -> bool:
  """Not what MuJoCo says of the suite's own model files, which are not ours."""
  return "compiler attribute 'settotalmass'" not in str(record.msg)


logging.getLogger('absl').addFilter(_is_of_use)
