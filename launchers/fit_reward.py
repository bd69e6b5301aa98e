"""Fits a reward model: python -m launchers.fit_reward DATA --output M.npz.

It is a teacher then: --teacher 'teachers.reward_model:make?path=M.npz'. The
last line is JSON.
"""

from collections.abc import Mapping, Sequence
import dataclasses
import json
import os
from pathlib import Path
import sys
import time
from typing import Any, Optional

import numpy as np
from rich.console import Console
import tyro

from datasets import bounds, files
from datasets.store import EpisodeStore, file_name
from datasets.tasks import Task
from datasets.types import Episode, EpisodeId
from datasets.validation import OneTask
from launchers import command_line, options
from launchers.display import progress_bar
from launchers.hosts import process
from teachers import csv_table
from teachers.reward_model import Examples, FittingConfig, RewardModel

_HELD_OUT = 0.1  # Share of the episodes.
_MAX_SCORE = 1e9  # Its square is still a float32.


@dataclasses.dataclass(frozen=True)
class FitRewardConfig:
  """Fits a network r(s, a) to the rewards of episodes, or to a person's scores.

  A tenth of the episodes, at least one, is held out to measure the error.
  """

  data: tyro.conf.Positional[Path]
  """A directory of episodes, for instance runs/NAME/cycles/001/episodes."""
  output: Path
  """The model's file, replaced if it is there."""
  scores: Optional[Path] = None
  """A CSV file with the columns episode (the name of a file in DATA), step
  (from 0) and score (any number; of the state and the action of that step);
  None: the episodes' own rewards."""
  horizon: int = 1
  """Steps whose mean reward is fitted, from a step on: what an action does is
  often seen later only. Not for scores."""
  fitting: FittingConfig = dataclasses.field(default_factory=FittingConfig)

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(self, horizon=(1, None))
    if self.scores and self.horizon != 1:
      raise ValueError(f'horizon is {self.horizon}; it must be 1 for scores.')


def fit_reward(config: FitRewardConfig, console: Console) -> dict[str, Any]:
  """Fits the model and writes it.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types. The held-out error is the root of the mean
    square, in the rewards' units; 'explained' is the share of their variance
    that it leaves out, or None if they do not vary.

  Raises:
    ValueError: the options, the episodes or the scores do not fit.
    OSError: something cannot be read or written.
    files.DamagedFileError: an episode of DATA is torn or altered.
  """
  started = time.monotonic()
  _check_output(config.output)
  parts, task = _read(config)
  examples, held_out = _split(parts, config.fitting.seed)
  arrays = _fit(config, examples, held_out, console)
  metadata = {
    'action_size': examples.actions.shape[1],
    'config': json.loads(json.dumps(dataclasses.asdict(config), default=str)),
    'examples': len(examples.rewards),
  }
  if task is not None:
    metadata['task'] = task.to_json()
  model = RewardModel(config.output.stem, arrays, metadata)
  predicted = model.rewards(held_out.observations, held_out.actions)
  square = float(np.mean(np.square(predicted - held_out.rewards)))
  variance = float(np.var(held_out.rewards))
  files.write_bytes(config.output, model.to_bytes())
  console.print(
    f'{config.output}: held-out error {square**0.5:.4g}', soft_wrap=True
  )
  return {
    'episodes': len(parts),
    'examples': len(examples.rewards),
    'held_out': len(held_out.rewards),
    'held_out_error': square**0.5,
    'explained': 1 - square / variance if variance > 0 else None,
    'seconds': round(time.monotonic() - started, 3),
    'version': model.version,
    'output': str(config.output),
  }


def _check_output(path: Path) -> None:
  """Refuses a file that could not be written, before the fit.

  Raises:
    OSError: says why.
  """
  if path.is_dir():
    raise IsADirectoryError(
      f'--output {path} is a directory; name the file of the model, for '
      f'instance {path / "model.npz"}.'
    )
  files.make_directory(path.parent)
  if not os.access(path.parent, os.W_OK):
    raise PermissionError(
      f'--output {path}: nothing can be written to {path.parent}. Name another '
      'place.'
    )
  files.remove_aside(path.parent)


