"""What no command can honour is refused at its door, with exit code 2."""

import dataclasses
import inspect
import math
from pathlib import Path
import typing
from typing import Any, get_args

import pytest

from agents.bc.config import BCConfig
from agents.config import CloningConfig, ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from launchers import (
  annotate,
  check_environment,
  evaluate,
  fit_reward,
  report,
  study,
  teach,
)
from launchers.acting.recorder import DemonstrateConfig
from launchers.runs import config, launch_config, run_names
from launchers.runs.offline_config import OfflineConfig
from launchers.runs.online_config import OnlineConfig
from teachers.reward_model import FittingConfig
from tests.launchers.test_commands import command

HERE = Path('here')
CONFIGS: list[Any] = [
  annotate.AnnotateConfig(HERE, 'untrained'),
  BCConfig(),
  check_environment.CheckConfig('cartpole-swingup'),
  CloningConfig(),
  config.DemonstrationConfig(),
  config.EvaluationConfig(),
  config.GrowingBatchConfig(),
  launch_config.LaunchConfig(),
  D4PGConfig(),
  DemonstrateConfig('untrained', HERE),
  evaluate.EvaluateConfig('untrained'),
  fit_reward.FitRewardConfig(HERE, HERE),
  FittingConfig(),
  ObjectiveConfig(),
  OfflineConfig((HERE,)),
  OnlineConfig(),
  report.ReportOptions((HERE,)),
  study.StudyOptions(HERE),
  teach.TeachConfig('untrained'),
]
NUMBERS = [
  pytest.param(c, field.name, id=f'{type(c).__name__}.{field.name}')
  for c in CONFIGS
  for field in dataclasses.fields(c)
  if {int, float} & {field.type, *get_args(field.type)}
]


@pytest.mark.parametrize(('instance', 'name'), NUMBERS)
@pytest.mark.parametrize(
  'value', [-1e12, math.nan, math.inf, -math.inf, 'many', True, {}, 1e300]
)
def test_every_number_has_its_bound(
  instance: Any, name: str, value: Any
) -> None:
  is_tuple = isinstance(getattr(instance, name), tuple)
  given = (value,) if is_tuple else value
  with pytest.raises(ValueError, match=name):
    dataclasses.replace(instance, **{name: given})


def test_no_configuration_of_a_command_is_left_out() -> None:
  """A new field without a bound is a TypeError; so is a new class here."""
  for instance in CONFIGS:
    assert 'bounds.check' in inspect.getsource(type(instance))
  assert typing.get_type_hints(config.GrowingBatchConfig)


@pytest.mark.parametrize(
  'name',
  [
    '..', '.', '.hidden', 'a\nb', 'a\x1b[31mb', 'a\udcffb', 'a/b', '../b',
    'a\\b', 'a' * 101, '\0', ' a', 'a\u202eb', '走' * 100,
  ],
)  # fmt: skip
def test_names_that_no_directory_should_have_are_refused(name: str) -> None:
  for make in (
    lambda: config.GrowingBatchConfig(name=name),
    lambda: OnlineConfig(name=name),
    lambda: OfflineConfig((HERE,), name=name),
  ):
    with pytest.raises(ValueError, match='name is'):
      make()


@pytest.mark.parametrize('name', ['run 1', 'Läufer', '走る', 'a.b_c-d', 'x&y'])
def test_names_of_any_language_are_taken(name: str) -> None:
  assert run_names.check(name) == name


@pytest.mark.parametrize(
  'words',
  [
    ('growing_batch', '--acting-noise', 'inf'),
    ('growing_batch', '--evaluation.interval', '-1'),
    ('growing_batch', '--name', '..'),
    ('online', '--episodes', '0'),
    ('demonstrate', '--teacher', 'x', '--directory', 'd', '--noise', 'nan'),
    ('annotate', 'd', '--teacher', 'x', '--requests', '0'),
    ('evaluate', '--policy', 'x', '--episodes', '0'),
    ('offline', '--data', 'd', '--learner-steps', '0'),
    ('study', 'x.toml', '--parallel', '0'),
    ('teach', '--teacher', 'x', '--workers', '0'),
    ('check_environment', '--task', 'x', '--steps', '0'),
    ('fit_reward', 'd', '--output', 'm.npz', '--horizon', '0'),
    ('report', 'x.toml', '--seeds', '-1'),
    ('report',),
    ('report', 'runs/none'),
  ],
)  # fmt: skip
def test_commands_refuse_with_2_and_no_traceback(
  words: tuple[str, ...],
) -> None:
  refused = command(*words)
  assert refused.returncode == 2, refused.stderr
  assert 'Traceback' not in refused.stderr
