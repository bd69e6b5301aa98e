"""One worker of another host: python -m launchers.workers.process, by join."""

import functools
from pathlib import Path
import signal
import sys
import threading

from launchers.acting.outcomes import ActingStoppedError
from launchers.acting.places import Places
from launchers.acting.rollouts import LANES
from launchers.hosts import process
from launchers.nodes.actor import Actor, Assignment
from launchers.nodes.evaluator import Evaluator
from launchers.nodes.leases import Life
from launchers.workers.core import Core, RunDoneError, TurnedAwayError
from launchers.workers.options import WorkerOptions
from launchers.workers.scratch import Scratch


def run(options: WorkerOptions, stop: threading.Event) -> None:
  """Works until the run is done, or the worker is to stop.

  Raises:
    RunDoneError: nothing will be ordered any more.
    TurnedAwayError, ValueError, OSError: what is for a person to mend.
    ActingStoppedError: it was stopped.
  """
  tell = functools.partial(print, flush=True)
  core = Core(options.address, options.keys(), options.name, stop.wait, tell)
  assignment, expected = core.join()
  places = Places(assignment.task, assignment.action_bound)
  changes = places.description.task.differences(expected.task)
  if changes:
    raise TurnedAwayError(
      f'The environment {assignment.task} is not the one of the run: '
      f'{"; ".join(changes)}. Install here what the run has.'
    )
  work = _evaluate if options.is_evaluator else _act
  try:
    work(options, assignment, places, core, stop)
    raise ActingStoppedError
  except ActingStoppedError:
    core.leave()
    raise
  finally:
    core.close()


def _act(
  options: WorkerOptions,
  assignment: Assignment,
  places: Places,
  core: Core,
  stop: threading.Event,
) -> None:
  places.take(LANES)
  tell = functools.partial(print, flush=True)
  with Scratch(Path(options.scratch), core.deliver, tell) as scratch:
    try:
      Actor(
        options.name, assignment, places, core, core.demonstrator,
        scratch.put, stop.wait,
      ).run()  # fmt: skip
    except RunDoneError:
      stop.set()  # Nobody needs what is left, nor may be there to take it.
      raise


def _evaluate(
  options: WorkerOptions,
  assignment: Assignment,
  places: Places,
  core: Core,
  stop: threading.Event,
) -> None:
  places.take(1)
  Evaluator(
    options.name, assignment, places, core, core.demonstrator, stop.wait,
    Life(options.name, core.alive, stop.wait),
  ).run()  # fmt: skip


def main() -> int:
  """The process; returns its exit code: that of a refusal, or 0."""
  options = WorkerOptions.from_json(sys.argv[1])
  process.end_with_parent(options.parent, signal.SIGTERM)
  stop = threading.Event()
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  signal.signal(signal.SIGTERM, lambda *_: stop.set())
  try:
    run(options, stop)
  except (RunDoneError, ActingStoppedError):
    return 0
  except (TurnedAwayError, OSError, ValueError) as error:
    print(f'{process.REFUSAL}{error}', file=sys.stderr, flush=True)
    return process.REFUSED
  return 0


if __name__ == '__main__':
  sys.exit(main())
