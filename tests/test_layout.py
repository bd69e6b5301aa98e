"""The house rules that a machine can check, on the files as they stand."""

import ast
from collections.abc import Iterator
import importlib.metadata
import importlib.util
from pathlib import Path
import re
import subprocess
import sys

from packaging.requirements import Requirement
import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
  'agents', 'teachers', 'datasets', 'launchers',
  'benchmarks', 'studies', 'tests',
)  # fmt: skip
MAX_LINES = 300  # A hard limit; the soft one is 250.

# What a room may import of ours, besides itself. Benchmarks, studies and tests
# may import anything.
MAY_IMPORT = {
  'agents': ('datasets.types',),
  'teachers': (
    'agents.critic',
    'agents.networks',
    'agents.npz',
    'agents.policy',
    'agents.stacked_policy',
  ),
  'datasets': (),
  'launchers': ('agents', 'teachers', 'datasets'),
}

# Importing TensorFlow takes 5 to 8 s and 400 MB in each process. Of these
# modules only the processes that compute gradients import any.
WITH_TENSORFLOW = {
  'launchers.batches',
  'launchers.curriculum',
  'launchers.learner',
  'launchers.online',
  'launchers.teacher_gradients',
  'teachers.reward_fitting',
  *(
    f'agents.{path.stem}'
    for path in (ROOT / 'agents').glob('*.py')
    if path.stem
    not in ('__init__', 'config', 'critic', 'layers', 'npz', 'policy')
  ),
}


def tracked_files() -> list[Path]:
  """What git tracks or would track."""
  command = ['git', 'ls-files', '-z', '-co', '--exclude-standard']
  names = subprocess.run(
    command, cwd=ROOT, check=True, capture_output=True, text=True
  ).stdout.split('\0')
  return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def python_files(*rooms: str) -> list[Path]:
  return sorted(path for room in rooms for path in (ROOT / room).rglob('*.py'))


def module_name(path: Path) -> str:
  parts = path.relative_to(ROOT).with_suffix('').parts
  return '.'.join(part for part in parts if part != '__init__')


def is_ours(module: str) -> bool:
  path = ROOT.joinpath(*module.split('.'))
  return path.is_dir() or path.with_suffix('.py').is_file()


def imports(path: Path) -> Iterator[str]:
  """Every module that a file imports, also inside its functions."""
  for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f'{path}:{node.lineno}: relative import'
      for alias in node.names:
        full = f'{node.module}.{alias.name}'
        ours = full.split('.')[0] in ROOMS and is_ours(full)
        yield full if ours else str(node.module)


@pytest.mark.parametrize('room', MAY_IMPORT)
def test_imports_run_one_way(room):
  allowed = (room, *MAY_IMPORT[room])
  wrong = [
    f'{path.relative_to(ROOT)} imports {module}'
    for path in python_files(room)
    for module in imports(path)
    if module.split('.')[0] in ROOMS
    and not any(module == a or module.startswith(f'{a}.') for a in allowed)
  ]
  assert not wrong, '\n'.join(wrong)


def test_only_what_computes_gradients_imports_tensorflow():
  modules = [module_name(p) for p in python_files(*MAY_IMPORT)]
  light = sorted(set(modules) - WITH_TENSORFLOW)
  assert {'agents.policy', 'datasets.replay', 'launchers.config'} <= set(light)
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


def test_no_file_is_too_long():
  long = {
    str(path.relative_to(ROOT)): count
    for path in python_files(*ROOMS)
    if (count := len(path.read_text(encoding='utf-8').splitlines())) > MAX_LINES
  }
  assert not long, f'Split them (soft limit 250 lines): {long}'


def test_every_package_says_what_it_is():
  for room in MAY_IMPORT:
    tree = ast.parse((ROOT / room / '__init__.py').read_text(encoding='utf-8'))
    assert ast.get_docstring(tree), f'{room}/__init__.py has no docstring'


@pytest.mark.parametrize(
  'pattern',
  [
    r'/(work|root|home)/\w',  # Somebody's directories.
    r'file://|/opt/(pypi|wheels)',
    r'--(extra-)?index-url\b(?! )|--find-links\b(?! )',
    r'https?://[\w.:@-]*(pypi|artifactory|nexus|registry|mirror)[\w.-]*[/:]',
    r'BEGIN [A-Z ]*PRIVATE KEY|password\s*=\s*[\'"]',
  ],
)
def test_no_file_holds_a_trace_of_a_machine(pattern):
  expression = re.compile(pattern)
  found = []
  for path in tracked_files():
    if path == Path(__file__).resolve() or path.suffix in ('.npz', '.png'):
      continue
    lines = path.read_text(encoding='utf-8').splitlines()
    found += [
      f'{path.relative_to(ROOT)}:{number}: {line.strip()}'
      for number, line in enumerate(lines, 1)
      if expression.search(line)
    ]
  assert not found, '\n'.join(found)


