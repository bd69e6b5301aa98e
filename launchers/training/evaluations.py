"""What the policies of a training are worth: returns, snapshots, the best."""

from collections.abc import Callable, Mapping
import math
from pathlib import Path
import time
from typing import Any, Optional, Union

import numpy as np

from agents.base import Networks
from agents.deployed.policy import Policy
from datasets import files
from launchers.acting import rollouts
from launchers.acting.outcomes import IsStopping, split, summary
from launchers.acting.places import Places
from launchers.runs.offline_config import OfflineConfig
from launchers.runs.online_config import OnlineConfig
from launchers.runs.tables import Cell, Table

COLUMNS = (
  'episodes', 'actor_steps', 'learner_steps', 'return_mean', 'return_std',
  'return_low', 'critic_loss', 'seconds',
)  # fmt: skip


class OnlineEvaluations:
  """Of a training by interaction, in returns.csv and snapshots/."""

  def __init__(
    self,
    config: OnlineConfig,
    root: Path,
    places: Places,
    tell: Callable[[str], None],
    is_stopping: IsStopping,
  ):
    """Goes on with what is there; see `OnlineTrainer` for the arguments."""
    self._config = config
    self._root = files.make_directory(root)
    self._places = places
    self._task = places.description.task
    self._tell = tell
    self._is_stopping = is_stopping
    self._table = Table(root / 'returns.csv', COLUMNS, ('episodes',))
    rows = self._table.rows
    self._seconds_before = float(rows[-1]['seconds']) if rows else 0.0
    self._started = time.monotonic()

  def last_return(self) -> str:
    """The newest evaluation, for a person."""
    if not self._table.rows:
      return 'none yet'
    row = self._table.rows[-1]
    if not row['return_mean']:
      return 'none, for all its episodes failed'
    return f'{float(row["return_mean"]):.0f} ± {float(row["return_std"]):.0f}'

  def best(self) -> Mapping[str, str]:
    """The row of the evaluation that is best for sure; {} where none is."""
    rows = [row for row in self._table.rows if np.isfinite(_low(row))]
    return max(rows, key=_low, default={})

  def run(self, networks: Networks, counts: Mapping[str, Any]) -> None:
    """Adds a row and a snapshot, unless that many episodes have theirs.

    Args:
      networks: the policy, and its critic if it has one.
      counts: `episodes` and whatever else the row is to hold.

    Raises:
      ActingStoppedError: it is given up.
    """
    known = {int(row['episodes']) for row in self._table.rows}
    if counts['episodes'] in known:
      return
    returns, failures = _evaluate(
      self._config, self._places, networks.export(), counts['episodes'],
      self._is_stopping,
    )  # fmt: skip
    for reason in failures:
      self._tell(f'An evaluation failed: {reason}')
    now = time.monotonic()
    row: dict[str, Cell] = {
      **counts,
      'seconds': self._seconds_before + now - self._started,
      **_statistics(returns),
    }
    self._save_snapshot(networks, row)
    self._table.add(row)

  def _save_snapshot(self, networks: Networks, row: Mapping[str, Cell]) -> None:
    metadata = {
      **row,
      'seed': self._config.seed,
      'evaluation_episodes': self._config.evaluation_episodes,
      'config': self._config.to_json(),
    }
    snapshot = networks.snapshot(metadata).of(self._task)
    directory = self._root / 'snapshots'
    directory.mkdir(exist_ok=True)
    data = snapshot.to_bytes()
    files.write_bytes(directory / f'episode_{row["episodes"]:05d}.npz', data)
    if _low(row) > _low(self.best()):
      files.write_bytes(self._root / 'best.npz', data)


class OfflineEvaluations:
  """Of a training from files, in evaluation.csv.

  Attributes:
    task: what they are acted in.
    last_return: the mean of the newest; None of none, or where all failed.
  """

  def __init__(self, config: OfflineConfig):
    """Makes nothing yet.

    Args:
      config: of the command; it names a task.

    Raises:
      ValueError: there is no such environment, or none can learn in it.
    """
    self._config = config
    self._places = Places(config.task, config.action_bound)
    self.task = self._places.description.task
    self.last_return: Optional[float] = None

  def __str__(self) -> str:
    mean = self.last_return
    return 'every episode failed' if mean is None else f'{mean:.1f}'

  def is_due(self, steps: int) -> bool:
    """Whether it is time for one."""
    is_last = steps >= self._config.learner_steps
    return steps > 0 and (
      is_last or steps % self._config.evaluation_interval == 0
    )

  def run(
    self, root: Path, steps: int, networks: Networks, is_stopping: IsStopping
  ) -> None:
    """Adds a row, unless the step has one.

    Args:
      root: the directory of the run.
      steps: of the learner.
      networks: after them; their companions have columns of their own.
      is_stopping: asked every few steps of an environment.

    Raises:
      ActingStoppedError: it is given up.
    """
    table = Table(root / 'evaluation.csv', ('step', 'episodes'), ('step',))
    known = [row for row in table.rows if int(row['step']) == steps]
    if known:
      mean = known[0].get('return_mean')
      self.last_return = float(mean) if mean else None
      return
    row: dict[str, Cell] = {'step': steps}
    policies = {'': networks.export(), **networks.companions()}
    for name, policy in policies.items():
      returns, failures = _evaluate(
        self._config, self._places, policy, steps, is_stopping
      )
      self._places.refresh()
      results = {'failures': len(failures), **summary(returns)}
      prefix = f'{name}_' if name else ''
      row.update({f'{prefix}{key}': value for key, value in results.items()})
      if not name:
        self.last_return = summary(returns).get('return_mean')
    table.add(row)


def _evaluate(
  config: Union[OnlineConfig, OfflineConfig],
  places: Places,
  policy: Policy,
  number: int,
  is_stopping: IsStopping,
) -> tuple[list[float], list[str]]:
  """Returns without noise, and why episodes failed; `number` seeds them."""
  seeds = [
    rollouts.seed_for(config.seed, rollouts.EVALUATE, number, index)
    for index in range(config.evaluation_episodes)
  ]
  some = places.take(min(len(seeds), rollouts.LANES))
  return split(
    rollouts.evaluate(some, policy, config.episode_steps, seeds, is_stopping)
  )


def _statistics(returns: list[float]) -> dict[str, Union[float, str]]:
  """Of an evaluation; empty cells where too many episodes failed to tell."""
  if len(returns) < 2:
    return {
      'return_mean': returns[0] if returns else '',
      'return_std': 0.0 if returns else '',
      'return_low': '',
    }
  mean, std = float(np.mean(returns)), float(np.std(returns))
  # Two standard errors, of the unbiased deviation.
  low = mean - 2 * std / math.sqrt(len(returns) - 1)
  return {'return_mean': mean, 'return_std': std, 'return_low': low}


def _low(row: Mapping[str, Any]) -> float:
  """What the mean return surely is; -inf of no evaluation.

  The highest of many noisy means flatters: what it is of is rather lucky than
  good. Rows of older versions know their mean alone.
  """
  known = row.get('return_low', row.get('return_mean', ''))
  return float(known) if known != '' else -math.inf
