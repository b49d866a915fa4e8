"""`python -m workbench.hub STATE_DIRECTORY [--ready FD] [--foreground]`: become the hub of a state directory.

FD is an open pipe: on it goes `ready`, `busy` (another hub has the directory) or what went wrong, and then it is closed. Without
`--foreground` the process that was started ends at once and the hub goes on in a child, so that its starter is not its parent.
"""

import argparse
import os
import sys


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workbench.hub", description=__doc__)
    parser.add_argument("state_directory")
    parser.add_argument("--ready", type=int, metavar="FD")
    parser.add_argument("--foreground", action="store_true")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    if not arguments.foreground:
        if os.fork():
            os._exit(0)
        os.setsid()
    from .process import Starter, run

    starter = Starter(arguments.ready)
    try:
        return run(arguments.state_directory, starter, keep_output=arguments.foreground)
    except BaseException as error:
        starter.say(f"{type(error).__name__}: {error}")
        raise


if __name__ == "__main__":
    sys.exit(main())
