"""What each room may import, on the files as they stand."""

from collections.abc import Iterable
from pathlib import Path
import re
import subprocess
import sys

import pytest

from tests.rooms import AGENTS, MAY_IMPORT
from tests.tree import FOLDERS, OURS, ROOT, imports, module_name, python_files

# What the commands share; every other file of launchers/ is a command, which
# nothing imports; `launchers.__main__` calls by name the one it is asked for.
SHARED = ('closing', 'command_line', 'display', 'local', 'options')
# But for these, which are other commands, one after another.
COMPOSED = {
  'launchers.study_cell': ('launchers.offline',),
  'launchers.recipe': (
    'launchers.demonstrate',
    'launchers.offline',
    'launchers.online',
  ),
}

# Importing TensorFlow takes 5 to 8 s and 400 MB in each process. Of these
# modules only the processes that compute gradients import any.
WITH_TENSORFLOW = {
  'agents.base',
  'agents.checkpoint',
  'agents.learner',
  'launchers.exports.tensorflow_files',
  'launchers.gates.fitted_q',
  'launchers.gates.stacked',
  'launchers.nodes.batches',
  'launchers.nodes.curriculum',
  'launchers.nodes.learner',
  'launchers.nodes.teacher_gradients',
  'teachers.reward_fitting',
  *(
    f'{room}.{path.stem}'
    for room in ('agents.parts', 'launchers.training')
    for path in (ROOT / room.replace('.', '/')).glob('[!_]*.py')
  ),
  *(
    f'{room}.{path.stem}'
    for room in (*AGENTS, 'agents.actor_critic')
    for path in (ROOT / room.replace('.', '/')).glob('*.py')
    if path.stem not in ('__init__', 'config')
  ),
}


def room_of(path: Path) -> str:
  return '.'.join(path.relative_to(ROOT).parent.parts)


def is_within(module: str, rooms: Iterable[str]) -> bool:
  return any(module == room or module.startswith(f'{room}.') for room in rooms)


@pytest.mark.parametrize('room', MAY_IMPORT)
def test_imports_run_one_way(room):
  inner = [r for r in MAY_IMPORT if r.startswith(f'{room}.')]
  allowed = MAY_IMPORT[room]
  wrong = [
    f'{path.relative_to(ROOT)} imports {module}'
    for path in sorted((ROOT / room.replace('.', '/')).glob('*.py'))
    for module in imports(path)
    if module.split('.')[0] in FOLDERS
    and not is_within(module, allowed)
    and (not is_within(module, [room]) or is_within(module, inner))
  ]
  assert not wrong, '\n'.join(wrong)


def test_every_room_is_listed():
  rooms = {room_of(path) for path in python_files(*OURS)}
  assert rooms == set(MAY_IMPORT)


def test_the_readme_says_what_each_room_may_import():
  text = (ROOT / 'README.md').read_text(encoding='utf-8')
  table = text.partition('| room |')[2].partition('\n\n')[0]
  said = {}
  for row in table.splitlines()[2:]:
    room, _, allowed = row.strip('| ').split(' | ')
    said[room.strip('`')] = set(re.findall('`(.+?)`', allowed))
  for room in AGENTS:
    said.setdefault(room, said['agents.KIND'])
  del said['agents.KIND']
  rooms = {room for room in MAY_IMPORT if room.startswith('launchers.')}
  said['launchers'] = {'agents', 'datasets', 'teachers', *rooms}
  assert said == {room: set(names) for room, names in MAY_IMPORT.items()}


def test_commands_are_not_imported():
  shared = tuple(f'launchers.{name}' for name in SHARED)
  wrong = [
    f'{path.relative_to(ROOT)} imports {module}'
    for path in python_files(*OURS)
    for module in imports(path)
    if room_of(ROOT / f'{module.replace(".", "/")}.py') == 'launchers'
    and (ROOT / f'{module.replace(".", "/")}.py').is_file()
    and module not in (*shared, *COMPOSED.get(module_name(path), ()))
  ]
  assert not wrong, '\n'.join(wrong)


def test_only_what_computes_gradients_imports_tensorflow():
  modules = [module_name(p) for p in python_files(*OURS)]
  light = sorted(set(modules) - WITH_TENSORFLOW)
  assert {
    'agents.deployed.policy',
    'datasets.replay',
    'launchers.runs.config',
  } <= set(light)
  program = (
    'import importlib, sys\n'
    'for name in sys.argv[1:]:\n'
    '  importlib.import_module(name)\n'
    '  assert "tensorflow" not in sys.modules, name\n'
  )
  result = subprocess.run(
    [sys.executable, '-c', program, *light],
    cwd=ROOT, capture_output=True, text=True, timeout=60,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
