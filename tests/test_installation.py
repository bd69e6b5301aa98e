"""The package: built and installed from what git tracks, used from elsewhere.

The throwaway environment sees the packages of this one, so nothing is fetched.
"""

from collections.abc import Iterator
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile

import pytest

from tests.launchers.harness import write_teacher
from tests.tree import ROOT, tracked_files

pytestmark = [pytest.mark.processes, pytest.mark.long]

_RIVAL = 'raise ImportError("another package called datasets")\n'


def environment() -> dict[str, str]:
  """Of somebody who never heard of PYTHONPATH."""
  kept = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
  return {**kept, 'PIP_DISABLE_PIP_VERSION_CHECK': '1'}


def run(
  *command: object, cwd: Path, code: int = 0
) -> 'subprocess.CompletedProcess[str]':
  result = subprocess.run(
    [str(word) for word in command],
    cwd=cwd, env=environment(), capture_output=True, text=True, timeout=180,
  )  # fmt: skip
  assert result.returncode == code, result.stdout + result.stderr
  return result


@pytest.fixture(scope='module')
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """A copy of the tracked files, for building leaves files behind."""
  copy = tmp_path_factory.mktemp('sources')
  for path in tracked_files():
    target = copy / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
  return copy


@pytest.fixture(scope='module')
def installed(
  sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
  """The bin directory of an environment with an editable installation."""
  home = tmp_path_factory.mktemp('installed')
  venv.create(home, with_pip=False, symlinks=True)
  (packages,) = home.glob('lib/python*/site-packages')
  here = sysconfig.get_paths()['purelib']
  (packages / 'understudys_own.pth').write_text(f'{here}\n')
  (packages / 'datasets.py').write_text(_RIVAL)  # Before ours on the path.
  words = ('install', '-q', '--no-deps', '--no-build-isolation', '-e', sources)
  run(home / 'bin/python', '-m', 'pip', *words, cwd=home)
  yield home / 'bin'
  shutil.rmtree(home)


def test_a_wheel_holds_the_system_and_its_data(
  sources: Path, tmp_path: Path
) -> None:
  words = ('wheel', '-q', '--no-deps', '--no-build-isolation', sources)
  run(sys.executable, '-m', 'pip', *words, cwd=tmp_path)
  (wheel,) = tmp_path.glob('understudy-*.whl')
  names = set(zipfile.ZipFile(wheel).namelist())
  info = {name for name in names if '.dist-info/' in name}
  tops = ('agents', 'datasets', 'launchers', 'teachers')
  ours = {
    str(path.relative_to(ROOT))
    for path in tracked_files()
    if path.relative_to(ROOT).parts[0] in tops
  }
  assert names - info == ours
  assert any(name.endswith('licenses/LICENSE') for name in info)
  (metadata,) = (name for name in info if name.endswith('METADATA'))
  text = zipfile.ZipFile(wheel).read(metadata).decode()
  assert 'Requires-Dist: tensorflow-cpu==2.8.4\n' in text
  assert 'Requires-Dist: pytest==9.2.0; extra == "test"\n' in text
  assert 'License-Expression: Apache-2.0\n' in text


def test_help_from_another_directory(installed: Path, tmp_path: Path) -> None:
  result = run(installed / 'understudy', '--help', cwd=tmp_path)
  assert result.stdout.startswith('usage: understudy COMMAND')
  refused = run(installed / 'understudy', 'evalute', cwd=tmp_path, code=2)
  assert "did you mean 'evaluate'?" in refused.stderr
  usage = run(installed / 'understudy', 'teach', '--help', cwd=tmp_path)
  assert usage.stdout.startswith('usage: understudy teach ')


def test_commands_use_our_folders(installed: Path, tmp_path: Path) -> None:
  evaluated = run(
    installed / 'understudy', 'evaluate', '--policy',
    'cartpole-swingup/expert', '--episodes', 1, '--episode-steps', 20,
    cwd=tmp_path,
  )  # fmt: skip
  result = json.loads(evaluated.stdout)
  assert (result['task'], result['episodes']) == ('cartpole-swingup', 1)


def test_commands_find_modules_of_the_working_directory(
  installed: Path, tmp_path: Path
) -> None:
  (tmp_path / 'mine.py').write_text('from teachers.scripted import make\n')
  evaluated = run(
    installed / 'understudy', 'evaluate', '--policy', 'mine:make', '--task',
    'cartpole-balance', '--episodes', 1, '--episode-steps', 20, cwd=tmp_path,
  )  # fmt: skip
  assert json.loads(evaluated.stdout)['return_mean'] > 0


def test_commands_start_processes_of_their_own(
  installed: Path, tmp_path: Path
) -> None:
  teacher = write_teacher(tmp_path / 'teacher.npz')
  recorded = run(
    installed / 'understudy', 'demonstrate', '--teacher', teacher,
    '--directory', 'demonstrations', '--episodes', 2, '--episode-steps', 20,
    '--processes', 2, cwd=tmp_path,
  )  # fmt: skip
  assert json.loads(recorded.stdout)['recorded'] == 2
  assert len(list(tmp_path.glob('demonstrations/*.npz'))) == 2


def test_a_run_says_how_to_go_on(installed: Path, tmp_path: Path) -> None:
  """It starts itself again in its own network, as `python -m launchers. …`."""
  words = ['run', '--name', 'tiny', '--task', 'cartpole-swingup']
  process = subprocess.Popen(
    [str(installed / 'understudy'), *words],
    cwd=tmp_path, env=environment(), stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT, text=True,
  )  # fmt: skip
  episodes = tmp_path / 'runs/tiny/demonstrations'
  deadline = time.monotonic() + 90
  try:
    while not any(episodes.glob('*.npz')):
      assert process.poll() is None, process.communicate()[0]
      assert time.monotonic() < deadline
      time.sleep(0.1)
  finally:
    process.terminate()
    output, _ = process.communicate(timeout=30)
  assert process.returncode == 143, output
  assert f'\n  understudy {" ".join(words)}\n' in output
