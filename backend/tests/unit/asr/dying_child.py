"""A child process that crashes like native code."""

import os
import signal

os.kill(os.getpid(), signal.SIGSEGV)
