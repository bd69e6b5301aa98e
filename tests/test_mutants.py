"""A changed file is read as what it is, or refused: one line that names it."""

from collections.abc import Callable
from pathlib import Path
import random
import time
from typing import Any, NamedTuple, Optional

import pytest

from agents.deployed.forms import FORMS
from launchers.runs import schemas
from tests import doors_of_data as data
from tests import doors_of_runs as runs
from tests import mutants

_QUICK, _LONG = 30, 400
ROOMS = ('agents', 'datasets', 'launchers', 'teachers')
_LONGEST = 3_000  # Of a message: many options may differ, a line each.
_SECONDS = 10.0  # In which any file is read or refused.

Mutate = Callable[[bytes, random.Random], bytes]


class Door(NamedTuple):
  """A kind of file.

  Attributes:
    make: writes a whole one, and what is around it; returns its path.
    read: reads it as the programs do, from that path.
    mutate: besides `mutants.of_bytes`.
  """

  make: Callable[[Path], Path]
  read: Callable[[Path], Any]
  mutate: Mutate = mutants.of_bytes


DOORS = {
  'config.json': Door(runs.config, runs.read_config, mutants.of_json),
  'cycle.json': Door(
    runs.in_run('cycles/001/cycle.json'), runs.read_run, mutants.of_json
  ),
  'teacher.json': Door(
    runs.in_run('teacher.json'), runs.read_run, mutants.of_json
  ),
  'demonstrator.json': Door(
    runs.in_run('demonstrator.json'), runs.read_run, mutants.of_json
  ),
  'study.json': Door(runs.in_run('study.json'), runs.read_run, mutants.of_json),
  'reported config.json': Door(
    runs.in_run('config.json'), runs.read_run, mutants.of_json
  ),
  'reported evaluation.csv': Door(
    runs.in_run('cycles/001/evaluation.csv'), runs.read_run
  ),
  'reported metrics.csv': Door(
    runs.in_run('cycles/001/metrics.csv'), runs.read_run
  ),
  'evaluation.csv': Door(runs.table, runs.read_table),
  'episode': Door(data.episode, data.read_episode, data.of_episode),
  'policy': Door(data.policy, data.read_policy, data.of_npz),
  'snapshot': Door(data.shipped, data.read_teacher, data.of_npz),
  **{
    f'{form} snapshot': Door(data.of_form(form), data.read_teacher, data.of_npz)
    for form in FORMS
  },
  'study': Door(runs.study, runs.read_study),
  'cell': Door(runs.cell, runs.read_cell, mutants.of_json),
  'found.json': Door(
    runs.of_training('found.json'), runs.read_training, mutants.of_json
  ),
  'log.json': Door(runs.log, schemas.read, mutants.of_json),
  'study of logs': Door(runs.study_of_logs, runs.read_study),
  'cell of logs': Door(
    runs.cell_of_logs, runs.read_cell_of_logs, mutants.of_json
  ),
  'expert': Door(runs.expert, runs.read_expert, mutants.of_json),
  'preferences.csv': Door(data.preferences, data.read_preferences),
  'manifest.json': Door(data.manifest, data.read_manifest, mutants.of_json),
}


def refusal(door: Door, path: Path) -> Optional[Exception]:
  """Why a file is not read, if so."""
  try:
    door.read(path)
  except Exception as error:
    return error
  return None


def try_mutants(door: Door, root: Path, number: int) -> dict[str, int]:
  """Reads so many; returns how many were read and how many refused."""
  found = {'read': 0, 'refused': 0}
  for seed in range(number):
    draw = random.Random(seed)
    place = root / str(seed)
    place.mkdir()
    path = door.make(place)
    whole = path.read_bytes()
    mutate = draw.choice((door.mutate, mutants.of_bytes))
    path.write_bytes(mutate(whole, draw))
    began = time.monotonic()
    error = refusal(door, path)
    found['refused' if error else 'read'] += 1
    if error is not None:
      message = str(error)
      room = type(error).__module__.partition('.')[0]
      assert room in ROOMS or type(error) is ValueError, (seed, repr(error))
      names = (path.name, f'{path.parent} ', f'{path.stem}:')
      assert any(name in message for name in names), (seed, message)
      assert len(message) < _LONGEST, (seed, message)
    assert time.monotonic() - began < _SECONDS, seed
  return found


@pytest.mark.parametrize('kind', DOORS)
def test_a_few_mutants(kind: str, tmp_path: Path) -> None:
  door = DOORS[kind]
  door.read(door.make(tmp_path))  # What is whole is read.
  found = try_mutants(door, tmp_path, _QUICK)
  assert found['refused']


@pytest.mark.long
@pytest.mark.parametrize('kind', DOORS)
def test_many_mutants(kind: str, tmp_path: Path) -> None:
  assert try_mutants(DOORS[kind], tmp_path, _LONG)['refused']
