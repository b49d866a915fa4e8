"""What runs sandboxes, on the hub's side: providers, disks, the channel to the init, terminals, the way out.

May import model/ and terminal/; never imported by cli/, operations/ or screens/.
"""
