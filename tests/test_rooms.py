"""What each room may import, on the files as they stand."""

from collections.abc import Iterable
from pathlib import Path
import re
import subprocess
import sys

import pytest

from agents import registry
from tests.tree import FOLDERS, OURS, ROOT, imports, module_name, python_files

# Each room and what it may import of ours, besides itself. Where a room stands
# in another, the files of the outer one are a room, too. Benchmarks, studies
# and tests may import anything.
AGENTS = sorted({entry.partition(':')[0] for entry in registry.KINDS.values()})
_AGENT = (
  'agents.base',
  'agents.config',
  'agents.deployed',
  'agents.entry',
  'agents.parts',
  'datasets.bounds',
  'datasets.types',
)
MAY_IMPORT: dict[str, tuple[str, ...]] = {
  'datasets': (),
  'datasets.formats': (
    'datasets.closest',
    'datasets.files',
    'datasets.tasks',
    'datasets.types',
  ),
  'agents.deployed': (
    'datasets.npy',
    'datasets.schema',
    'datasets.tasks',
    'datasets.types',
  ),
  'agents.parts': ('agents.config', 'agents.deployed', 'datasets.types'),
  'agents': (
    'agents.deployed',
    'agents.parts',
    'datasets.bounds',
    'datasets.closest',
    'datasets.types',
  ),
  'agents.actor_critic': _AGENT,
  **{
    room: (*_AGENT, 'agents.actor_critic', 'agents.learner') for room in AGENTS
  },
  'agents.bear': (
    *_AGENT,
    'agents.actor_critic',
    'agents.learner',
    'agents.svg',
  ),
  'agents.bear_mmd': (
    *_AGENT,
    'agents.actor_critic',
    'agents.bcq',
    'agents.learner',
  ),
  'teachers': (
    'agents.deployed',
    'agents.parts.networks',
    'datasets.addresses',
    'datasets.bounds',
    'datasets.closest',
    'datasets.relays',
    'datasets.schema',
    'datasets.tasks',
  ),
  'launchers.environments': ('datasets',),
  'launchers.hosts': ('datasets',),
  'launchers.acting': (
    'agents.deployed',
    'datasets',
    'launchers.environments',
    'launchers.hosts.early',
    'launchers.hosts.heartbeat',
    'launchers.hosts.process',
    'teachers',
  ),
  'launchers.runs': (
    'agents.bc.config',
    'agents.bcq.config',
    'agents.config',
    'agents.d4pg.config',
    'agents.ddpg.config',
    'agents.deployed',
    'agents.registry',
    'datasets',
    'launchers.environments.names',
    'teachers',
  ),
  'launchers.nodes': (
    'agents',
    'datasets',
    'launchers.acting',
    'launchers.environments',
    'launchers.gates',
    'launchers.gateway',
    'launchers.hosts.heartbeat',
    'launchers.hosts.process',
    'launchers.runs',
    'teachers',
  ),
  'launchers.gateway': (
    'datasets',
    'launchers.environments.base',
    'launchers.runs',
    'teachers',
  ),
  'launchers.workers': (
    'agents.deployed',
    'datasets',
    'launchers.acting',
    'launchers.environments.base',
    'launchers.gateway',
    'launchers.hosts.process',
    'launchers.nodes.actor',
    'launchers.nodes.evaluator',
    'launchers.nodes.leases',
    'teachers',
  ),
  'launchers.logs': (
    'datasets',
    'launchers.environments.described',
    'launchers.runs',
  ),
  'launchers.exports': (
    'agents.deployed',
    'datasets',
    'launchers.runs',
  ),
  'launchers.engines': (
    'datasets',
    'launchers.hosts.process',
    'launchers.hosts.stops',
    'launchers.runs',
  ),
  'launchers.gates': (
    'agents.deployed',
    'agents.parts.activations',
    'datasets',
  ),
  'launchers.training': (
    'agents',
    'datasets',
    'launchers.acting',
    'launchers.nodes.batches',
    'launchers.runs',
  ),
  'launchers.reports': ('datasets', 'launchers.runs'),
  'launchers.studies': (
    'agents.config',
    'agents.registry',
    'datasets',
    'launchers.environments.names',
    'launchers.hosts.process',
    'launchers.reports',
    'launchers.runs',
  ),
  'launchers': (
    'agents',
    'datasets',
    'launchers.acting',
    'launchers.engines',
    'launchers.environments',
    'launchers.exports',
    'launchers.gates',
    'launchers.gateway',
    'launchers.hosts',
    'launchers.logs',
    'launchers.nodes',
    'launchers.reports',
    'launchers.runs',
    'launchers.studies',
    'launchers.training',
    'launchers.workers',
    'teachers',
  ),
}

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
