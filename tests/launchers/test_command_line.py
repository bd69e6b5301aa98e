"""The door of every command: options, values, paths and help."""

from collections.abc import Callable
import importlib
from pathlib import Path
import sys
from typing import Any

import pytest
import tyro

from launchers import command_line
from launchers.__main__ import COMMANDS
from launchers.annotate import AnnotateConfig
from launchers.evaluate import EvaluateConfig
from launchers.growing_batch import Options
from launchers.runs.config import DEMO
from launchers.runs.offline_config import OfflineConfig
from tests.launchers.test_commands import command
from tests.launchers.test_doors import CONFIGS


def parse(kind: type, *words: str, **defaults: Any) -> Any:
  return command_line.parse(kind, 'launchers.test', words, **defaults)


@pytest.mark.parametrize(
  ('kind', 'words', 'said'),
  [
    (EvaluateConfig, ('--polcy', 'x'), 'no option --polcy. Did .* --policy?'),
    (EvaluateConfig, ('--polcy=x',), 'no option --polcy. Did .* --policy?'),
    (EvaluateConfig, ('-policy', 'x', '--sed', '1'), 'no option --sed. Did'),
    (Options, ('--kind', 'x'), 'mean --agent.kind, --objective.kind?'),
    (Options, ('--objectve.kind', 'x'), 'mean --objective.kind, '),
    (Options, ('--agent.epsilon', '1'), 'have it: mpo, .*, bear_mmd; '),
    (Options, ('--xyzzy',), 'python -m launchers.test --help lists them'),
    (EvaluateConfig, ('--policy', 'x', '--seed', '-1'), '^--seed is -1; '),
    (Options, ('--cycles', '-1'), '^--cycles is -1; '),
    (Options, ('--objective.decay-rate', '-1'), '^--objective.decay-rate is'),
  ],
)
def test_a_refusal_names_the_option(
  kind: type, words: tuple[str, ...], said: str
) -> None:
  with pytest.raises(ValueError, match=said.replace('?', r'\?')):
    parse(kind, *words)


def test_the_same_words_mean_what_they_meant() -> None:
  words = ('--policy', 'x', '--episode_steps', '20', '--action-bound', '2')
  config = parse(EvaluateConfig, *words)
  assert config == EvaluateConfig('x', episode_steps=20, action_bound=2.0)
  default = Options(run=DEMO)
  assert parse(Options, default=default) == default


