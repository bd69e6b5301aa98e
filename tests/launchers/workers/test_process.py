"""A worker's process, without the process: what it does for a run."""

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess
import sys
import threading

import pytest

from launchers.acting import rollouts
from launchers.acting.places import Places
from launchers.workers import process
from launchers.workers.core import RunDoneError
from launchers.workers.options import KeyFiles, WorkerOptions
from tests.launchers.gateway.program import CONFIG, TOKEN, Program
from tests.launchers.harness import random_policy
from tests.tree import ROOT


@pytest.fixture
def program() -> Iterator[Program]:
  made = Program()
  yield made
  made.close()


def options(program: Program, directory: Path) -> WorkerOptions:
  token = directory / 'token'
  token.write_text(TOKEN)
  return WorkerOptions(
    program.address, KeyFiles.of(token), 'there/evaluator/0', True,
    str(directory / 'scratch'), os.getpid(),
  )  # fmt: skip


def test_an_evaluator_measures_what_the_program_would(
  program: Program, tmp_path: Path
) -> None:
  policy = random_policy(3)
  key = ('final', 1, 8)
  evaluation = {'key': key, 'policy': policy.to_bytes(), 'episodes': 10}
  program.conductor.evaluations.append({'evaluations': [evaluation]})

  def evaluated(*told: object) -> None:
    found.append(told)
    program.is_done = True

  found: list[tuple[object, ...]] = []
  program.conductor.evaluated = evaluated
  with pytest.raises(RunDoneError):
    process.run(options(program, tmp_path), threading.Event())
  expected = rollouts.evaluate(
    Places(CONFIG.task, None).take(10), policy, CONFIG.episode_steps,
    [rollouts.seed_for(0, rollouts.EVALUATE, 1, 8, n) for n in range(10)],
  )  # fmt: skip
  assert found == [(key, expected, [], 0.0)]


def test_options_pass_through_a_command_line(
  program: Program, tmp_path: Path
) -> None:
  some = options(program, tmp_path)
  assert WorkerOptions.from_json(some.to_json()) == some


def test_it_takes_no_tensorflow() -> None:
  code = (
    'import sys, launchers.workers.process; '
    'print({"tensorflow", "reverb", "launchpad"} & set(sys.modules))'
  )
  result = subprocess.run(
    [sys.executable, '-c', code],
    cwd=ROOT, capture_output=True, text=True, check=True,
  )  # fmt: skip
  assert result.stdout == 'set()\n'
