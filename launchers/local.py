"""One growing-batch run on this host: what the commands that run it share."""

from pathlib import Path
import secrets
import shutil
import tempfile
import time
from typing import TYPE_CHECKING

from rich.console import Console

from datasets import ports, relays
from launchers import closing, display, options
from launchers.hosts import heartbeat, isolation, stops
from launchers.runs import demonstrations, frozen, saved, standing, start
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.launch_config import LaunchConfig
from launchers.runs.run_directory import RunDirectory
from teachers import credentials
from teachers.snapshot import SnapshotTeacher

if TYPE_CHECKING:
  from datasets.tasks import Task
  from launchers.nodes import advice

_LITTLE_SPACE = 1 << 20  # Bytes.
_FAILED = 1  # An exit code; a signal N gives 128 + N.


def run(
  config: GrowingBatchConfig, launch: LaunchConfig, console: Console
) -> int:
  """Runs, or goes on with, one run.

  Returns:
    0 when it is done, 1 when a node failed, 128 + N when signal N stopped it.
  """
  started = time.monotonic()
  directory = RunDirectory(launch.runs / config.run_name)
  with options.inhabited(directory):
    config = frozen.keep_horizon(config, directory.root)
    _prepare(config, launch, directory, console)
    code = _go_on(config, launch, directory, console)
    if code == 0:
      closing.conclude(config, directory, console, time.monotonic() - started)
  return code


def check(
  config: GrowingBatchConfig, directory: RunDirectory, console: Console
) -> 'tuple[Task, dict[advice.Role, advice.Found]]':
  """Looks whether a run's configuration, task and teachers are what they must.

  Args:
    config: of the run.
    directory: its own, which may not be there yet; nothing is written to it.
    console: is warned.

  Returns:
    The task, and the teachers that the run has not settled on yet.

  Raises:
    ValueError, OSError: what is wrong, and what would do.
  """
  # MuJoCo, which the help of the commands does without.
  from launchers.nodes import advice, tasks

  heartbeat.bound()  # Which is read again when the nodes have started.
  frozen.check(config, directory.root)
  environment = tasks.describe(config, directory)
  options.warn_unless_seeded(environment, console)
  return environment.task, advice.find(
    config, directory, environment.task, console
  )


def reached(config: GrowingBatchConfig, launch: LaunchConfig) -> frozenset[str]:
  """The services that a run's teachers ask, and the way in for workers.

  Asked outside of the run's network namespace alone.

  Raises:
    ports.PortInUseError: the gateway's port is.
    ValueError, OSError: what is wrong, and what would do.
  """
  from launchers.nodes import advice

  directory = RunDirectory(launch.runs / config.run_name)
  found = advice.reached(config, directory)
  address = launch.gateway.address
  if address:
    launch.gateway.keys()
    ports.check_port(credentials.split_address(address)[1])
    found |= {relays.way_in(address)}
  return found


def _go_on(
  config: GrowingBatchConfig,
  launch: LaunchConfig,
  directory: RunDirectory,
  console: Console,
) -> int:
  """Does what is left of the run; returns the command's exit code."""
  code = 0
  if not _is_done(config, launch, directory):
    code = _launch(config, launch, directory, console)
  else:
    closing.print_table(config, directory, console)
    closing.say_what_it_waits_for(directory, console)
  if code == 0 and launch.report:
    closing.draw_report(directory, console)
  return code


def _prepare(
  config: GrowingBatchConfig,
  launch: LaunchConfig,
  directory: RunDirectory,
  console: Console,
) -> None:
  """Checks what can be checked before any process starts.

  All of it, before anything is written: a refused command leaves the name
  free for the corrected one.
  """
  from launchers.nodes import advice, tasks

  task, teachers = check(config, directory, console)
  _check_actors(config, launch, directory, teachers)
  if launch.start is not None:
    new = teachers.get('demonstrator')
    version = (
      new.teacher.version
      if new is not None
      else directory.teacher_identity('demonstrator')[1]
    )
    start.check(
      launch.start, launch.start_cycle, config, directory, task, version
    )
  is_imported = config.demonstrations.path is not None
  if is_imported and not demonstrations.holds_all(config, directory, task):
    demonstrations.check_source(config, task)
  frozen.freeze(config, directory.root)
  tasks.settle(config, directory)
  advice.write(teachers, directory, task)
  if launch.start is not None:
    start.copy_from(
      launch.start, launch.start_cycle, config, directory, task, console
    )
  if is_imported:
    with display.progress_bar(console) as progress:
      bar = progress.add_task(
        'importing demonstrations', total=config.episodes_in(0), unit='episodes'
      )
      demonstrations.import_into(
        config,
        directory,
        task,
        lambda count: progress.update(bar, completed=count),
      )


