"""The tools that this machine has."""

from __future__ import annotations

from benchmarks.machine import said
from benchmarks.peers import pgloader as peer
from benchmarks.scoreboard.tools import mudanza, pgloader
from benchmarks.scoreboard.tools.tool import Tool


def installed(wanted: frozenset[str]) -> tuple[Tool, ...]:
    """Mudanza, and pgloader where it is installed, as far as they are wanted."""
    commit = said("git", "rev-parse", "--short", "HEAD") or "unknown"
    all_of_them = [
        Tool(
            name="Mudanza",
            version=f"commit {commit}",
            command=mudanza.COMMAND,
            carry=mudanza.carry,
        )
    ]
    if peer.installed():
        all_of_them.append(
            Tool(
                name="pgloader",
                version=peer.version(),
                command=pgloader.COMMAND,
                carry=pgloader.carry,
            )
        )
    return tuple(tool for tool in all_of_them if tool.name.lower() in wanted)
