"""What a stop says, and how early and how late it is heard."""

import contextlib
import ctypes
import importlib
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

import pytest

from launchers.hosts import stops
from launchers.hosts.early import STOPS
from tests.launchers import harness

# One stretch of cloning, which takes a minute.
LONG = {'cloning__steps': 150_000, 'cloning__evaluation_interval': 150_000}


def is_amid_it(run: harness.Run) -> bool:
  """Whether the learner has computed for longer than it takes to begin."""
  node = run.node('learner')
  return node is not None and node.cpu_times().user > 15


@pytest.mark.processes
@pytest.mark.long
def test_a_stop_amid_a_stretch_claims_nothing_and_costs_nothing(
  tmp_path: Path,
) -> None:
  (calm := tmp_path / 'calm').mkdir()
  reference = harness.complete(calm, **LONG)
  with harness.launched(tmp_path, **LONG) as run:
    run.wait_for((run.directory / 'cycles/000/batch.json').exists)
    run.wait_for(lambda: is_amid_it(run))
    run.process.send_signal(signal.SIGINT)
    assert run.wait(10) == 128 + signal.SIGINT, run.output
  assert 'everything is saved' not in run.output
  assert 'of cycle 0, 3 of 3 episodes and no learner yet' in run.output
  log = (run.directory / 'logs/001/learner').rglob('*')
  (text,) = [path.read_text() for path in log if path.is_file()]
  assert 'Stopped amid updates: those after step 0 of cycle 0' in text
  again = harness.complete(tmp_path, **LONG)
  assert harness.final_policies(again.directory) == (
    harness.final_policies(reference.directory)
  )


def begin(*words: str) -> 'subprocess.Popen[str]':
  return subprocess.Popen(
    [sys.executable, '-m', *words],
    cwd=harness.ROOT,
    env={**os.environ, 'PYTHONPATH': str(harness.ROOT)},
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def hears(process_id: int, number: signal.Signals) -> bool:
  """Whether a process has a handler of its own for a signal."""
  status = Path(f'/proc/{process_id}/status').read_text()
  (caught,) = re.findall(r'SigCgt:\s*(\w+)', status)
  return bool(int(caught, 16) >> (number - 1) & 1)


@pytest.mark.parametrize('number', STOPS)
@pytest.mark.parametrize('seconds', [0.0, 0.4, 1.0])
@pytest.mark.parametrize(
  'words',
  [
    ('launchers', 'evaluate', '--policy', 'cheetah-run/expert'),
    ('launchers.growing_batch', '--task', 'cheetah-run'),
    ('launchers.online',),
    ('launchers.study', 'studies/figure4-small.toml'),
  ],
)
def test_an_early_stop_ends_with_a_line(
  tmp_path: Path, number: signal.Signals, seconds: float, words: tuple[str, ...]
) -> None:
  if 'evaluate' not in words:
    words = (*words, '--runs', str(tmp_path))
  started = begin(*words)
  while not hears(started.pid, signal.SIGHUP):  # So far it is Python's start.
    assert started.poll() is None, started.communicate()
  time.sleep(seconds)
  started.send_signal(number)
  _, said = started.communicate(timeout=20)
  assert started.returncode == 128 + number, said
  assert f'Stopped by {number.name}' in said
  assert 'Traceback' not in said


def test_nohup_is_respected() -> None:
  words = ('launchers', 'evaluate', '--policy', 'pendulum-swingup/expert')
  started = subprocess.Popen(
    ['nohup', sys.executable, '-m', *words, '--episodes', '1'],
    cwd=harness.ROOT,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    text=True,
  )
  time.sleep(1.0)
  started.send_signal(signal.SIGHUP)
  said, _ = started.communicate(timeout=60)
  assert started.returncode == 0
  assert 'return_mean' in said


@pytest.mark.parametrize('number', STOPS)
def test_a_small_command_says_how_to_go_on(number: signal.Signals) -> None:
  words = ('--policy', 'walker-run/expert', '--episodes', '10000')
  started = begin('launchers.evaluate', *words)
  time.sleep(8)
  started.send_signal(number)
  _, said = started.communicate(timeout=10)
  assert started.returncode == 128 + number
  assert f'Stopped by {number.name}.' in said
  assert f'  python -m launchers.evaluate {" ".join(words)}' in said
  assert 'Traceback' not in said


def test_a_stop_that_a_callback_swallows_is_raised_again() -> None:
  called = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))

  def work() -> None:
    called()
    time.sleep(5)
    raise AssertionError('Nobody has heard it.')

  with pytest.raises(stops.Interrupted), stops.interruptible():
    work()


def test_a_stop_that_an_import_swallows_is_raised_again() -> None:
  def work() -> None:
    with contextlib.suppress(BaseException):  # As around some imports.
      signal.raise_signal(signal.SIGHUP)
    time.sleep(5)
    raise AssertionError('Nobody has heard it.')

  with pytest.raises(stops.Interrupted), stops.interruptible():
    work()


@pytest.mark.parametrize('seconds', [1.0, 60.0])
def test_an_import_may_end_within_reason(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
  """The C code of some prints a traceback of what is raised in it."""
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.setattr(stops, '_IMPORT', 2.0)
  module = f'slow_{seconds:.0f}'
  (tmp_path / f'{module}.py').write_text(
    'import pathlib, signal, time\n'
    'signal.raise_signal(signal.SIGINT)\n'
    f'time.sleep({seconds})\n'
    "pathlib.Path(__file__).with_name('imported').touch()\n"
  )

  def work() -> None:
    importlib.import_module(module)
    time.sleep(5)
    raise AssertionError('Nobody has heard it.')

  began = time.monotonic()
  with pytest.raises(stops.Interrupted), stops.interruptible():
    work()
  assert time.monotonic() - began < 5
  assert (tmp_path / 'imported').exists() == (seconds == 1.0)


def test_who_tidies_up_after_a_stop_is_left_in_peace() -> None:
  tidied = []

  def work() -> None:
    try:
      signal.raise_signal(signal.SIGINT)
    finally:
      time.sleep(1)
      tidied.append(True)

  with pytest.raises(stops.Interrupted), stops.interruptible():
    work()
  assert tidied
  time.sleep(0.5)  # No alarm is left that would end the process.


def test_a_stop_that_an_import_takes_for_its_failure_is_still_one() -> None:
  """As MuJoCo's does: an ImportError in the place of what was raised."""

  def fail(signalled: bool) -> None:
    try:
      if signalled:
        signal.raise_signal(signal.SIGTERM)
    except stops.Interrupted:
      pass
    raise ImportError('initialization failed')

  with pytest.raises(stops.Interrupted) as stopped, stops.interruptible():
    fail(signalled=True)
  assert stopped.value.signal == signal.SIGTERM
  with pytest.raises(ImportError), stops.interruptible():
    fail(signalled=False)
