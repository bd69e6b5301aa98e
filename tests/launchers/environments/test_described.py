"""What a description says, and how it is refused."""

import math
from pathlib import Path

import pytest

from launchers.acting import places
from launchers.environments import described, names, registry
from launchers.environments.described import load, unit_of

GOOD = """
name = 'kiln'
episode_steps = 30
discount = 0.9

[[observations]]
name = 'heat'
size = 2
low = [0.0, -1.0]
high = 90.0
unit = 'degC'

[[observations]]
name = 'draught'

[[actions]]
name = 'gas'
low = 0
high = 4
unit = 'm^3/h'

[reward]
column = 'yield'
"""


def write(directory: Path, text: str = GOOD) -> Path:
  path = directory / 'kiln.toml'
  path.write_text(text)
  return path


def test_it_is_read(tmp_path: Path) -> None:
  system = load(write(tmp_path))
  heat, draught = system.task.observations
  assert (system.task.name, *system.task.spec) == ('kiln', 3, 1)
  assert list(heat.bounds) == [(0.0, 90.0), (-1.0, 90.0)]
  assert (heat.unit, draught.shape) == ('degC', ())
  assert list(draught.bounds) == [(-math.inf, math.inf)]
  assert (system.episode_steps, system.discount) == (30, 0.9)
  assert (system.reward_column, system.reward_function) == ('yield', '')


@pytest.mark.parametrize(
  ('old', 'new', 'said'),
  [
    ("name = 'kiln'", "nome = 'kiln'", 'lacks name'),
    ('size = 2', 'sise = 2', "'sise'"),
    ('size = 2', 'size = 0', "size of 'heat' is 0"),
    ('size = 2', "size = 'two'", "'two' is no int"),
    ('low = [0.0, -1.0]', 'low = [0.0]', 'has 1 bounds'),
    ('low = [0.0, -1.0]', 'low = nan', 'nan is not finite'),
    ('high = 90.0', 'high = -5.0', 'bounds from 0.0 to -5.0'),
    ("unit = 'degC'", "unit = 'hots'", "'hots' is no unit"),
    ("name = 'draught'", "name = 'gas'", "called 'gas'"),
    ("name = 'draught'", "name = ''", 'is empty'),
    ('low = 0\n', '', 'goes from -inf to 4'),
    ('low = 0\n', 'low = 4\n', 'goes from 4.0 to 4.0'),
    ('episode_steps = 30', 'episode_steps = 0', 'give 1 to'),
    ('discount = 0.9', 'discount = 1.0', 'below 1'),
    ("column = 'yield'", '', 'a column or a function'),
    ("column = 'yield'", "column = 'a'\nfunction = 'b:c'", 'not both'),
    ('[reward]', '[reward', 'no TOML'),
  ],
)
def test_what_is_wrong_is_said(
  tmp_path: Path, old: str, new: str, said: str
) -> None:
  assert old in GOOD
  path = write(tmp_path, GOOD.replace(old, new, 1))
  with pytest.raises(ValueError, match=r'kiln\.toml') as error:
    load(path)
  assert said in str(error.value)


def test_a_file_that_is_not_there_has_a_neighbour(tmp_path: Path) -> None:
  write(tmp_path)
  with pytest.raises(FileNotFoundError, match=r'Did you mean .*kiln\.toml'):
    load(tmp_path / 'klin.toml')


@pytest.mark.parametrize('name', ['', '1', 'l/min', 'rad/s', 'degC', 'N*m'])
def test_units_are_known(name: str) -> None:
  assert unit_of(name) is not None


def test_two_descriptions_differ_where_it_matters(tmp_path: Path) -> None:
  one = load(write(tmp_path))
  assert not one.differences(one)
  for old, new in (
    ("unit = 'degC'", "unit = 'K'"),
    ('episode_steps = 30', 'episode_steps = 31'),
    ("column = 'yield'", "column = 'loss'"),
  ):
    other = load(write(tmp_path, GOOD.replace(old, new)))
    assert len(other.differences(one)) == 1
  other = load(write(tmp_path, GOOD.replace('discount = 0.9', '')))
  assert not other.differences(one)  # The agent's options hold it.


def test_a_task_that_is_a_file(tmp_path: Path) -> None:
  path = write(tmp_path)
  assert names.canonical(f'{tmp_path}/./kiln.toml') == str(path)
  assert names.slug(str(path)) == 'kiln'
  assert places.describe(str(path)).task == load(path).task
  assert places.describe(str(path)).ends_itself
  with pytest.raises(ValueError, match='nobody can act in it'):
    registry.make(str(path))


def test_the_example_of_the_module_is_one(tmp_path: Path) -> None:
  text = (described.__doc__ or '').partition('\n\n')[2]
  text = text.replace("column = 'reward'          # of the logs\n", '')
  text = text.replace('                           # ...]', '# ...]')
  system = load(write(tmp_path, text))
  assert system.task.name == 'two-tanks'
  assert system.reward_function == 'plant:reward'
