"""What runs sandboxes, on the hub's side: providers, disks, the channel to the init inside, the way out.

`init/` is the program inside, `channel.py` speaks to it, `providers/` start and stop it, `disk/` is what it writes on,
`egress/` the only way out. May import model/ and terminal/; never imported by cli/, operations/ or screens/: they ask the hub.
Everything that comes out of a sandbox is hostile, its init included: lengths, shapes and names are checked on this side, and
nothing inside is opened by a path from outside.
"""
