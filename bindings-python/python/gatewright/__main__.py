"""`python -m gatewright`, and the program `gatewright`: webhooks at a shell. `--help` lists what it does."""

import signal
import sys

from gatewright._native import run_command_line


def main() -> None:
    """Runs the arguments of this process, and ends it."""
    # The command line waits in native code, where Python's own handler would not be called.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
