"""The files of the repository, and what they import."""

import ast
from collections.abc import Iterator
from pathlib import Path
import subprocess

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
  'agents', 'teachers', 'datasets', 'launchers',
  'benchmarks', 'studies', 'tests',
)  # fmt: skip
OURS = FOLDERS[:4]
"""The system itself."""


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
        ours = full.split('.')[0] in FOLDERS and is_ours(full)
        yield full if ours else str(node.module)
