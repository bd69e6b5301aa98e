"""A network r(s, a), fitted to rewards or scores, that says where it rises.

teachers.reward_model:make?path=model.npz

Section A's first example of teacher gradients: dr/da. `launchers.fit_reward`
makes the file.
"""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.deployed import npz
from agents.deployed.critic import Critic
from datasets import bounds
from teachers.base import Task, Teacher

_KIND = 'understudy-reward-model-1'


class Examples(NamedTuple):
  """What a reward model is fitted to, in N rows.

  Attributes:
    observations: [N, S] float32.
    actions: [N, A] float32 in [-1, 1].
    rewards: [N] float32, of any scale.
  """

  observations: np.ndarray
  actions: np.ndarray
  rewards: np.ndarray


@dataclasses.dataclass(frozen=True)
class FittingConfig:
  """How the network is fitted."""

  layer_sizes: tuple[int, ...] = (128, 128)
  """Widths of the hidden layers."""
  steps: int = 5_000
  """Updates."""
  batch_size: int = 256
  """Examples of an update."""
  learning_rate: float = 1e-3
  """Of Adam."""
  evaluation_interval: int = 250
  """Updates between two measurements of the held-out error; the weights of the
  best one are kept."""
  seed: int = 0
  """Of the initial weights, the batches and the choice of what is held out."""

  def __post_init__(self) -> None:
    """Refuses values that no fit could honour."""
    bounds.check(
      self, layer_sizes=bounds.WIDTH, steps=(1, None),
      batch_size=(1, 10_000_000), learning_rate=(bounds.ABOVE_0, 1e6),
      evaluation_interval=(1, None), seed=bounds.SEED,
    )  # fmt: skip
    if not self.layer_sizes:
      raise ValueError('layer_sizes is (); it needs one or more widths.')


class RewardModel(Teacher):
  """A fitted r(s, a); advises to go where it rises.

  Attributes:
    metadata: where it came from.
  """

  def __init__(
    self, name: str, arrays: dict[str, np.ndarray], metadata: dict[str, Any]
  ):
    """Checks the arrays and takes them over.

    Args:
      name: see `Teacher`.
      arrays: of `agents.deployed.critic.Critic`, without atoms.
      metadata: of JSON's types; its 'action_size' is A, its 'task', if it has
        one, that of the examples.

    Raises:
      ValueError: the arrays or the metadata make no reward model.
    """
    size = metadata.get('action_size')
    if not isinstance(size, int) or 'atoms' in arrays:
      raise ValueError(
        f'A reward model has no atoms and an action_size, not {size!r}.'
      )
    self._arrays = arrays
    self._critic = Critic(arrays, size)
    self.metadata = metadata
    task = Task.from_json(metadata['task']) if 'task' in metadata else None
    super().__init__(
      name, self._critic.digest, self._critic.observation_size, size, task
    )

  def rewards(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """r(s, a), [B] float32, of [B, S] and [B, A] float32."""
    return self._critic.value(observations, actions)

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """See `Teacher.action_gradients`: dr/da."""
    return self._critic.value_and_gradient(observations, actions)[1]

  def to_bytes(self) -> bytes:
    """The model as an .npz file."""
    return npz.pack(self._arrays, self.metadata, _KIND)


def make(task: Task, path: str) -> RewardModel:
  """Reads a reward model of this task.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it is no reward model; says why.
  """
  file = Path(path)
  if not file.is_file():
    raise FileNotFoundError(
      f'There is no reward model {path} for {task.name}. Make one with '
      '`python -m launchers.fit_reward EPISODES --output MODEL.npz`.'
    )
  try:
    arrays, metadata = npz.unpack(file.read_bytes(), _KIND)
    return RewardModel(f'reward_model/{file.stem}', arrays, metadata)
  except ValueError as error:
    raise ValueError(f'{path} is no reward model: {error}') from error
