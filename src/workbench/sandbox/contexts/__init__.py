"""Code contexts: Python, JavaScript and TypeScript that keep variables and imports from one run to the next.

A context is a host and a driver, two processes of the sandbox (`inside/`, handed over by bundle.py), so it outlives the hub as all of the
sandbox's processes do. `Conversation` (conversation.py) is the hub's end. What comes from inside is checked and bounded there.

jupyter_client and ipykernel are not used: the driver runs IPython itself where the sandbox has it, which is what a kernel adds; and a
kernel would bring five sockets, a second copy of every message and its packages into the sandbox.
"""

from .conversation import Conversation, Frame
from .languages import LANGUAGES, start

__all__ = ["LANGUAGES", "Conversation", "Frame", "start"]
