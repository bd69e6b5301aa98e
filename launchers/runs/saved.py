"""What of a run is saved at this moment, for a person who has stopped it."""

from pathlib import Path

from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

_FEW = 5  # Files that a sentence names.


def describe(config: GrowingBatchConfig, directory: RunDirectory) -> str:
  """One sentence: the cycles, the present one's episodes and learner steps."""
  cycle = directory.finished_cycles(config.cycles)
  if cycle > config.cycles:
    return f'Saved: all cycles, 0 to {config.cycles}.'
  kept = 'demonstrations' if cycle == 0 else f'cycles/{cycle:03d}/episodes'
  episodes = _count(directory.root / kept)
  unadvised = _count(directory.cycle(cycle) / 'unadvised')
  waiting = f' ({unadvised} more wait for a teacher)' if unadvised else ''
  steps = [
    int(path.name.removeprefix('step_'))
    for path in directory.learner(cycle).glob('step_*')
    if path.name.removeprefix('step_').isdigit()
  ]
  learner = f'its learner at step {max(steps):,}' if steps else 'no learner yet'
  cycles = f'{cycle} whole cycle{"s" * (cycle != 1)}'
  return (
    f'Saved: {cycles}; of cycle {cycle}, {episodes} of '
    f'{config.episodes_in(cycle)} episodes{waiting} and {learner}.'
  )


def set_aside(directory: RunDirectory) -> str:
  """A sentence on what is kept out of the run's way; '' where nothing is."""
  found = directory.set_aside()
  if not found:
    return ''
  names = ', '.join(map(str, found[:_FEW]))
  more = f' and {len(found) - _FEW} more' if len(found) > _FEW else ''
  return (
    'Set aside, as damaged or not of this run, and made again where it can be: '
    f'{names}{more}. The logs say what is wrong with them.'
  )


def _count(directory: Path) -> int:
  return sum(1 for _ in directory.glob('*.npz'))
