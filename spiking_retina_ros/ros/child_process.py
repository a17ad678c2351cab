"""Nodes as child processes that never outlive their parent, on a DDS domain of their own."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from spiking_retina_ros.errors import UserError

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
DETECTOR = 'spiking_retina_ros.ros.detector'
SEA_CAMERA = 'spiking_retina_ros.ros.sea_camera'

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def private_domain() -> dict[str, str]:
    """
    Return environment variables for a DDS domain that nobody else uses, on this machine only.

    The domain is drawn at random from those whose ports stay below the ephemeral ones; the
    profile enlarges Fast DDS's shared memory, without which large images get lost.
    """
    variables = {
        'ROS_DOMAIN_ID': str(random.SystemRandom().randrange(1, 101)),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }
    profile = fast_dds_profile()
    if profile is not None:
        variables['FASTRTPS_DEFAULT_PROFILES_FILE'] = str(profile)
    return variables


def fast_dds_profile() -> Path | None:
    """Return config/fastdds_large_images.xml, from the sources or the installed share."""
    name = 'config/fastdds_large_images.xml'
    beside_sources = PACKAGE_ROOT / name
    if beside_sources.is_file():
        return beside_sources
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    try:
        return Path(get_package_share_directory('spiking_retina_ros')) / name
    except PackageNotFoundError:
        return None


class NodeProcess:
    """
    A Python module run as a process of its own, for the length of a ``with`` block.

    ``arguments`` follow the module's name. The process inherits the environment, changed by
    ``environment``; what it prints is kept and returned by ``output``. The kernel kills it if the
    parent dies first.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [sys.executable, '-m', module, *arguments]
        paths = [str(PACKAGE_ROOT), os.environ.get('PYTHONPATH', '')]
        self._environment = os.environ | {
            'PYTHONPATH': os.pathsep.join(item for item in paths if item),
            'PYTHONUNBUFFERED': '1',
            **(environment or {}),
        }
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> NodeProcess:
        """Start the process."""
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process, by force if it must be."""
        self.stop()
        self._log.close()

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout: float = 5.0) -> int:
        """Send a signal, wait, kill what does not end in time; return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def wait_for(self, text: str, timeout: float = 60.0) -> None:
        """Wait until the process has printed ``text``; UserError with its output if it ends."""
        until = time.monotonic() + timeout
        while text not in self.output():
            if self.process.poll() is not None or time.monotonic() > until:
                raise UserError(f'{self._command[2]} did not start:\n{self.output().strip()}')
            time.sleep(0.05)

    def output(self) -> str:
        """Return what the process has printed so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors='replace')


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
