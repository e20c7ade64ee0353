"""A real S3 server for tests, on loopback: OpenStack Swift with its S3 face, which checks signatures as AWS does."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

ACCESS_KEY = "tests:volley"
SECRET_KEY = "not-so-secret"
REGION = "us-east-1"
START_SECONDS = 30.0
PROXY_PIPELINE = "catch_errors proxy-logging listing_formats bulk s3api tempauth copy slo dlo versioned_writes proxy-logging proxy-server"
FILTERS = {
    "catch_errors": "",
    "proxy-logging": "",
    "listing_formats": "",
    "bulk": "",
    "s3api": f"location = {REGION}\nallow_multipart_uploads = true\nmin_segment_size = 1\n",
    "tempauth": f"user_{ACCESS_KEY.replace(':', '_')} = {SECRET_KEY} .admin\n",
    "copy": "",
    "slo": "",
    "dlo": "",
    "versioned_writes": "allow_versioned_writes = true\n",
}


@dataclass(frozen=True)
class S3Place:
    """Where an S3 server is, and who may use it."""

    endpoint_url: str
    key: str = ACCESS_KEY
    secret: str = SECRET_KEY
    region: str = REGION


class S3Server:
    """Swift's four servers as child processes, their data below ``folder``. Use it with ``with``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = dict(zip(("proxy", "account", "container", "object"), _free_ports(4), strict=True))
        self._processes: list[subprocess.Popen[bytes]] = []
        self.place = S3Place(f"http://127.0.0.1:{self._ports['proxy']}")

    def __enter__(self) -> S3Server:
        (self._folder / "devices" / "d1").mkdir(parents=True, exist_ok=True)
        (self._folder / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_prefix = volley\nswift_hash_path_suffix = tests\n"
            "[storage-policy:0]\nname = default\ndefault = yes\n"
        )
        for name in ("account", "container", "object"):
            self._write_storage_config(name)
        self._write_proxy_config()
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the processes and waits until they answer."""
        for name in self._ports:
            log = (self._folder / f"{name}.log").open("ab")
            command = [sys.executable, str(Path(sys.executable).parent / f"swift-{name}-server"), str(self._folder / f"{name}.conf")]
            self._processes.append(
                subprocess.Popen(command, env={**os.environ, "SWIFT_DIR": str(self._folder)}, stdout=log, stderr=subprocess.STDOUT)
            )
            log.close()
        self._wait()

    def stop(self) -> None:
        """Ends the processes; the data stays."""
        for process in self._processes:
            process.terminate()
            process.send_signal(signal.SIGCONT)
        for process in self._processes:
            process.wait(10)
        self._processes.clear()

    def pause(self) -> None:
        """Has the processes stand still: connections are made, and nothing answers."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Has them go on."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def _write_storage_config(self, name: str) -> None:
        port = self._ports[name]
        (self._folder / f"{name}.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\nuser = {getpass.getuser()}\nswift_dir = {self._folder}\n"
            f"devices = {self._folder / 'devices'}\nmount_check = false\nfallocate_reserve = 0\ndisable_fallocate = true\n"
            f"log_level = ERROR\n"
            f"[pipeline:main]\npipeline = {name}-server\n[app:{name}-server]\nuse = egg:swift#{name}\n"
        )
        from swift.common.ring import RingBuilder

        builder = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
        device = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1.0}
        builder.add_dev({**device, "replication_ip": "127.0.0.1", "replication_port": port})
        builder.rebalance(seed=1)
        builder.get_ring().save(str(self._folder / f"{name}.ring.gz"))

    def _write_proxy_config(self) -> None:
        filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name.replace('-', '_')}\n{options}" for name, options in FILTERS.items())
        (self._folder / "proxy.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self._ports['proxy']}\nworkers = 0\nuser = {getpass.getuser()}\n"
            f"swift_dir = {self._folder}\nlog_level = ERROR\n[pipeline:main]\npipeline = {PROXY_PIPELINE}\n"
            f"[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\nallow_account_management = true\n{filters}"
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._processes):
                break
            if self._answers():
                return
            time.sleep(0.05)
        logs = "".join(path.read_text(errors="replace")[-2000:] for path in self._folder.glob("*.log"))
        raise RuntimeError(f"the S3 server did not start:\n{logs}")

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.place.endpoint_url, timeout=2).close()
        except urllib.error.HTTPError:
            return all(_listens(port) for port in self._ports.values())
        except OSError:
            return False
        return True


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
