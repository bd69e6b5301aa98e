"""From a name to an environment, and what it then is."""

from pathlib import Path
import sys

import numpy as np
import pytest

from launchers.environments import names, registry
from launchers.environments.base import (
  BrokenEnvironmentError,
  DiscountError,
  RewardError,
  WidthError,
)
from tests.launchers.environments.examples import Point

HERE = 'tests.launchers.environments.examples'

NAMES = {
  'cartpole:swingup': 'cartpole-swingup',
  'cartpole-swingup': 'cartpole-swingup',
  ' reacher:easy': 'reacher-easy',
  'gymnasium:Pendulum-v1': 'gymnasium:Pendulum-v1',
  'reach_site_features': 'manipulation-reach_site_features',
  'manipulation-reach_site_features': 'manipulation-reach_site_features',
  'cmu_humanoid_run_walls': 'locomotion-cmu_humanoid_run_walls',
  f'{HERE}:point?edge=2': f'{HERE}:point?edge=2',
  f' {HERE}:point?limit=9&edge=2 ': f'{HERE}:point?edge=2&limit=9',
  f'{HERE}:point?': f'{HERE}:point',
}


@pytest.mark.parametrize('name', NAMES)
def test_a_task_has_one_name(name: str) -> None:
  environment = registry.make(name)
  assert environment.task.name == NAMES[name] == names.canonical(name)
  assert names.canonical(NAMES[name]) == NAMES[name]
  observation = np.full(environment.spec.observation_size, np.nan, np.float32)
  environment.reset(3, observation)
  assert np.isfinite(observation).all()
  again = np.zeros_like(observation)
  registry.make(name).reset(3, again)
  np.testing.assert_array_equal(observation, again)
  action = np.ones(environment.spec.action_size, np.float32)
  reward, discount, last = environment.step(action, observation)
  assert isinstance(reward, float)
  assert (discount, last) == (1.0, False)
  environment.close()


@pytest.mark.parametrize(
  ('name', 'message'),
  [
    ('cartpole-swngup', 'Did you mean cartpole-swingup'),
    ('cartpole:swngup', 'Did you mean cartpole-swingup'),
    ('reach_site_featurs', 'reach_site_features'),
    ('manipulation-reach_site_vision', 'manipulation-reach_site_features'),
    ('gymnasium:HalfCheeta-v5', 'Did you mean'),
    ('gymnasium:CartPole-v1', 'only continuous actions'),
    ('lqr-lqr_2_1', '--action-bound'),
    ('no_such_module:make', 'No factory .*No module named'),
    ('tests.no_such_module:make', 'No factory .*No module named'),
    ('../here:make', "'../here' is no module"),
    (f'{HERE}:pint', 'has no function .pint.* Did you mean .*point'),
    (f'{HERE}:point?edge=2&edge=3', 'gives a name twice'),
    ('json:loads?s=1', 'is no environment to learn in'),
    (
      f'{HERE}:Point?color=3',
      r'no argument .color.*\?name=value.*: edge',
    ),
    (f'{HERE}:point?edge', 'Write .name=value'),
    (f'{HERE}:point?fault=unbounded', '--action-bound'),
    (
      'pathlib:Path',
      'neither a dm_env.Environment nor a gymnasium.Env',
    ),
  ],
)
def test_what_is_no_environment_is_refused(name: str, message: str) -> None:
  with pytest.raises(ValueError, match=message):
    registry.make(name)


