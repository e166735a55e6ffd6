"""Ports of this machine: whether one is free, and one that is."""

import socket

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Try the port alone: a server that shares its port would not notice another one on it."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(preferred: int | None) -> int:
    """Take the preferred port if it is free, else any that is."""
    if preferred is not None and is_free(preferred):
        return preferred
    with socket.socket() as attempt:
        attempt.bind((HOST, 0))
        return int(attempt.getsockname()[1])