@pytest.mark.parametrize(
  'words', [(), ('--policy', 'x', '--seed', 'a'), ('--policy', 'x', 'y')]
)
def test_what_is_missing_or_unreadable_is_said_by_usage(
  words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
  with pytest.raises(SystemExit) as end:
    parse(EvaluateConfig, *words)
  assert end.value.code == 2
  printed = capsys.readouterr()
  assert 'python -m launchers.test --help' in printed.err
  assert not printed.out


@pytest.mark.filterwarnings('ignore:get_parser')
@pytest.mark.parametrize(
  'kind', [Options, *dict.fromkeys(type(c) for c in CONFIGS)]
)
def test_every_option_is_known(kind: type) -> None:
  actions = tyro.extras.get_parser(kind)._actions
  taken = {name for action in actions for name in action.option_strings}
  known = {f'--{name}' for name in command_line._names(kind) if name}
  assert known == taken - {'-h'}


@pytest.mark.parametrize('name', COMMANDS.values())
@pytest.mark.parametrize('columns', [80, 60])
def test_help_keeps_to_the_terminal(
  name: str,
  columns: int,
  monkeypatch: pytest.MonkeyPatch,
  capsys: pytest.CaptureFixture[str],
) -> None:
  monkeypatch.setenv('COLUMNS', str(columns))
  monkeypatch.setattr(sys, 'argv', [name, '--help'])
  main = importlib.import_module(f'launchers.{name}').main
  with pytest.raises(SystemExit) as end:
    main()
  assert not end.value.code
  lines = capsys.readouterr().out.splitlines()
  assert any('--help' in line for line in lines)
  assert [line for line in lines if len(line) > columns] == []


@pytest.mark.parametrize('name', ['offline', 'report'])
def test_what_is_needed_reads_as_needed(
  name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  monkeypatch.setattr(sys, 'argv', [name, '--help'])
  with pytest.raises(SystemExit):
    importlib.import_module(f'launchers.{name}').main()
  needed, _, _ = capsys.readouterr().out.partition('(required)')
  assert '(default' not in needed


def read(path: Path) -> None:
  path.read_bytes()


def enter(path: Path) -> None:
  (path / 'run').mkdir(parents=True)


@pytest.mark.parametrize(
  ('kind', 'words', 'option', 'use', 'why'),
  [
    (EvaluateConfig, ('--policy', '{}/none'), '--policy', read, 'not exist'),
    (EvaluateConfig, ('--policy', '{}'), '--policy', read, 'is a directory'),
    (Options, ('--runs', '{}/file'), '--runs', enter, 'file is a file'),
    (Options, ('--runs', '{}/file/x'), '--runs', enter, 'file is a file'),
    (
      Options, ('--demonstrations.path', '{}/file'), '--demonstrations.path',
      enter, 'file is a file',
    ),
    (OfflineConfig, ('--data', '{}/none'), '--data', read, 'not exist'),
  ],
)  # fmt: skip
def test_an_error_of_a_file_names_its_option(
  kind: type,
  words: tuple[str, ...],
  option: str,
  use: Callable[[Path], None],
  why: str,
  tmp_path: Path,
) -> None:
  (tmp_path / 'file').write_text('')
  given = [word.format(tmp_path) for word in words]
  parse(kind, *given)
  with pytest.raises(OSError, match='Errno') as error:
    use(Path(given[-1]))
  text = command_line.describe(error.value)
  assert str(tmp_path) in text
  assert why in text
  assert text.endswith(f'Name another path with {option}.')
  assert 'Errno' not in text


def test_what_has_no_option_is_said_without(tmp_path: Path) -> None:
  parse(AnnotateConfig, str(tmp_path), '--teacher', 'x')
  for path in (tmp_path / 'none', tmp_path.parent / 'none'):
    with pytest.raises(FileNotFoundError) as error:
      read(path)
    assert command_line.describe(error.value) == f'{path} does not exist.'


def test_what_somebody_has_put_in_words_keeps_them(tmp_path: Path) -> None:
  parse(Options, '--runs', str(tmp_path))
  path, words = tmp_path / 'file', 'Not written: there is no space'
  text = command_line.describe(OSError(28, words, str(path)))
  assert text == f'{path}: {words}. It comes from --runs.'


def test_a_directory_of_no_episodes_names_its_option(tmp_path: Path) -> None:
  refused = command('offline', '--data', str(tmp_path / 'none'))
  assert refused.returncode == 2
  assert f'{tmp_path}/none: There is no such directory; ' in refused.stderr
  assert 'It comes from --data.' in refused.stderr
  file = tmp_path / 'it.npz'
  file.touch()
  refused = command('offline', '--data', str(file))
  assert refused.returncode == 2
  assert f'{file}: It is a file; name a directory of epis' in refused.stderr


@pytest.mark.parametrize(
  ('words', 'option'),
  [
    (('growing_batch', '--demo', '--runs', '{}'), '--runs'),
    (('online', '--runs', '{}'), '--runs'),
    (('teach', '--teacher', 'untrained', '--token-file', '{}/x'), '--token-f'),
    (('study', 'studies/figure4-small.toml', '--runs', '{}'), '--runs'),
    (('study', 'studies/figure4-small.toml', '--cells', '{}'), '--cells'),
  ],
)
def test_commands_name_the_option_of_a_file_in_the_way(
  words: tuple[str, ...], option: str, tmp_path: Path
) -> None:
  (tmp_path / 'file').write_text('')
  name, *rest = (word.format(tmp_path / 'file') for word in words)
  refused = command(name, *rest)
  assert refused.returncode == 2, refused.stderr
  assert f'{tmp_path}/file is a file where a directory' in refused.stderr
  assert f'Name another path with {option}' in refused.stderr
  assert 'Errno' not in refused.stderr
  assert 'Traceback' not in refused.stderr
