"""dm_control's manipulation and locomotion environments, by their names."""

from collections.abc import Callable, Iterator
import contextlib
from typing import Any
from unittest import mock

from dm_control import composer, manipulation
from dm_control.locomotion.examples import (
  basic_cmu_2019,
  basic_rodent_2020,
  cmu_2020_tracking,
)
import numpy as np

MANIPULATION = tuple(
  name for name in manipulation.ALL if not name.endswith('_vision')
)
"""Those whose observations are features; the others see by a camera alone."""


def _locomotion() -> dict[str, Callable[..., composer.Environment]]:
  """The functions that dm_control's examples define."""
  modules = (basic_cmu_2019, basic_rodent_2020, cmu_2020_tracking)
  return {
    name: function
    for module in modules
    for name, function in vars(module).items()
    if getattr(function, '__module__', '') == module.__name__
    and name.split('_')[0] in ('cmu', 'rodent')
  }


LOCOMOTION = _locomotion()
"""What makes an environment, by its name."""


def load(room: str, name: str, seed: int) -> composer.Environment:
  """One of them, without its cameras.

  Args:
    room: 'manipulation' or 'locomotion'.
    name: as dm_control has it.
    seed: of its random state.
  """
  # The mazes draw from NumPy's own generator when they are made.
  np.random.seed(seed)
  with _without_cameras():
    if room == 'manipulation':
      return manipulation.load(name, seed)
    return LOCOMOTION[name](random_state=seed)


@contextlib.contextmanager
def _without_cameras() -> Iterator[None]:
  """Switches cameras off in every composer environment that is made inside.

  Before it is made, for its constructor would draw the first picture, which
  takes a graphics library and the most of a step's time.
  """
  make = composer.Environment

  def make_blind(task: composer.Task, *args: Any, **kwargs: Any) -> Any:
    for name, observable in task.observables.items():
      if 'camera' in name.rpartition('/')[2]:
        observable.enabled = False
    return make(task, *args, **kwargs)

  with mock.patch.object(composer, 'Environment', make_blind):
    yield
