"""A Slurm of the tests' own on this machine: its nodes are processes here."""

from collections.abc import Callable, Iterator
import contextlib
import getpass
import os
from pathlib import Path
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psutil
import pytest

_PROGRAMS = ('munged', 'sbatch', 'slurmctld', 'slurmd')
_PATH = f'{os.environ["PATH"]}:/usr/sbin:/sbin'
_CPUS = 2  # Pretended, of each node.

# What comes from a node stays below it, however it daemonises.
_NODE = """
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
subprocess.Popen(sys.argv[1:])
while True:
  os.wait()
"""

needed = pytest.mark.skipif(
  not all(shutil.which(name, path=_PATH) for name in _PROGRAMS),
  reason='needs apt-get install slurmctld slurmd slurm-client munge',
)


class Cluster:
  """A controller and its nodes.

  Attributes:
    environment: in which sbatch, squeue and the like talk to this one.
  """

  def __init__(self, directory: Path, nodes: int):
    self._directory = directory
    self._conf = directory / 'slurm.conf'
    self.environment = {
      **os.environ, 'PATH': _PATH, 'SLURM_CONF': str(self._conf),
    }  # fmt: skip
    self._nodes = [f'node{n + 1}' for n in range(nodes)]
    self._processes: dict[str, psutil.Process] = {}
    for name in ('state', *self._nodes):
      (directory / name).mkdir()
    key = directory / 'munge.key'
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    self._conf.write_text(self._configuration(), encoding='utf-8')

  def start(self) -> None:
    """Returns when all nodes are idle."""
    place = self._directory
    self._spawn(
      'munged', 'munged', '--foreground', '--force',
      f'--key-file={place}/munge.key',
      f'--socket={place}/munge', f'--log-file={place}/munged.log',
      f'--pid-file={place}/munged.pid', f'--seed-file={place}/munge.seed',
    )  # fmt: skip
    wait_for((place / 'munge').exists, 30)
    self._spawn('slurmctld', 'slurmctld', '-D', '-c', '-f', str(self._conf))
    for node in self._nodes:
      self.revive(node)

    def is_up() -> bool:
      said = self.ask('sinfo', '-h', '-N', '-o', '%T', check=False).split()
      return said == ['idle'] * len(self._nodes)

    wait_for(is_up, 30)

  def revive(self, node: str) -> None:
    """Starts a node; -b says that it has just booted, with no job on it."""
    slurmd = ['slurmd', '-D', '-b', '-f', str(self._conf), '-N', node]
    self._spawn(node, sys.executable, '-c', _NODE, *slurmd)

  def kill(self, node: str) -> None:
    """All that runs on a node dies at once, without a word."""
    host = self._processes.pop(node)
    host.suspend()  # Nothing new is reaped, nor reparented, meanwhile.
    while victims := [p for p in host.children(recursive=True) if _lives(p)]:
      for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
          victim.kill()
      time.sleep(0.02)
    host.kill()
    host.wait(10)

  def ask(self, *words: str, check: bool = True) -> str:
    """The output of a command of Slurm's."""
    return subprocess.run(
      words, env=self.environment, check=check, timeout=60,
      capture_output=True, text=True,
    ).stdout  # fmt: skip

  def stop(self) -> None:
    """Leaves no process behind."""
    for node in set(self._nodes) & set(self._processes):
      self.kill(node)
    for process in self._processes.values():
      process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(list(self._processes.values()), 5)
    for process in alive:
      process.kill()

  def _spawn(self, name: str, *command: str) -> None:
    with (self._directory / f'{name}.out').open('ab') as out:
      process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        env=self.environment, start_new_session=True,
      )  # fmt: skip
    self._processes[name] = psutil.Process(process.pid)

  def _configuration(self) -> str:
    place, user = self._directory, getpass.getuser()
    host = socket.gethostname().partition('.')[0]
    ports = random.sample(range(15_000, 30_000), 1 + len(self._nodes))
    return '\n'.join([
      'ClusterName=tests',
      f'SlurmctldHost={host}(127.0.0.1)',
      f'SlurmctldPort={ports[0]}',
      f'SlurmUser={user}',
      f'SlurmdUser={user}',
      'AuthType=auth/munge',
      'CryptoType=crypto/munge',
      # A requeued job waits for the end of its credential: 120 s by default.
      f'AuthInfo=socket={place}/munge,cred_expire=5',
      f'StateSaveLocation={place}/state',
      f'SlurmdSpoolDir={place}/%n',
      f'SlurmctldPidFile={place}/slurmctld.pid',
      f'SlurmdPidFile={place}/%n.pid',
      f'SlurmctldLogFile={place}/slurmctld.log',
      f'SlurmdLogFile={place}/%n.log',
      'ProctrackType=proctrack/linuxproc',  # No cgroups: it may be a container.
      'TaskPlugin=task/none',
      'JobAcctGatherType=jobacct_gather/none',
      'SwitchType=switch/none',
      'MpiDefault=none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_CPU',
      'SlurmdParameters=config_overrides',  # Nodes have what is written here.
      'SchedulerType=sched/backfill',
      'SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0',
      'AccountingStorageType=accounting_storage/none',
      'JobRequeue=1',
      'ReturnToService=2',
      'KillWait=15',
      'SlurmdTimeout=6',
      'MessageTimeout=5',
      'TCPTimeout=2',
      'PropagateResourceLimits=NONE',
      *(
        f'NodeName={node} NodeAddr=127.0.0.1 NodeHostname={host} Port={port} '
        f'CPUs={_CPUS} RealMemory=100000 State=UNKNOWN'
        for node, port in zip(self._nodes, ports[1:], strict=True)
      ),
      f'PartitionName=main Nodes={",".join(self._nodes)} Default=YES State=UP',
      '',
    ])  # fmt: skip


@contextlib.contextmanager
def running(nodes: int) -> Iterator[Cluster]:
  """A cluster that ends with the body."""
  # A socket's path has 107 bytes at most, and pytest's directories are long.
  with tempfile.TemporaryDirectory(prefix='slurm-') as directory:
    cluster = Cluster(Path(directory), nodes)
    try:
      cluster.start()
      yield cluster
    finally:
      cluster.stop()


def wait_for(condition: Callable[[], object], seconds: float) -> None:
  """Waits until it holds."""
  deadline = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < deadline, f'not within {seconds:.0f} s'
    time.sleep(0.1)


def _lives(process: psutil.Process) -> bool:
  try:
    return process.status() != psutil.STATUS_ZOMBIE
  except psutil.NoSuchProcess:
    return False
