"""Takes a policy out of a run: python -m launchers.export RUN --cycle K.

Writes a directory that stands alone: the policy in the chosen format, card.json
and MODEL_CARD.md (where it came from), and vectors.npz (to check it by).
"""

from collections.abc import Sequence
import dataclasses
from pathlib import Path
import shutil
from typing import TYPE_CHECKING, Any, Literal, Optional

import numpy as np
from rich.console import Console
import tyro

from datasets import bounds
from datasets.tasks import Task
from launchers import command_line, options
from launchers.hosts import process
from launchers.runs.run_directory import RunDirectory

if TYPE_CHECKING:
  from launchers.exports.network import Step

Format = Literal['npz', 'c', 'onnx', 'tflite', 'savedmodel']


@dataclasses.dataclass(frozen=True)
class ExportConfig:
  """Writes the policy of a cycle as files that other programs load."""

  run: tyro.conf.Positional[Path]
  """A run directory, runs/NAME."""
  cycle: Optional[int] = None
  """The cycle that published it; None: the last that did."""
  format: Format = 'npz'
  """npz: arrays that NumPy reads, as examples/controller does. c: a header that
  any C99 compiler takes. onnx: of opset 17. tflite and savedmodel:
  TensorFlow's."""
  output: Optional[Path] = None
  """A directory that is not there yet; None: RUN/exports/CYCLE-FORMAT."""
  vectors: int = 64
  """Observations to check it by."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(self, cycle=(0, None), vectors=(1, 100_000))


def export(config: ExportConfig) -> dict[str, Any]:
  """Writes the directory.

  Returns:
    Where it is, and the policy's digest.

  Raises:
    FileNotFoundError: there is no such run, cycle or policy.
    FileExistsError: the output is there.
    ValueError: the format cannot hold the policy.
  """
  from launchers.exports import card, network, plain

  directory = RunDirectory(config.run)
  cycle = _cycle(directory, config.cycle)
  policy = directory.policy(cycle)
  if policy is None:
    raise FileNotFoundError(
      f'Cycle {cycle} of {config.run} has no policy (yet): name an earlier one.'
    )
  task = policy.task
  if task is None:
    raise ValueError(f'The policy of {config.run} does not say its task.')
  output = config.output or (
    config.run / 'exports' / f'{cycle:03d}-{config.format}'
  )
  if output.exists():
    raise FileExistsError(f'{output} is there already: name another --output.')
  aside = output.with_name(f'.{output.name}.aside')
  shutil.rmtree(aside, ignore_errors=True)  # Of one that was killed.
  aside.mkdir(parents=True)
  observations, actions = card.vectors(policy, directory, cycle, config.vectors)
  np.savez(aside / 'vectors.npz', observations=observations, actions=actions)
  title = f'{config.run.name}, cycle {cycle}, policy {policy.digest}'
  steps = (
    network.steps_of(policy)
    if config.format != 'npz' or network.is_fixed(policy)
    else []
  )
  listed = None
  if config.format == 'npz':
    (aside / 'policy.npz').write_bytes(policy.to_bytes())
    listed = plain.write(steps, aside / 'network.npz') if steps else None
  elif config.format == 'c':
    _write_c(aside, steps, task, title, observations, actions)
  else:
    _write_graph(aside, config.format, steps, task, title)
  made = card.of(directory, cycle, policy, task, config.format)
  card.write(aside, {**made, 'network': listed})
  aside.rename(output)
  return {'output': str(output), 'cycle': cycle, 'digest': policy.digest}


def _write_c(
  directory: Path,
  steps: 'Sequence[Step]',
  task: Task,
  title: str,
  observations: np.ndarray,
  actions: np.ndarray,
) -> None:
  """The header, and a program that compares it with the vectors."""
  from launchers.exports import c_header, card

  text = c_header.header(steps, task, title)
  (directory / 'policy.h').write_text(text)
  text = c_header.check(observations, actions, card.TOLERANCE)
  (directory / 'check.c').write_text(text)


def _write_graph(
  directory: Path, form: Format, steps: 'Sequence[Step]', task: Task, title: str
) -> None:
  """What other runtimes load; each is imported where it is asked for."""
  if form == 'onnx':
    from launchers.exports import onnx_file

    widths = task.observation_size, task.action_size
    onnx_file.write(steps, widths, directory / 'policy.onnx', title)
    return
  from launchers.exports import tensorflow_files

  if form == 'tflite':
    path = directory / 'policy.tflite'
    tensorflow_files.write_tflite(steps, task.observation_size, path)
  else:
    tensorflow_files.write_saved_model(
      steps, task.observation_size, directory / 'saved_model'
    )


def _cycle(directory: RunDirectory, wanted: Optional[int]) -> int:
  directory.check()
  if wanted is not None:
    return wanted
  config = directory.read_json(directory.config) or {}
  finished = directory.finished_cycles(config['cycles'])
  if not finished:
    raise FileNotFoundError(f'{directory.root} has published no policy yet.')
  return finished - 1


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(ExportConfig, 'launchers.export')
    result = export(config)
    console.print(f'Written: {result["output"]}', markup=False, soft_wrap=True)
    return result

  return options.run_command(console, work)


if __name__ == '__main__':
  raise SystemExit(main())
