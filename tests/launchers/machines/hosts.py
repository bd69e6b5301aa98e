"""Hosts of their own on one machine: namespaces on a bridge.

Each has its own network, processes, mounts and name, and no way to another one
but by its address. All of it is gone with the process that holds it.

    with lan('core', 'one') as (core, one):
      core.start('python', '-m', 'launchers.growing_batch', ...)
      one.kill()  # As when its power fails.
"""

from collections.abc import Iterator, Sequence
import contextlib
import glob
import os
from pathlib import Path
import shutil
import signal
import subprocess
import time
import uuid

import psutil

from tests.launchers.harness import ROOT

_LEAVING = 10.0  # Seconds that a process may take to end.
NAME = 'core.example'
"""By which workers know the core, as its certificate says; see `Host.know`."""

_OUTER = ['--net', '--mount']
_SPACES = [*_OUTER, '--uts', '--pid']
_HOLD = 'hostname "$0"; mount --bind "$1" /etc/hosts; echo up; exec cat'
_LOSS = """
table inet loss {{
  chain in {{
    type filter hook input priority 0; policy accept;
    iifname eth0 numgen random mod 100 < {percent} counter drop
  }}
  chain out {{
    type filter hook output priority 0; policy accept;
    oifname eth0 numgen random mod 100 < {percent} counter drop
  }}
}}
"""
_FAKETIME = '/usr/lib/*/faketime/libfaketime.so.1'


def check_possible() -> str:
  """Why there can be no hosts here; empty: there can."""
  if os.geteuid() != 0:
    return 'NOT TESTED: several hosts. It takes root to make them.'
  missing = [w for w in ('ip', 'unshare', 'nsenter') if not shutil.which(w)]
  if missing:
    return f'NOT TESTED: several hosts. There is no {missing}.'
  words = ['unshare', *_SPACES, '--fork', '--kill-child', '--mount-proc']
  script = 'hostname x && ip link add port0 type veth peer name port1 && '
  script += 'ip link add port2 type bridge && mount -t tmpfs none /mnt'
  tried = subprocess.run(
    [*words, 'sh', '-c', script], capture_output=True, text=True, check=False
  )
  if tried.returncode:
    return f'NOT TESTED: several hosts. The kernel: {tried.stderr.strip()}'
  return ''


def check_tools() -> str:
  """Why no packet can be lost here, or no clock be wrong; empty: they can."""
  missing = [] if shutil.which('nft') else ['nft (of nftables)']
  missing += [] if glob.glob(_FAKETIME) else ['libfaketime (of faketime)']
  if missing:
    return f'NOT TESTED: loss and wrong clocks. There is no {missing}.'
  return ''


def wrong_clock(shift: str) -> dict[str, str]:
  """Variables of a command whose clock is so far off: '+1d', '-2y'."""
  (library,) = glob.glob(_FAKETIME)
  return {
    'LD_PRELOAD': library,
    'FAKETIME': shift,
    'FAKETIME_DONT_FAKE_MONOTONIC': '1',
  }


class Command:
  """What runs on a host."""

  def __init__(self, entering: subprocess.Popen, log: Path):
    self._entering = entering
    self._log = log
    self._start = 0

  @property
  def output(self) -> str:
    """What it printed so far, or since `forget`."""
    return self._log.read_bytes()[self._start :].decode(errors='replace')

  def forget(self) -> None:
    """Leaves what it printed until now out of its output."""
    self._start = self._log.stat().st_size

  @property
  def is_up(self) -> bool:
    return self._entering.poll() is None

  def send_signal(self, number: signal.Signals) -> None:
    """To the command itself, which `nsenter` waits for."""
    (command,) = psutil.Process(self._entering.pid).children()
    command.send_signal(number)

  def wait(self, seconds: float) -> int:
    """Waits for the end; returns the exit code, or -9."""
    return self._entering.wait(seconds)


