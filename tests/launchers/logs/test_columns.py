"""A map of columns, and what is wrong with one."""

from pathlib import Path

import pytest

from launchers.logs import columns
from launchers.logs.columns import Columns
from tests.launchers.logs import kiln

MAP = """
episode = 'batch'
termination = 'broke'
[fields]
heat = ['t1', 't2']
gas = 'valve'
[units]
heat = 'K'
"""


def test_it_is_read(tmp_path: Path) -> None:
  path = tmp_path / 'columns.toml'
  path.write_text(MAP)
  found = columns.load(path, kiln.system(tmp_path))
  assert found == Columns(
    'batch', termination='broke',
    fields={'heat': ('t1', 't2'), 'gas': ('valve',)}, units={'heat': 'K'},
  )  # fmt: skip


def test_without_one_fields_have_their_names(tmp_path: Path) -> None:
  assert columns.load(None, kiln.system(tmp_path)) == Columns()


@pytest.mark.parametrize(
  ('old', 'new', 'said'),
  [
    ("gas = 'valve'", "gass = 'valve'", "no field 'gass'. Did you mean gas"),
    ("heat = 'K'", "heat = 'm'", "'m' cannot become 'degC'"),
    ("heat = 'K'", "heat = 'hots'", "'hots' is no unit"),
    ("episode = 'batch'", "episodes = 'batch'", "'episodes'"),
    ("gas = 'valve'", 'gas = []', 'is empty'),
    ("gas = 'valve'", 'gas = 7', '7 is no str'),
    ('[fields]', '[fields', 'is no map of columns'),
  ],
)
def test_what_is_wrong_is_said(
  tmp_path: Path, old: str, new: str, said: str
) -> None:
  assert old in MAP
  path = tmp_path / 'columns.toml'
  path.write_text(MAP.replace(old, new))
  with pytest.raises(ValueError, match=r'columns\.toml') as error:
    columns.load(path, kiln.system(tmp_path))
  assert said in str(error.value)
