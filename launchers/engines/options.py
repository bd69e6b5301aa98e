"""What a person says of the jobs of a run; imports little, for the help."""

from collections.abc import Container, Iterator, Sequence
import dataclasses
import re
from typing import Any

from datasets import bounds


@dataclasses.dataclass(frozen=True)
class Share:
  """What one job of a kind gets."""

  cpus: int = 2
  """Cores."""
  memory: int = 4
  """GiB."""

  def __post_init__(self) -> None:
    """Refuses what no host has."""
    bounds.check(self, cpus=(1, 1_024), memory=(1, 65_536))


@dataclasses.dataclass(frozen=True)
class KubernetesOptions:
  """What Kubernetes is told besides."""

  core_image: str = 'understudy-core:latest'
  """The core's image, from the Dockerfile's target `core`."""
  worker_image: str = 'understudy-worker:latest'
  """The workers' image, from its target `worker`."""
  namespace: str = 'default'
  """Where all of it goes."""
  storage: int = 20
  """GiB of the volume that holds the run directory."""

  def __post_init__(self) -> None:
    """Refuses what a cluster would, later."""
    bounds.check(self, storage=(1, 65_536))
    if not re.fullmatch('[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?', self.namespace):
      raise ValueError(
        f'namespace is {self.namespace!r}: it is made of at most 63 small '
        'letters, digits and dashes, no dash at an end.'
      )


@dataclasses.dataclass(frozen=True)
class Submission:
  """How a run is placed; none of it changes a result."""

  workers: int = 1
  """Jobs that act for the run, wherever there is room."""
  core: Share = Share()
  worker: Share = Share(1, 2)
  sbatch: tuple[str, ...] = ()
  """More options of sbatch for all jobs, without the dashes, as in
  --sbatch partition=long time=24:00:00."""
  kubernetes: KubernetesOptions = KubernetesOptions()
  dry_run: bool = False
  """Write and print what would be submitted, and submit nothing."""
  follow: bool = True
  """Show how the run goes on until it is done; Ctrl-C ends only that."""

  def __post_init__(self) -> None:
    """Refuses what no engine takes."""
    bounds.check(self, workers=(0, 1_000))
    check_sbatch(self.sbatch)


def check_sbatch(options: Sequence[str]) -> None:
  """Refuses what is no option of sbatch.

  Raises:
    ValueError: which it is.
  """
  for option in options:
    if not re.fullmatch(r'[a-z][a-z-]*(=[^\s"\\]+)?', option):
      raise ValueError(
        f'sbatch has {option!r}: write name or name=value, without dashes '
        'in front, blanks, quotes or backslashes.'
      )


def without_own(words: Sequence[str]) -> list[str]:
  """The words of a command but for those of a Submission: the run's options."""
  return without(words, set(_names(Submission(), '--')))


def without(words: Sequence[str], options: Container[str]) -> list[str]:
  """The words of a command but for some options and their values."""
  kept = []
  is_left_out = False
  for word in words:
    if word.startswith('--'):
      is_left_out = word.partition('=')[0].replace('_', '-') in options
    if not is_left_out:
      kept.append(word)
  return kept


def _names(config: Any, prefix: str) -> Iterator[str]:
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    name = prefix + field.name.replace('_', '-')
    if dataclasses.is_dataclass(value):
      yield from _names(value, f'{name}.')
    else:
      yield name
      yield name.replace('--', '--no-', 1)
