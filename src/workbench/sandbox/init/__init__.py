"""The init of a sandbox: process 1 inside, owner of its processes, sessions and terminals, answering over one socket.

Standard library only, imports nothing of workbench (it runs from a zip, often under another Python), syntax of Python 3.9,
one thread. What can block or burn (files, archives, watching, patterns) runs in a forked child, one a connection.
The socket is inherited, listening, from the starter: inside there is no path to it.
"""
