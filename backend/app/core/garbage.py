"""The garbage collector, out of the way while a process starts.

Hundreds of thousands of objects come with the imports and none of them goes: looking through them again and again takes
a sixth of a start, and later a pause in the middle of requests.
"""

from __future__ import annotations

import gc


def pause_collection() -> None:
    """Until `resume_collection`."""
    gc.disable()


def resume_collection() -> None:
    """What is there by now stays for good, and is not looked at again."""
    gc.freeze()
    gc.enable()
