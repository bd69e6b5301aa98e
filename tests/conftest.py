"""What holds for every test."""

import os

import pytest

# Before TensorFlow is imported by anything: the speed and the numerics that
# the programs have, and no log lines between the dots.
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('MUJOCO_GL', 'disabled')


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
