"""What a sandbox may have besides its disk: a folder of the machine, bound when it starts, or a bucket, kept as a copy both ways.

    asked.py        what a request says
    folders.py      which folders of the machine may be asked for, and where they may appear inside
    bucket.py       a bucket of the state or of the account, through the operations every write goes through
    plan.py         what has to be done to bring a folder and a bucket together: a pure function
    agreed.py       what both sides were when they last agreed
    synced.py       doing it, again and again, as long as the sandbox is awake

A bucket is a copy and not a file system of its own (FUSE), because a sandbox made by an ordinary user has no /dev/fuse and must not have
it: a mount is the kernel's attack surface. So a file appears in the bucket when it is whole and has rested for a moment, and what
was changed on both sides at once is kept twice (plan.py says how).
"""
