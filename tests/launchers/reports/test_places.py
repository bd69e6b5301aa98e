"""Reports of runs whose directory cannot be written to, as on an archive."""

from pathlib import Path

import pytest

from launchers import report as report_command
from tests.launchers.reports.test_report import make_run


def test_a_place_that_cannot_be_written_is_named_and_another_taken(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  run = make_run(tmp_path / 'run')
  # Modes do not bind everybody; a file in the way of a directory does.
  (run / 'report').write_text('')
  assert report_command.main([str(run)]) == 2
  refusal = capsys.readouterr().err
  assert str(run / 'report') in refusal
  assert '--output' in refusal
  elsewhere = tmp_path / 'new' / 'place'
  assert report_command.main([str(run), '--output', str(elsewhere)]) == 0
  page = elsewhere / 'index.html'
  assert str(page) in capsys.readouterr().out
  assert page.exists()
  assert (run / 'report').read_text() == ''


def test_what_a_dead_writer_left_is_cleared(tmp_path: Path) -> None:
  run = make_run(tmp_path / 'run')
  (run / 'report').mkdir()
  aside = run / 'report' / '.index.html.0123456789abcdef.aside'
  aside.write_text('<html')
  assert report_command.main([str(run)]) == 0
  assert not aside.exists()


def test_two_reports_take_two_places(tmp_path: Path) -> None:
  run = str(make_run(tmp_path / 'run'))
  words = [run, run, '--output', str(tmp_path / 'place')]
  assert report_command.main(words) == 2
