"""Submits a run to an engine: python -m launchers.submit slurm --workers 8.

The same command again follows what is there, or submits what has ended.
"""

from collections.abc import Callable
import dataclasses
from pathlib import Path
import sys
import time
from typing import Annotated, Literal

from rich.console import Console
import tyro

from datasets import files
from launchers import command_line, local
from launchers import options as options_lib
from launchers.engines import following, keys, kubernetes, slurm
from launchers.engines.jobs import Jobs, engine_directory
from launchers.engines.options import Submission, without_own
from launchers.hosts import isolation, process, stops
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.frozen import ConfigChangedError
from launchers.runs.launch_config import LaunchConfig
from launchers.runs.run_directory import RunDirectory
from teachers import credentials
from teachers.errors import TeacherFailedError, TeacherUnavailableError

_AT_TOP = tyro.conf.arg(name='')  # Options without a prefix.
_MODULE = 'launchers.submit'
_LOOK_SECONDS = 1.0
_WRITTEN = 'This was written to {}; nothing was submitted.'


@dataclasses.dataclass(frozen=True)
class Options:
  """Runs a growing batch as jobs: a core, and workers that act for it.

  All options but the first ones are those of launchers.growing_batch, and the
  same command goes on. See docs/machines.md.
  """

  engine: Annotated[Literal['slurm', 'kubernetes'], tyro.conf.Positional]
  """Who places and restarts the jobs."""
  submission: Annotated[Submission, _AT_TOP] = Submission()
  demo: bool = False
  """Take the options' defaults from the demonstration, a run of minutes."""
  run: Annotated[GrowingBatchConfig, _AT_TOP] = GrowingBatchConfig()
  launch: Annotated[LaunchConfig, _AT_TOP] = LaunchConfig()


def main() -> int:
  """The command; returns its exit code."""
  console = Console(stderr=True)
  try:
    words = sys.argv[1:]
    defaults = Options(tyro.MISSING, run=options_lib.defaults_of(words))
    options = command_line.parse(Options, _MODULE, default=defaults)
    process.prepare_environment()
    return _submit(options, _describe(options, words), console)
  except (
    ConfigChangedError,
    files.DamagedFileError,
    TeacherFailedError,
    TeacherUnavailableError,
    ValueError,
    OSError,
  ) as error:
    console.print('[bold red]Refused:[/]', end=' ')
    text = command_line.describe(error)
    console.print(text, soft_wrap=True, markup=False, highlight=False)
    return process.REFUSED


def _describe(options: Options, words: list[str]) -> Jobs:
  """The jobs of a run.

  Raises:
    OSError: its own certificate cannot be read.
    ValueError: the words are in another order, or its gateway is none for jobs.
  """
  if words[0] != options.engine:
    raise ValueError(
      f'{words[0]} stands before {options.engine}: name the engine first.'
    )
  gateway = options.launch.gateway
  if gateway.address and credentials.is_loopback(gateway.address):
    raise ValueError(
      f'--gateway.address is {gateway.address}, where no worker on another '
      'host can join: write 0.0.0.0 for the host, or leave it out.'
    )
  root = (options.launch.runs / options.run.run_name).resolve()
  directory = RunDirectory(root)
  made = keys.inside(engine_directory(directory) / 'keys')
  given = gateway.tls_certificate, gateway.tls_key, gateway.token_file
  if any(given):
    gateway.keys()
    certificate, key, token = (Path(str(path)).resolve() for path in given)
    made = keys.KeyFiles(certificate, key, token, keys.name_in(certificate))
  return Jobs(
    options.run,
    directory,
    tuple(without_own(words[1:])),
    options.submission,
    made,
    any(given),
  )


def _submit(options: Options, jobs: Jobs, console: Console) -> int:
  def tell(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)

  is_slurm = options.engine == 'slurm'
  if is_slurm and following.is_done(jobs):
    tell(f'The run is done: {jobs.directory.root}')
    return 0
  if is_slurm:
    slurm.check(jobs.place, jobs.submission.dry_run)
  else:
    kubernetes.check(jobs)
  local.check(jobs.config, jobs.directory, console)
  if not jobs.has_own_keys:
    keys.make(jobs.keys)
  return (_to_slurm if is_slurm else _to_kubernetes)(jobs, tell)


def _to_slurm(jobs: Jobs, tell: Callable[[str], None]) -> int:
  texts = slurm.scripts(jobs, isolation.command(_MODULE))
  if jobs.submission.dry_run:
    for kind, text in texts.items():
      files.write_text(jobs.place / f'{kind}.sbatch', text)
      print(text)
    tell(_WRITTEN.format(jobs.place))
    return 0
  slurm.submit(jobs.label, jobs.place, texts, tell)
  if not jobs.submission.follow:
    return 0
  with stops.StopRequest() as stop:
    return following.follow(jobs, stop, tell, lambda: time.sleep(_LOOK_SECONDS))


def _to_kubernetes(jobs: Jobs, tell: Callable[[str], None]) -> int:
  secret, rest = jobs.place / 'keys' / 'secret.yaml', jobs.place / 'run.yaml'
  files.write_text(secret, kubernetes.to_yaml(kubernetes.secret(jobs)))
  secret.chmod(0o600)
  text = kubernetes.to_yaml(*kubernetes.objects(jobs))
  files.write_text(rest, text)
  if jobs.submission.dry_run:
    print(text, end='')
    tell(_WRITTEN.format(f'{rest} and, with the keys, {secret}'))
    return 0
  tell(kubernetes.apply(secret, rest))
  namespace = jobs.submission.kubernetes.namespace
  tell('The output of the run:')
  tell(f'  kubectl --namespace {namespace} logs -f {jobs.label}-core-0')
  return 0


if __name__ == '__main__':
  sys.exit(main())
