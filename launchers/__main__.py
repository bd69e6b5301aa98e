"""The commands' short names: understudy NAME, or python -m launchers NAME."""

import ast
import difflib
import importlib
from pathlib import Path
import sys

from launchers.hosts import early

COMMANDS = {
  'run': 'growing_batch',
  'online': 'online',
  'offline': 'offline',
  'recipe': 'recipe',
  'demonstrate': 'demonstrate',
  'annotate': 'annotate',
  'ingest': 'ingest',
  'cycle': 'cycle',
  'exclude': 'exclude',
  'join': 'join',
  'status': 'status',
  'submit': 'submit',
  'submit-study': 'submit_study',
  'approve': 'approve',
  'rollback': 'rollback',
  'evaluate': 'evaluate',
  'export': 'export',
  'export-data': 'export_data',
  'teach': 'teach',
  'fit-reward': 'fit_reward',
  'report': 'report',
  'study': 'study',
  'check-environment': 'check_environment',
  'describe': 'describe',
}
"""Short name → the file of launchers/ whose `main` it calls."""

_REFUSED = 2  # An exit code.
_LAUNCHERS = Path(__file__).resolve().parent


def main() -> int:
  """Does what the named command does; returns its exit code."""
  early.print_anything()
  early.listen()
  is_script = Path(sys.argv[0]).name != '__main__.py'
  program = 'understudy' if is_script else 'python -m launchers'
  name, *rest = sys.argv[1:] or ['']
  if name in ('-h', '--help'):
    print(_usage(program))
    return 0
  if name not in COMMANDS:
    print(_refusal(program, name), file=sys.stderr)
    return _REFUSED
  # Ours first, for an installed package may be named like one of our folders;
  # then, as with `python -m`, what the person has in the working directory.
  sys.path[:0] = [str(_LAUNCHERS.parent), str(Path.cwd())]
  from launchers.hosts import process  # Here: --help can do without.

  # Now: some of it is read by what the command imports.
  process.prepare_environment()
  sys.argv = [f'{program} {name}', *rest]  # See `process.program`.
  return importlib.import_module(f'launchers.{COMMANDS[name]}').main()


def _usage(program: str) -> str:
  """The commands with what they do; imports none, which would take seconds."""
  width = max(map(len, COMMANDS))
  rows = [
    f'  {name:{width}}  {_first_line(module)}'
    for name, module in COMMANDS.items()
  ]
  return '\n'.join([
    f'usage: {program} COMMAND [OPTIONS]',
    '',
    *rows,
    '',
    f'{program} COMMAND --help shows the options of one.',
  ])  # fmt: skip


def _first_line(module: str) -> str:
  """Of a module's docstring, without the long form of the command."""
  text = (_LAUNCHERS / f'{module}.py').read_text(encoding='utf-8')
  first = (ast.get_docstring(ast.parse(text)) or '').partition('\n')[0]
  return first.partition(': python -m')[0].rstrip('.')


def _refusal(program: str, name: str) -> str:
  if not name:
    return _usage(program)
  long_names = {module: short for short, module in COMMANDS.items()}
  known = {**long_names, **{short: short for short in COMMANDS}}
  close = difflib.get_close_matches(name, known, n=1)
  remedy = f'did you mean {known[close[0]]!r}?' if close else 'see --help.'
  return f'{program} has no command {name!r}; {remedy}'


if __name__ == '__main__':
  sys.exit(main())