def pins(name: str) -> dict[str, str]:
  """Package → version, of a requirements file in which all are exact."""
  found = {}
  for line in (ROOT / name).read_text(encoding='utf-8').splitlines():
    requirement = line.partition('#')[0].strip()
    if requirement:
      match = re.fullmatch(r'([A-Za-z0-9._-]+)==([\w.+!]+)', requirement)
      assert match, f'{name}: {line!r} is no exact pin'
      found[normalized(match[1])] = match[2]
  return found


def normalized(name: str) -> str:
  return re.sub('[-_.]+', '-', name).lower()


def test_the_lock_holds_the_direct_needs_and_is_what_is_installed():
  lock = pins('requirements.txt')
  assert pins('requirements.in').items() <= lock.items()
  assert lock == {name: importlib.metadata.version(name) for name in lock}


def test_the_lock_is_complete():
  """Whatever a pinned package requires here is pinned too."""
  lock = pins('requirements.txt')
  missing = []
  for name in lock:
    for text in importlib.metadata.requires(name) or ():
      need = Requirement(text)
      applies = need.marker is None or need.marker.evaluate({'extra': ''})
      if applies and normalized(need.name) not in {*lock, 'pip'}:
        missing.append(f'{name} requires {text}')
  assert not missing, '\n'.join(missing)


def providers() -> dict[str, set[str]]:
  """Top-level module → the packages that bring it."""
  found: dict[str, set[str]] = {}
  for distribution in importlib.metadata.distributions():
    lines = (distribution.read_text('RECORD') or '').splitlines()
    lines += (distribution.read_text('top_level.txt') or '').splitlines()
    for top in {re.split(r'[/.,]', line, maxsplit=1)[0] for line in lines}:
      found.setdefault(top, set()).add(normalized(distribution.name))
  return found


def test_every_import_is_a_direct_need():
  brings = providers()
  direct = pins('requirements.in')
  wrong = set()
  for path in python_files(*ROOMS):
    for module in imports(path):
      top = module.split('.')[0]
      if top in sys.stdlib_module_names or top in ROOMS:
        continue
      if not brings.get(top, set()) & direct.keys():
        wrong.add(f'{path.relative_to(ROOT)} imports {top}')
  assert not wrong, 'Not in requirements.in:\n' + '\n'.join(sorted(wrong))


def readme_commands() -> list[str]:
  """The commands of the README, from its fenced blocks and its tables."""
  text = (ROOT / 'README.md').read_text(encoding='utf-8')
  blocks = re.findall(r'```(?:sh|bash)\n(.*?)```', text, re.DOTALL)
  lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
  spans = re.findall(r'`((?:\S*python -m|make) [^`\n]+)`', text)
  return [line.partition('#')[0].strip() for line in [*lines, *spans]]


def test_the_commands_of_the_readme_exist():
  commands = readme_commands()
  assert len(commands) > 5
  makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
  options: dict[str, set[str]] = {}
  for command in commands:
    if match := re.match(r'make (\w+)', command):
      assert re.search(rf'^{match[1]}:', makefile, re.MULTILINE), command
    if match := re.search(r'python -m ([\w.]+)(.*)', command):
      if match[1].split('.')[0] in ROOMS:
        named = re.findall(r'(--[a-z][\w.-]*)', match[2])
        options.setdefault(match[1], set()).update(named)
      else:
        assert importlib.util.find_spec(match[1].split('.')[0]), command
  for module, used in options.items():
    assert is_ours(module), f'python -m {module}'
    if module.startswith('launchers.'):
      known = help_of(module)
      unknown = {o for o in used if o.replace('_', '-') not in known}
      assert not unknown, f'{module} has no {sorted(unknown)}'


def help_of(module: str) -> str:
  result = subprocess.run(
    [sys.executable, '-m', module, '--help'],
    cwd=ROOT, capture_output=True, text=True, timeout=60,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
  return result.stdout.replace('_', '-')