class Host:
  """One host; it is up until it is killed."""

  def __init__(self, name: str, address: str, directory: Path):
    self.name, self.address = name, address
    self.directory = directory / name
    self.directory.mkdir(exist_ok=True)
    self._hosts = self.directory / 'hosts'
    self.know('127.0.0.1')
    words = ['unshare', *_SPACES, '--fork', '--kill-child', '--mount-proc']
    self._holder = subprocess.Popen(
      [*words, 'sh', '-c', _HOLD, name, str(self._hosts)],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
    )
    assert self._holder.stdout is not None
    assert self._holder.stdout.readline() == 'up\n'
    (first,) = psutil.Process(self._holder.pid).children()
    self.pid = first.pid
    self.run('ip', 'link', 'set', 'lo', 'up')

  def know(self, address: str) -> None:
    """Says where the core is, from now on: what a name server would say."""
    self._hosts.write_text(
      f'127.0.0.1 localhost {self.name}\n{address} {NAME}\n'
    )

  def run(self, *words: str, text: str = '') -> str:
    """Runs a command to its end, which must be good; returns its output.

    It sees the processes of all hosts, whose ids `ip` takes.
    """
    done = subprocess.run(
      [*self._enter(_OUTER), *words],
      input=text, capture_output=True, text=True, check=False,
      cwd=ROOT, env=_environment(), timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, f'{words}: {done.stdout}{done.stderr}'
    return done.stdout

  def start(self, *words: str, **variables: str) -> Command:
    """Starts a command."""
    log = self.directory / f'output-{uuid.uuid4().hex[:8]}'
    with log.open('wb') as output:
      entering = subprocess.Popen(
        [*self._enter(_SPACES), *words],
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        cwd=ROOT, env=_environment(**variables),
      )  # fmt: skip
    return Command(entering, log)

  def set_link(self, state: str) -> None:
    """Cuts its link ('down'), or mends it ('up')."""
    self.run('ip', 'link', 'set', 'eth0', state)

  def lose(self, percent: int) -> None:
    """Loses so much of what comes and goes."""
    self.run('nft', '-f', '-', text=_LOSS.format(percent=percent))

  def lost(self) -> int:
    """Packets that it has lost."""
    words = self.run('nft', 'list', 'table', 'inet', 'loss').split()
    return sum(int(words[i + 1]) for i, w in enumerate(words) if w == 'packets')

  def processes(self) -> list[str]:
    """What stays here, but for what holds the host; who is leaving may."""
    deadline = time.monotonic() + _LEAVING
    while self._processes() and time.monotonic() < deadline:
      time.sleep(0.1)
    return self._processes()

  def _processes(self) -> list[str]:
    space = os.readlink(f'/proc/{self.pid}/ns/pid')
    found = []
    for process in psutil.process_iter():
      with contextlib.suppress(psutil.Error, OSError):
        there = os.readlink(f'/proc/{process.pid}/ns/pid')
        if there == space and process.pid != self.pid:
          found.append(' '.join(process.cmdline()) or process.name())
    return found

  def kill(self) -> None:
    """Kill -9 of all that it is, its network included."""
    self._holder.kill()
    self._holder.communicate()

  def _enter(self, spaces: Sequence[str]) -> list[str]:
    return ['nsenter', '--target', str(self.pid), *spaces, f'--wd={ROOT}']


def _environment(**variables: str) -> dict[str, str]:
  kept = {k: v for k, v in os.environ.items() if 'proxy' not in k.lower()}
  return {**kept, 'PYTHONPATH': str(ROOT), **variables}


class Lan:
  """A bridge, and hosts whose only way to each other it is."""

  def __init__(self, directory: Path):
    self._directory = directory
    self._switch = Host('switch', '', directory)
    self._switch.run('ip', 'link', 'add', 'bridge', 'type', 'bridge')
    self._switch.run('ip', 'link', 'set', 'bridge', 'up')
    self._hosts = [self._switch]

  def add(self, name: str) -> Host:
    """A new host, with an address that none had before."""
    number = len(self._hosts)
    host = Host(name, f'10.77.0.{number}', self._directory)
    self._hosts.append(host)
    port = f'port{number}'
    self._switch.run(
      'ip', 'link', 'add', port, 'type', 'veth',
      'peer', 'name', 'eth0', 'netns', str(host.pid),
    )  # fmt: skip
    self._switch.run('ip', 'link', 'set', port, 'master', 'bridge', 'up')
    host.run('ip', 'address', 'add', f'{host.address}/24', 'dev', 'eth0')
    host.set_link('up')
    return host

  def close(self) -> None:
    for host in self._hosts:
      host.kill()


@contextlib.contextmanager
def lan(directory: Path) -> Iterator[Lan]:
  made = Lan(directory)
  try:
    yield made
  finally:
    made.close()