@pytest.mark.parametrize(
  ('text', 'message'),
  [
    ('import no_such_package', 'importing it failed: ModuleNotFoundError'),
    ('def make(:', r'importing it failed: SyntaxError: .*line 1'),
    ('1 / 0', 'importing it failed: ZeroDivisionError: division by zero'),
    ('def make(leak): pass', r'missing a required argument.*: leak\.'),
    ('make = 3', "has no function 'make'"),
    ('def make(): 1 / 0', r'ZeroDivisionError: .* \(.*\.py:1, in make\)'),
  ],
)
def test_what_is_wrong_with_a_module_is_said(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
  (tmp_path / 'mine_of_tests.py').write_text(text)
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.delitem(sys.modules, 'mine_of_tests', raising=False)
  with pytest.raises(ValueError, match=message):
    registry.make('mine_of_tests:make')


def test_a_step_of_the_old_kind_is_said_to_be_one() -> None:
  environment = registry.make(f'{HERE}:point?fault=four')
  observation = np.zeros(environment.spec.observation_size, np.float32)
  environment.reset(0, observation)
  with pytest.raises(BrokenEnvironmentError, match='gave 4 values'):
    environment.step(np.zeros(1, np.float32), observation)


def test_a_missing_bound_is_the_persons() -> None:
  environment = registry.make(f'{HERE}:point?fault=unbounded', 4.0)
  (action,) = environment.task.actions
  assert (action.low, action.high) == ((-4.0,), (4.0,))
  assert registry.make('lqr-lqr_2_1', 1.0).task.actions[0].high == (1.0,)
  for bound in (0.0, -1.0, float('nan'), 1e12):
    with pytest.raises(ValueError, match='--action-bound is'):
      registry.make('cartpole-swingup', bound)


def test_gymnasiums_fields_come_in_its_order() -> None:
  task = registry.make(f'{HERE}:point').task
  fields = [(f.name, f.shape, f.low, f.high) for f in task.observations]
  assert fields == [
    ('body/place', (), -10.0, 10.0),
    ('gear', (), -1.0, 1.0),
    ('velocity', (1,), -np.inf, np.inf),
  ]
  assert task.actions[0][2:4] == ((-2.0,), (2.0,))


def test_dm_envs_fields_come_in_the_order_of_its_spec() -> None:
  environment = registry.make(f'{HERE}:pendulum')
  task = environment.task
  assert [field.name for field in task.observations] == [
    'turns', 'angle/sine', 'angle/cosine', 'pair/0', 'pair/1',
  ]  # fmt: skip
  assert [f.name for f in task.actions] == ['torque', 'brake']
  assert task.actions[0].low == (-1.0, 0.0)
  observation = np.zeros(6, np.float32)
  environment.reset(1, observation)
  assert observation[4] == 7
  assert observation[0] == int(observation[3])


def episode(name: str) -> tuple[float, bool, int]:
  """The last discount, whether it ended by itself, and after how many steps."""
  environment = registry.make(name)
  width, size = environment.spec
  observation = np.zeros(width, np.float32)
  environment.reset(0, observation)
  step, last = 0, False
  while not last:
    step += 1
    action = np.ones(size, np.float32)
    _, discount, last = environment.step(action, observation)
  return discount, last, step


@pytest.mark.parametrize(
  ('name', 'discount', 'step'),
  [
    (f'{HERE}:point?limit=5', 1.0, 5),
    (f'{HERE}:point?fault="time limit"', 0.0, 20),
    (f'{HERE}:pendulum?limit=7', 1.0, 7),
    ('gymnasium:Pendulum-v1?max_episode_steps=9', 1.0, 9),
  ],
)
def test_cut_and_terminated_are_kept_apart(
  name: str, discount: float, step: int
) -> None:
  assert episode(name) == (discount, True, step)


def test_the_limit_of_a_suite_task_is_lifted() -> None:
  assert not registry.make('cartpole-swingup').ends_itself
  assert registry.make('gymnasium:Pendulum-v1').ends_itself


@pytest.mark.parametrize(
  ('fault', 'error', 'message'),
  [
    ('point?fault=rewards', RewardError, 'one number per step is needed'),
    ('point?fault=width', WidthError, r'shape \(2,\)'),
    ('pendulum?fault=discount', DiscountError, 'discount is 0.99'),
    ('pendulum?fault=restarts', DiscountError, 'no last step'),
  ],
)
def test_what_breaks_the_form_is_refused_by_name(
  fault: str, error: type[Exception], message: str
) -> None:
  with pytest.raises(error, match=message):
    episode(f'{HERE}:{fault}')


@pytest.mark.parametrize(
  ('factory', 'is_seeded'),
  [('pendulum', True), ('remade', True), ('unseeded', False), ('point', True)],
)
def test_a_seed_reaches_it_by_one_of_several_ways(
  factory: str, is_seeded: bool
) -> None:
  environment = registry.make(f'{HERE}:{factory}')
  assert environment.is_seeded is is_seeded
  first, second = np.zeros((2, environment.spec.observation_size), np.float32)
  environment.reset(5, first)
  environment.reset(5, second)
  assert np.array_equal(first, second) is is_seeded
  environment.reset(6, second)
  assert not np.array_equal(first, second)


def test_a_slug_is_a_plain_file_name() -> None:
  assert names.slug('cartpole-swingup') == 'cartpole-swingup'
  slug = names.slug(f'{HERE}:point?edge=2&fault="time limit"')
  assert len(slug) <= 80
  assert set(slug) <= set(
    'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.'
  )
  other = names.slug(f'{HERE}:point?edge=2&fault="time limix"')
  assert slug != other
  assert names.slug('../x:y') == 'x-y'


def test_the_example_is_what_it_says() -> None:
  assert isinstance(Point().observation_space.sample(), dict)
