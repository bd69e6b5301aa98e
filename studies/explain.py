"""What a critic promises, and where a teacher points: see docs/results.md.

python -m studies.explain studies/figure6a-small.toml finger-spin

The first table sets what the critic says of the policy's actions beside what
the policy earns. The second asks the critic of the shipped teacher, at actions
at some distance from the teacher's own, whether its gradient leads back: the
first is made of cells, wherever they ran, the second of demonstrations here.
"""

from collections.abc import Iterator
import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from datasets.store import EpisodeStore
from launchers.environments.suite import Environment
from launchers.studies import config as study_config
from launchers.studies import file as study_file
from launchers.studies.archive import Archive
from launchers.studies.config import CELLS
from teachers import registry

_STATES = 4_000
_EPISODES = 10
_LAST = 3  # Reports of a cycle that a critic's figure is the mean of.
_LOGGED = ('teacher_fraction', 'teacher_cosine')


@dataclasses.dataclass(frozen=True)
class ExplainOptions:
  """Which runs.

  Attributes:
    study: its file; the runs must be finished.
    task: whose runs and teacher.
    runs: the directory that holds the run directories.
    cells: the directory that holds the files of finished runs.
  """

  study: tyro.conf.Positional[Path]
  task: tyro.conf.Positional[str]
  runs: Path = Path('runs')
  cells: Path = CELLS


def beliefs(
  study: study_config.Study, task: str, archive: Archive
) -> pd.DataFrame:
  """Means over seeds, a row each method and cycle.

  Returns:
    critic: Q(s, π(s)) by the critic, at the end of the cycle; earned: the mean
    return of the cycle's evaluations in the same units, reward per step over
    1 − γ; and what the method logs of its teacher, averaged over the cycle.
  """
  rows = []
  for cell in study.cells:
    if cell.task != task:
      continue
    result, reason = archive.find(cell)
    if result is None:
      raise study_config.StudyError(f'{cell.name} is {reason}: run it first.')
    horizon = cell.config.episode_steps * (1 - cell.config.agent.discount)
    for cycle in result.run.cycles[1:]:
      logged = cycle.phase('learn')
      rows.append({
        'teacher': cell.tier,
        'method': cell.method,
        'cycles': cell.cycles,
        'cycle': cycle.number,
        'critic': logged['q_mean'].tail(_LAST).mean(),
        'earned': cycle.evaluation['return_mean'].mean() / horizon,
        **{key: logged[key].mean() for key in _LOGGED if key in logged},
      })  # fmt: skip
  axes = ['teacher', 'method', 'cycles', 'cycle']
  return pd.DataFrame(rows).groupby(axes, sort=False).mean()


def directions(
  study: study_config.Study, task: str, runs: Path
) -> pd.DataFrame:
  """Where the gradients of the study's teachers point, a row each distance.

  Returns:
    distance: standard deviation of the noise on the teacher's action a*, [A];
    cosine: of dQ*/da at the noisy action with the way back to a*, on average;
    norm: the median norm of dQ*/da, in units of value per unit of action.
  """
  generator = np.random.default_rng(0)
  environment_task = Environment(task).task
  rows = []
  for tier, start in _starts(study, task):
    path = study_config.directory(runs, 'starts') / start / 'demonstrations'
    episodes = itertools.islice(EpisodeStore.open(path), _EPISODES)
    states = np.concatenate([e.observations[:-1] for e in episodes])
    states = states[generator.choice(len(states), _STATES, replace=False)]
    teacher = registry.load(f'{task}/{tier}', environment_task)
    own = teacher.actions(states)  # [N, A]
    for distance in (0.05, 0.1, 0.2, 0.5, 1.0):
      noise = distance * generator.standard_normal(own.shape)
      actions = np.clip(own + noise, -1, 1).astype(np.float32)  # [N, A]
      gradients = teacher.action_gradients(states, actions)  # [N, A]
      norms = np.linalg.norm(gradients, axis=1)  # [N]
      back = own - actions
      product = norms * np.linalg.norm(back, axis=1)
      some = product > 0
      cosine = np.sum(gradients * back, axis=1)[some] / product[some]
      rows.append((tier, distance, cosine.mean(), np.median(norms)))
  return pd.DataFrame(rows, columns=['teacher', 'distance', 'cosine', 'norm'])


def _starts(study: study_config.Study, task: str) -> Iterator[tuple[str, str]]:
  """One shared cycle 0 of each tier, by name."""
  cells = {c.tier: c for c in reversed(study.cells) if c.task == task}
  for tier, cell in cells.items():
    yield tier, cell.start.run_name


def main() -> None:
  """The command."""
  options = tyro.cli(ExplainOptions, description=__doc__)
  study = study_file.load(options.study)
  archive = Archive(options.runs, options.cells)
  believed = beliefs(study, options.task, archive)
  print(believed.round(2).to_string(na_rep=''))
  found = directions(study, options.task, options.runs)
  print(found.round(2).to_string(index=False))


if __name__ == '__main__':
  main()