def _fit(
  config: FitRewardConfig,
  examples: Examples,
  held_out: Examples,
  console: Console,
) -> dict[str, np.ndarray]:
  from teachers import reward_fitting  # TensorFlow, which --help does without.

  with progress_bar(console) as progress:
    bar = progress.add_task('fitting', total=config.fitting.steps, unit='')

    def show(step: int, error: float) -> None:
      unit = f'updates, held-out error {error:.4g}'
      progress.update(bar, completed=step, unit=unit)

    return reward_fitting.fit(config.fitting, examples, held_out, show)


def _read(config: FitRewardConfig) -> tuple[list[Examples], Optional[Task]]:
  """The examples of each episode that has any, by identity, and their task."""
  store = EpisodeStore.open(config.data)
  scores = None
  if config.scores is not None:
    scores = read_scores(config.scores, store)
  parts, check = [], OneTask()
  for episode in store.checked(check, scores):
    if scores is None:
      parts.append(_logged(episode, config.horizon))
    else:
      parts.append(_scored(episode, scores[episode.identity]))
  longest = max((len(part.rewards) for part in parts), default=0)
  if scores is None and config.horizon > longest > 0:
    raise ValueError(
      f'horizon is {config.horizon}, but the longest episode in {config.data} '
      f'has {longest} steps; give at most as many.'
    )
  return parts, check.task


def _logged(episode: Episode, horizon: int) -> Examples:
  sums = np.concatenate([[0], np.cumsum(episode.rewards, dtype=np.float64)])
  steps = np.arange(episode.num_steps)
  ends = np.minimum(steps + horizon, episode.num_steps)
  means = (sums[ends] - sums[steps]) / (ends - steps)
  return Examples(
    episode.observations[:-1], episode.actions, means.astype(np.float32)
  )


def read_scores(
  path: Path, store: EpisodeStore
) -> Mapping[EpisodeId, Sequence[tuple[csv_table.Row, float]]]:
  """The rows of a table of scores, by episode.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it is no table of scores of these episodes; names the line.
  """
  names = {file_name(identity): identity for identity in store.digests()}
  scores: dict[EpisodeId, list[tuple[csv_table.Row, float]]] = {}
  for row in csv_table.read(path, ['episode', 'step', 'score']):
    identity = names.get(row.text('episode'))
    if identity is None:
      raise row.error(
        f'{store.directory} holds no episode {row.text("episode")!r} (its '
        'files are the episodes)'
      )
    score = row.number('score', -_MAX_SCORE, _MAX_SCORE)
    scores.setdefault(identity, []).append((row, score))
  return scores


def _scored(
  episode: Episode,
  scores: Sequence[tuple[csv_table.Row, float]],
) -> Examples:
  steps = []
  for row, _ in scores:
    step = row.number('step', 0, episode.num_steps - 1)
    if step != int(step):
      raise row.error(f'step is {step}; it must be a whole number')
    steps.append(int(step))
  return Examples(
    episode.observations[steps],
    episode.actions[steps],
    np.array([score for _, score in scores], np.float32),
  )


def _split(parts: Sequence[Examples], seed: int) -> tuple[Examples, Examples]:
  """Whole episodes are held out: the steps of one resemble each other."""
  if len(parts) < 2:
    raise ValueError(
      f'There are examples in {len(parts)} episodes; it takes at least 2, of '
      'which one is held out to measure the error.'
    )
  order = np.random.default_rng(seed).permutation(len(parts))
  count = max(1, round(_HELD_OUT * len(parts)))
  first, second = (
    Examples(
      np.concatenate([parts[i].observations for i in chosen]),
      np.concatenate([parts[i].actions for i in chosen]),
      np.concatenate([parts[i].rewards for i in chosen]),
    )
    for chosen in (order[count:], order[:count])
  )
  return first, second


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(FitRewardConfig, 'launchers.fit_reward')
    return fit_reward(config, console)

  return options.run_command(console, work)


if __name__ == '__main__':
  sys.exit(main())
