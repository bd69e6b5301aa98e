"""Who acted what, in a report."""

from pathlib import Path

from launchers.reports import tables
from launchers.reports.loading import load_run
from tests.launchers.reports.test_report import change, make_run


def test_who_acted_is_told_where_several_did(tmp_path: Path) -> None:
  directory = make_run(tmp_path / 'r')
  change(directory, 1, acted_by={'this host': 2})
  head, _ = tables.work_table(load_run(directory))
  assert head[-1] == 'policy'
  change(directory, 2, acted_by={'this host': 1, 'lab-3f': 1234})
  head, rows = tables.work_table(load_run(directory))
  assert head[-2:] == ['episodes of lab-3f', 'episodes of this host']
  assert [row[-2:] for row in rows[1:]] == [['–', '2'], ['1\u202f234', '1']]
