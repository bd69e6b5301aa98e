"""What holds for every test."""

from collections.abc import Iterator
import os
import signal

import pytest

# Before TensorFlow is imported by anything: the speed and the numerics that
# the programs have, and no log lines between the dots.
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('MUJOCO_GL', 'disabled')

# A program that is started with & or nohup ignores them, and so do those that
# it starts. Tests ask programs to stop.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
  """Takes back what a command that ran in this process has set.

  The programs that later tests start would inherit it: of one thread for BLAS,
  for instance, products differ in their last bits.
  """
  before = dict(os.environ)
  yield
  if dict(os.environ) != before:
    os.environ.clear()
    os.environ.update(before)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
  """Lets tests that start a program's nodes run one at a time.

  They have deadlines, and two at once would double each other's start-up. With
  `--dist loadgroup` a group stays with one worker; it comes first, so that the
  other worker does all the rest meanwhile.
  """
  for item in items:
    if item.get_closest_marker('processes'):
      item.add_marker(pytest.mark.xdist_group('processes'))
  items.sort(key=lambda item: item.get_closest_marker('processes') is None)
