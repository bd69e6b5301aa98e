"""A private network namespace, and who is in it."""

import json
import os

import pytest

from tests.launchers.hosts.alone import HERE, alone, check_possible
from tests.teachers.services import Doubler, serving

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _possible() -> None:
  if reason := check_possible():
    pytest.skip(reason)


@pytest.mark.parametrize(
  'value',
  ['', '1', '0', pytest.param(f'{os.getpid()} 1 2', id='of a process')],
)
def test_an_inherited_variable_says_nothing(value) -> None:
  with alone(UNDERSTUDY_ISOLATED=value) as program:
    assert program.said['namespace'] != HERE
    assert program.said['interfaces'][0] == 'lo'
    assert 'open on every interface' not in program.end()


@pytest.mark.parametrize('value', ['', '1'])
def test_open_ports_are_told_whatever_was_inherited(value, tmp_path) -> None:
  with alone(UNDERSTUDY_ISOLATED=value, PATH=str(tmp_path)) as program:
    assert program.said['namespace'] == HERE
    assert 'open on every interface' in program.end()


def test_where_there_is_no_namespace_services_are_dialled(tmp_path) -> None:
  (unshare := tmp_path / 'unshare').write_text('#!/bin/sh\nexit 1\n')
  unshare.chmod(0o755)
  with (
    serving(Doubler()) as server,
    alone(
      server.address,
      PATH=f'{tmp_path}:{os.environ["PATH"]}',
      UNDERSTUDY_RELAYS=json.dumps({server.address: '/nowhere'}),
    ) as program,
  ):
    assert program.said['namespace'] == HERE
    assert program.said['rows'] == [4_000]
    assert program.said['relays'] is None
    assert 'open on every interface' in program.end()
