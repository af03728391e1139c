"""The most memory that this process has held. In both environments."""

from __future__ import annotations

import re
import resource
from pathlib import Path


def peak_gib() -> float:
    """Of this process, or of the greatest of its children that have ended, in GiB.

    From the kernel's own account where there is one: what getrusage says of a process contains
    what its parent held when it was started.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    held = re.search(r"VmHWM:\s+(\d+) kB", status.read_text("utf-8"))
    return max(int(held.group(1)) if held else 0, children) / 2**20
