"""Writes episodes for other libraries: python -m launchers.export_data DATA.

A directory that stands alone: the data in the chosen format, and card.json,
which says what they are of. Its last line is JSON.
"""

from collections.abc import Iterator
import dataclasses
import json
from pathlib import Path
import shutil
from typing import Any, Literal

from rich.console import Console
import tyro

from datasets.store import EpisodeStore
from datasets.types import Episode
from datasets.validation import OneTask
from launchers import command_line, options
from launchers.display import progress_bar
from launchers.hosts import process


@dataclasses.dataclass(frozen=True)
class ExportDataConfig:
  """Writes the episodes of one or several directories as others read them."""

  data: tyro.conf.Positional[tuple[Path, ...]]
  """Directories of episodes, for instance runs/NAME/cycles/001/episodes."""
  output: Path
  """A directory that is not there yet."""
  format: Literal['hdf5', 'minari', 'd3rlpy', 'rlds'] = 'hdf5'
  """hdf5: a group an episode. minari: a dataset of Farama's. d3rlpy: what its
  ReplayBuffer.load takes. rlds: of tensorflow-datasets."""


def export_data(config: ExportDataConfig, console: Console) -> dict[str, Any]:
  """Writes the directory, whole or not at all.

  Returns:
    What was written, of JSON's types.

  Raises:
    FileNotFoundError: a directory holds no episodes.
    FileExistsError: the output is there.
    ValueError: the episodes are of two tasks, or one is not sound.
    DamagedFileError: an episode is torn or altered.
  """
  # h5py, which --help can do without.
  from datasets.formats import rlds, writing

  if not config.data:
    raise ValueError('No data: name a directory of episodes.')
  if config.output.exists():
    raise FileExistsError(
      f'{config.output} is there already: name another --output.'
    )
  stores = [EpisodeStore.open(path) for path in config.data]
  check = OneTask()
  first = stores[0].identities()[:1]
  for _ in stores[0].checked(check, first):
    pass
  if check.task is None:
    raise ValueError(f'{config.data[0]} has no episode that says its task.')
  aside = config.output.with_name(f'.{config.output.name}.aside')
  shutil.rmtree(aside, ignore_errors=True)  # Of one that was killed.
  aside.mkdir(parents=True)
  found: dict[str, Any] = {'episodes': 0, 'transitions': 0, 'policies': set()}
  with progress_bar(console) as progress:
    bar = progress.add_task(
      'exporting', total=sum(map(len, stores)), unit='episodes'
    )

    def episodes() -> Iterator[Episode]:
      for store in stores:
        for episode in store.checked(check):
          found['episodes'] += 1
          found['transitions'] += episode.num_steps
          found['policies'].add(episode.policy)
          progress.update(bar, advance=1)
          yield episode

    writers = {
      'hdf5': writing.write_hdf5, 'minari': writing.write_minari,
      'd3rlpy': writing.write_d3rlpy, 'rlds': rlds.write,
    }  # fmt: skip
    writers[config.format](episodes(), check.task, aside)
  card = {
    'format': config.format, 'data': [str(path) for path in config.data],
    **found, 'policies': sorted(found['policies']),
    'task': check.task.to_json(),
    'actions': 'in [-1, 1], for the low and the high of each action',
  }  # fmt: skip
  text = json.dumps(card, indent=2) + '\n'
  (aside / 'card.json').write_text(text, encoding='utf-8')
  aside.rename(config.output)
  return {'output': str(config.output), **found, 'policies': card['policies']}


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(ExportDataConfig, 'launchers.export_data')
    process.prepare_environment()
    return export_data(config, console)

  return options.run_command(console, work)


if __name__ == '__main__':
  raise SystemExit(main())
