"""A trained policy as plain arrays: NumPy alone, no pickle, no TensorFlow."""

from collections.abc import Mapping, Sequence
import threading
from typing import Any, NamedTuple, Optional

import numpy as np

from agents.deployed import forms, layers, npz
from agents.deployed.form import Form
from datasets.tasks import Task
from datasets.types import EnvironmentSpec

_KIND = 'understudy-snapshot-1'
_NAME, _IDENTITY = 'task', 'task_identity'
"""Of a task in the metadata; older files have its name alone, or nothing."""
_FORM = 'form'
"""Of a policy in the metadata, unless it is the default one."""


class Policy:
  """A policy of one of the `forms`, which says what its arrays do.

  Any thread may call it, and several at once.

  Attributes:
    form: its name.
    spec: the widths that it takes and gives.
    digest: of the arrays alone.
    task: what it acts in; None if nobody said.
  """

  def __init__(
    self,
    arrays: Mapping[str, np.ndarray],
    task: Optional[Task] = None,
    form: str = forms.DEFAULT,
  ):
    """Checks the arrays and takes them over.

    Args:
      arrays: by name, those of its form. All float32.
      task: what it acts in, if it is known.
      form: one of `forms.FORMS`.

    Raises:
      ValueError: something is missing, superfluous, misshapen or not finite,
        the task has other widths, or there is no such form.
    """
    self.form = form
    self._arrays = {
      name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)
    }
    self.spec: EnvironmentSpec = forms.find(form).check(self._arrays)
    if task is not None and task.spec != self.spec:
      raise ValueError(
        f'The policy has the widths {tuple(self.spec)}, but its task '
        f'{task.name} has {tuple(task.spec)}.'
      )
    self.task = task
    self.digest = layers.digest(self._arrays)
    self._local = threading.local()

  @property
  def arrays(self) -> Mapping[str, np.ndarray]:
    """The weights by name."""
    return self._arrays

  def __call__(self, observation: np.ndarray) -> np.ndarray:
    """Maps [S] or [B, S] to actions [A] or [B, A] in [-1, 1], float32.

    Nothing is drawn: of a distribution it is the mean. A row's action depends,
    bit for bit, on B but not on the other rows.
    """
    batch = observation[None] if observation.ndim == 1 else observation
    if batch.ndim != 2 or batch.shape[1] != self.spec.observation_size:
      raise ValueError(
        f'The observation has shape {observation.shape}; this policy takes '
        f'({self.spec.observation_size},), or a batch of them.'
      )
    actions = self._act(batch)
    return actions[0] if observation.ndim == 1 else actions

  def of(self, task: Task) -> 'Policy':
    """The same policy, of the same digest, which carries its task.

    Raises:
      ValueError: the task has other widths.
    """
    return Policy(self._arrays, task, self.form)

  @staticmethod
  def stack(policies: Sequence['Policy'], rows: int) -> Form:
    """Several policies of one form and one shape, which act in one pass.

    Args:
      policies: at least one.
      rows: how many observations each of them gets at a time.
    """
    arrays = [policy.arrays for policy in policies]
    return forms.find(policies[0].form)(arrays, rows)

  def to_bytes(self) -> bytes:
    """The policy as an .npz file, its task included."""
    return Snapshot(self, {}, {}).to_bytes()

  @classmethod
  def from_bytes(cls, data: bytes) -> 'Policy':
    """Reads a policy, or the policy of a snapshot.

    Raises:
      ValueError: the bytes are no policy; the message says why.
    """
    return Snapshot.from_bytes(data).policy

  def _act(self, batch: np.ndarray) -> np.ndarray:
    """[B, S] to [B, A], with buffers of this thread for the last B it used."""
    rows, actor = getattr(self._local, 'last', (None, None))
    if actor is None or rows != len(batch):
      actor = self.stack([self], len(batch))
      self._local.last = len(batch), actor
    return actor(batch[None])[0]


class Snapshot(NamedTuple):
  """A trained agent: its policy, its critic and where they came from.

  Attributes:
    policy: the policy.
    critic: the critic's arrays by name; empty when there is none.
    metadata: free, of JSON's types; 'task' is the task's name, and
      'task_identity' all of it, and 'form' the form, as the policy says.
  """

  policy: Policy
  critic: dict[str, np.ndarray]
  metadata: dict[str, Any]

  def to_bytes(self) -> bytes:
    """The snapshot as an .npz file, which `Policy.from_bytes` reads too."""
    arrays = {f'policy/{k}': v for k, v in self.policy.arrays.items()}
    arrays.update({f'critic/{k}': v for k, v in self.critic.items()})
    metadata, task = {**self.metadata}, self.policy.task
    metadata.pop(_FORM, None)  # The policy may be another than it came with.
    if self.policy.form != forms.DEFAULT:
      metadata[_FORM] = self.policy.form
    if task is not None:
      metadata |= {_NAME: task.name, _IDENTITY: task.to_json()}
    return npz.pack(arrays, metadata, _KIND)

  def of(self, task: Task) -> 'Snapshot':
    """The same snapshot, which carries its task; see `Policy.of`."""
    return self._replace(policy=self.policy.of(task))

  @classmethod
  def from_bytes(cls, data: bytes) -> 'Snapshot':
    """Reads what `to_bytes` wrote.

    Raises:
      ValueError: the bytes are no snapshot; the message says why.
    """
    arrays, metadata = npz.unpack(data, _KIND)
    parts: dict[str, dict[str, np.ndarray]] = {'policy': {}, 'critic': {}}
    for name, array in arrays.items():
      part, _, rest = name.partition('/')
      if part not in parts or not rest:
        raise ValueError(f'Array {name!r} belongs to no policy or critic.')
      parts[part][rest] = array
    form = metadata.get(_FORM, forms.DEFAULT)
    policy = Policy(parts['policy'], form=form)
    task = _task_of(metadata, policy.spec)
    if task is not None:
      policy = policy.of(task)
    return cls(policy, parts['critic'], metadata)


def _task_of(
  metadata: Mapping[str, Any], spec: EnvironmentSpec
) -> Optional[Task]:
  if _IDENTITY in metadata:
    return Task.from_json(metadata[_IDENTITY])
  name = metadata.get(_NAME)
  if not name or not isinstance(name, str):
    return None
  return Task(name.replace(':', '-'), *spec)