def _check_actors(
  config: GrowingBatchConfig,
  launch: LaunchConfig,
  directory: RunDirectory,
  teachers: 'dict[advice.Role, advice.Found]',
) -> None:
  """Refuses a run for which nobody would act, or to which nobody should."""
  launch.gateway.keys()
  if not config.has_simulator:
    if launch.gateway.address:
      raise ValueError(
        f'{config.task} only describes a system: no worker can act in it. '
        'Leave --gateway.address out.'
      )
    return
  if config.num_actors:
    return
  if not launch.gateway.address:
    raise ValueError(
      '--num-actors is 0 and there is no --gateway.address: nobody would act. '
      'Give one of them.'
    )
  new = teachers.get('demonstrator')
  is_sent = directory.teacher_file('demonstrator').exists() or (
    new is not None and isinstance(new.teacher, SnapshotTeacher)
  )
  if not is_sent and config.demonstrations.path is None:
    raise ValueError(
      f'The demonstrator {config.demonstrator} is no snapshot, so that it acts '
      'on this host alone: --num-actors must be at least 1.'
    )


def _launch(
  config: GrowingBatchConfig,
  launch: LaunchConfig,
  directory: RunDirectory,
  console: Console,
) -> int:
  threads = launch.launch_type == 'threads'
  if threads:
    import tensorflow  # noqa: F401  (before Reverb's import without it)
  from launchers.hosts import supervision
  from launchers.nodes import status, topology

  for offset in range(2 + config.num_teachers if launch.port else 0):
    ports.check_port(launch.port + offset)
  screen = display.Display(config, directory, console)
  bound, logs = heartbeat.bound(), directory.logs()
  with (
    stops.StopRequest() as stop,
    tempfile.TemporaryDirectory(prefix='hearts-', dir=logs) as hearts,
  ):
    nodes_program, address = topology.make_program(
      config,
      directory,
      secrets.token_hex(8),
      launch.port,
      Path(hearts),
      launch.gateway,
    )
    nodes = supervision.Nodes(nodes_program, threads, logs)
    stop.listen()
    ask = status.StatusClient(address.resolve())
    with screen:
      failure = supervision.watch(
        nodes,
        stop,
        is_done=lambda: _is_done(config, launch, directory),
        on_tick=lambda: screen.update(ask()),
        pulses=heartbeat.Pulses(Path(hearts), nodes.pids(), bound),
        tell=lambda line: console.print(
          line, style='bold yellow', soft_wrap=True
        ),
      )
  closing.print_table(config, directory, console)
  if not failure and not stop.signal:
    closing.say_what_it_waits_for(directory, console)
  if failure:
    console.print('[bold red]The run stopped.[/]', highlight=False)
    console.print(str(failure), soft_wrap=True, markup=False, highlight=False)
    # A full disk keeps a node from writing down what it died of.
    if shutil.disk_usage(directory.root).free < _LITTLE_SPACE:
      console.print(
        f'No space is left for {directory.root}: free some.', soft_wrap=True
      )
  elif stop.signal:
    console.print(f'Stopped by {stop.signal.name}.')
  if failure or stop.signal:
    line = saved.describe(config, directory)
    console.print(line, soft_wrap=True, highlight=False)
    if failure and failure.is_refusal:
      console.print('When that is mended, the same command goes on:')
    else:
      console.print('To go on, give the same command again:')
    command = isolation.command('launchers.growing_batch')
    console.print(f'  {command}', soft_wrap=True, highlight=False)
  return _FAILED if failure else 128 + stop.signal if stop.signal else 0


def _is_done(
  config: GrowingBatchConfig, launch: LaunchConfig, directory: RunDirectory
) -> bool:
  """Whether nothing is left to do, now."""
  if launch.wait or config.has_simulator:
    return directory.policy_path(config.cycles).exists()
  now = standing.of(directory)
  is_short = now.missing > 0 and not now.is_taken_in
  return now.is_done or is_short or now.waits_for_person
