"""MUJOCO_GL, which MuJoCo and dm_control read once, as they are imported."""

import os
import sys

_VARIABLE, _TRIED = 'MUJOCO_GL', 'UNDERSTUDY_MUJOCO_GL'
_NONE = 'disable'
_OFF = ('', '0', 'disable', 'disabled', 'false', 'off')
_PATIENCE = 20.0  # Seconds.


def choose() -> None:
  """Sets it so that both can be imported, before either is.

  Nothing here draws, and with no value dm_control looks for a screen and warns
  where there is none. A person's own value stays, for an environment may need
  it; but both refuse to be imported where its library is missing, and nobody
  should be kept from training by that.
  """
  wanted = os.environ.get(_VARIABLE, '')
  # Whoever started this process may have tried it.
  is_tried = wanted == os.environ.get(_TRIED)
  if wanted in _OFF or not (is_tried or _loads()):
    wanted = _NONE
  os.environ[_VARIABLE] = os.environ[_TRIED] = wanted


def _loads() -> bool:
  import subprocess  # Slow, before anybody listens to signals, and rarely used.

  try:
    trial = subprocess.run(
      [sys.executable, '-c', 'import dm_control._render'],
      capture_output=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
  except subprocess.TimeoutExpired:
    return False
  return trial.returncode == 0
