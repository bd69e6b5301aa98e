"""The example: a stand-alone teacher, as a process of another Python."""

import ast
import subprocess

import numpy as np
import pytest

from launchers.environments.suite import Environment
from teachers import client, errors, registry
from teachers.base import Task
from tests.teachers import other_python
from tests.teachers.services import ROOT

EXAMPLE = ROOT / 'examples' / 'teacher_any_python' / 'teacher.py'
CARTPOLE = Task('cartpole-swingup', 5, 1)


@pytest.fixture(scope='module')
def address(request):
  interpreter = other_python.python(request.config)
  process = subprocess.Popen(
    [str(interpreter), '-I', str(EXAMPLE), '--port', '0'],
    stdout=subprocess.PIPE, text=True,
  )  # fmt: skip
  try:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.endswith(' serves cartpole-by-hand\n')
    yield line.split()[0]
  finally:
    process.kill()
    process.communicate()


def test_it_needs_grpcio_and_numpy_alone() -> None:
  tree = ast.parse(EXAMPLE.read_text(encoding='utf-8'))
  modules = set()
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      modules |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      modules.add(str(node.module))
  assert modules == {'argparse', 'concurrent', 'grpc', 'numpy'}


@pytest.mark.parametrize('batch', [1, 7, 300, 20_000])
def test_it_answers_as_its_functions_do(address, batch) -> None:
  teacher = registry.load(address, CARTPOLE)
  assert teacher.gives == {'actions', 'action_gradients'}
  assert (teacher.name, teacher.version) == ('cartpole-by-hand', '1')
  functions: dict = {'__name__': 'example'}
  exec(compile(EXAMPLE.read_text('utf-8'), EXAMPLE.name, 'exec'), functions)
  random = np.random.default_rng(batch)
  observations = random.normal(size=(batch, 5)).astype(np.float32)
  actions = teacher.actions(observations)
  wanted = functions['actions'](observations)
  np.testing.assert_allclose(actions, wanted, atol=1e-5)
  zeros = np.zeros((batch, 1), np.float32)
  gradients = teacher.action_gradients(observations, zeros)
  np.testing.assert_allclose(gradients, wanted, atol=1e-5)


def test_it_says_what_it_teaches(address) -> None:
  assert registry.load(address, CARTPOLE).task == CARTPOLE
  with pytest.raises(errors.WrongTeacherError, match='not cartpole-balance'):
    registry.load(address, Task('cartpole-balance', 5, 1))


def test_its_errors_are_named_and_it_goes_on(address) -> None:
  remote = client.connect([address])
  with pytest.raises(errors.TeacherFailedError, match='empty or not finite'):
    remote.actions(np.full((2, 5), np.nan, np.float32))
  assert remote.actions(np.zeros((2, 5), np.float32)).shape == (2, 1)


def test_it_swings_the_pole_up(address) -> None:
  teacher = registry.load(address, CARTPOLE)
  environment = Environment('cartpole-swingup')
  observation = np.empty(5, np.float32)
  environment.reset(0, observation)
  total = 0.0
  for _ in range(400):
    action = teacher.actions(observation[None])[0]
    reward, _, _ = environment.step(action, observation)
    total += reward
  assert reward > 0.8  # It stands; hanging gives less than 0.1.
  assert total > 150
