"""A teacher behind services is a teacher like any other."""

import contextlib

import pytest

from teachers import client, snapshot
from tests.teachers.contract import TeacherContract
from tests.teachers.services import serving


class TestRemote(TeacherContract):
  @pytest.fixture(autouse=True)
  def _served(self):
    with contextlib.ExitStack() as stack:
      self._addresses = [
        f'grpc://{stack.enter_context(serving(self._inner())).address}'
        for _ in range(2)
      ]
      yield

  def make_teacher(self):
    return client.connect(self._addresses)

  def test_says_what_the_one_behind_it_says(self, teacher):
    inner = self._inner()
    assert (teacher.name, teacher.version) == (inner.name, inner.version)
    assert teacher.gives == inner.gives

  def _inner(self):
    return snapshot.load('cartpole-swingup/mid')
