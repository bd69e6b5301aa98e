"""Reverb without TensorFlow.

Reverb's Python package imports TensorFlow at its top, which costs a process
some 400 MB and four seconds. What this system uses of Reverb (server, client,
trajectory writer) is C++ that only needs TensorFlow's shared library, and the
actors, the curator and the Reverb node need nothing else of TensorFlow. So:

- `libtensorflow_framework` is loaded first, with local symbols: Reverb's
  extension finds it by its name. (Global symbols would let TensorFlow's own
  copy of OpenSSL's names shadow those that `ssl` and `hashlib` use.)
- During the import of Reverb every `tensorflow` module is a stub, except for
  `tensorflow.core`, which holds protobuf messages that Reverb's own messages
  contain and which are plain Python.
- Afterwards the stubs leave `sys.modules`, and so do Reverb's modules, which
  hold stubs. This module alone keeps them. A later `import tensorflow` or
  `import reverb` gets the real thing; the protobuf modules stay, because a
  message can be registered only once.

In a process that has already imported TensorFlow, this is a plain import.
"""

from collections.abc import Iterator, Sequence
import ctypes
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import pathlib
import sys
import threading
import types
from typing import Any, Optional
import warnings

_REAL = 'tensorflow.core'  # Plain protobuf messages, imported for good.
_STUBBED_OPS = 'reverb.cc.ops.gen_reverb_ops'  # TensorFlow operations.
_lock = threading.Lock()
_reverb: Optional[types.ModuleType] = None


class _Stub(types.ModuleType):
  """A module, and a class, of whatever name is asked for."""

  def __getattr__(self, name: str) -> Any:
    if name.startswith('__'):
      raise AttributeError(name)
    value = _StubValue(name, (), {})
    setattr(self, name, value)
    return value


class _StubValue(type):
  """A class whose attributes are classes too: a base, a hint, a type."""

  def __getattr__(cls, name: str) -> Any:
    if name.startswith('__'):
      raise AttributeError(name)
    return _StubValue(name, (), {})


class _StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
  """Answers imports of TensorFlow with stubs."""

  def __init__(self, directory: pathlib.Path, version: str):
    self._directory = directory
    self._version = version

  def find_spec(
    self, fullname: str, path: Any = None, target: Any = None
  ) -> Optional[importlib.machinery.ModuleSpec]:
    """A stub's spec, or None for what the other finders shall find."""
    root = fullname.partition('.')[0]
    if root != 'tensorflow' and fullname != _STUBBED_OPS:
      return None
    if fullname == _REAL or fullname.startswith(_REAL + '.'):
      return None
    spec = importlib.machinery.ModuleSpec(fullname, self, is_package=True)
    if fullname == 'tensorflow':
      # Where `tensorflow.core` is found.
      spec.submodule_search_locations = [str(self._directory)]
    return spec

  def create_module(
    self, spec: importlib.machinery.ModuleSpec
  ) -> types.ModuleType:
    """An empty stub."""
    return _Stub(spec.name)

  def exec_module(self, module: types.ModuleType) -> None:
    """Gives `tensorflow` the version that Reverb asks for."""
    if module.__name__ == 'tensorflow':
      vars(module)['__version__'] = self._version
      vars(module)['version'] = types.SimpleNamespace(VERSION=self._version)


def _stub_names() -> Iterator[str]:
  for name in sys.modules:
    root = name.partition('.')[0]
    if root == 'reverb':
      yield name
    if root == 'tensorflow' and not name.startswith(_REAL):
      yield name


def _tensorflow_directory() -> pathlib.Path:
  spec = importlib.util.find_spec('tensorflow')
  if spec is None or spec.origin is None:
    raise ImportError(
      'Reverb needs the shared library of TensorFlow, which is not installed. '
      'Install the packages of requirements.txt.'
    )
  return pathlib.Path(spec.origin).parent


def _tensorflow_version() -> str:
  from importlib import metadata

  for name in ('tensorflow-cpu', 'tensorflow'):
    try:
      return metadata.version(name)
    except metadata.PackageNotFoundError:
      continue
  return '0'


def _import_light() -> types.ModuleType:
  directory = _tensorflow_directory()
  libraries: Sequence[pathlib.Path] = sorted(
    directory.glob('libtensorflow_framework.so*')
  )
  if not libraries:
    raise ImportError(f'No libtensorflow_framework.so in {directory}.')
  ctypes.CDLL(str(libraries[-1]))
  finder = _StubFinder(directory, _tensorflow_version())
  sys.meta_path.insert(0, finder)
  try:
    with warnings.catch_warnings():
      # Reverb compares versions with distutils.
      warnings.simplefilter('ignore', DeprecationWarning)
      return importlib.import_module('reverb')
  finally:
    sys.meta_path.remove(finder)
    for name in list(_stub_names()):
      del sys.modules[name]


def import_reverb() -> types.ModuleType:
  """Reverb, without TensorFlow where TensorFlow is not yet imported."""
  global _reverb
  with _lock:
    if _reverb is None:
      if 'tensorflow' in sys.modules or 'reverb' in sys.modules:
        _reverb = importlib.import_module('reverb')
      else:
        _reverb = _import_light()
    return _reverb
