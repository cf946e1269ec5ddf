"""Hosts on a network of their own: network namespaces, each on a cable to one switch.

Nothing of it is on the machine's own network, and nothing has a name there: a
namespace lives as long as the process that holds it, and that one ends with the test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

SERVER = "10.99.0.1"
"""The address of whoever listens at the switch."""

_PROGRAMS = ("ip", "nsenter", "unshare", "setpriv")
# A user may be root in a namespace of users of its own; root needs none.
_AS_USER = ("--user", "--map-root-user")


@dataclass(frozen=True)
class Host:
    """A network namespace. ``cable`` is the switch's end of the cable that leads to it,
    ``enter`` what to write before a command that is to run in it."""

    cable: str
    address: str
    holder: subprocess.Popen[bytes]
    enter: tuple[str, ...]

    def run(self, *command: str) -> None:
        """Run a command in it."""
        subprocess.run([*self.enter, *command], check=True)


@dataclass
class Network:
    """The switch, and how many hosts it ever had."""

    switch: Host
    hosts_so_far: int = 0

    @contextmanager
    def host(self) -> Iterator[Host]:
        """A further host, for as long as the block lasts. No name and no address comes
        twice: a namespace that was left is gone only a moment later."""
        self.hosts_so_far += 1
        cable, address = f"cable{self.hosts_so_far}", f"10.99.0.{1 + self.hosts_so_far}"
        with _held(cable, address, (*self.switch.enter, "unshare", "--net")) as host:
            laid = ("link", "add", cable, "type", "veth", "peer", "name", "eth0")
            self.switch.run("ip", *laid, "netns", str(host.holder.pid))
            self.switch.run("ip", "link", "set", cable, "master", "switch", "up")
            _bring_up(host, "lo", "127.0.0.1/8")
            _bring_up(host, "eth0", f"{address}/24")
            yield host

    def cut(self, host: Host) -> None:
        """Pull the host's cable out: no packet arrives any more, and nobody is told."""
        self.switch.run("ip", "link", "set", host.cable, "down")

    def connect(self, host: Host) -> None:
        """Put the cable back."""
        self.switch.run("ip", "link", "set", host.cable, "up")


@contextmanager
def network() -> Iterator[Network]:
    """A switch without hosts. A machine that allows none fails the test."""
    with _held("", SERVER, ("unshare", *_way_in(), "--net")) as switch:
        switch.run("ip", "link", "add", "switch", "type", "bridge")
        _bring_up(switch, "lo", "127.0.0.1/8")
        _bring_up(switch, "switch", f"{SERVER}/24")
        yield Network(switch)


def _way_in() -> tuple[str, ...]:
    """The words with which ``unshare`` makes a network namespace here."""
    if missing := [name for name in _PROGRAMS if shutil.which(name, path=_path()) is None]:
        pytest.fail(f"Missing: {', '.join(missing)}. apt-get install iproute2 util-linux")
    ways: tuple[tuple[str, ...], ...] = ((),) if os.geteuid() == 0 else (_AS_USER,)
    said = ""
    for way in ways:
        tried = _tried("unshare", *way, "--net", "ip", "link", "add", "x", "type", "bridge")
        if tried.returncode == 0:
            return way
        said = tried.stderr.strip()
    pytest.fail(
        "This machine forbids network namespaces, and this test has no meaning without: "
        f"{said}. Root needs CAP_SYS_ADMIN and CAP_NET_ADMIN (docker run --privileged); a "
        "user needs user namespaces (sysctl kernel.unprivileged_userns_clone=1, on Ubuntu "
        "kernel.apparmor_restrict_unprivileged_userns=0). Both need the modules bridge and veth."
    )


def _tried(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _bring_up(host: Host, interface: str, address: str) -> None:
    host.run("ip", "address", "replace", address, "dev", interface)
    host.run("ip", "link", "set", interface, "up")


@contextmanager
def _held(cable: str, address: str, make: Sequence[str]) -> Iterator[Host]:
    """A namespace, held by a process that ends when its standard input does: at the
    latest with this process, however that ends."""
    holder = subprocess.Popen(
        [*make, "sh", "-c", "echo here; exec cat >/dev/null"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder, holder.stdout:
        assert holder.stdout.readline() == b"here\n", f"no network namespace by {make}"
        try:
            yield Host(cable, address, holder, _entering(holder.pid))
        finally:
            holder.stdin.close()


def _entering(pid: int) -> tuple[str, ...]:
    users = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
    return ("nsenter", f"--target={pid}", *users, "--net")
