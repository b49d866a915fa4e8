"""The programs of a code context, run inside a sandbox: a host, and a driver for each language under it.

Standard library only, Python 3.8 or newer, Node 18 or newer; nothing here imports anything of workbench. `bundle.py` beside this folder
packs them into the two files that a sandbox gets.

    host.py         keeps a driver alive, listens on a Unix socket, passes lines of JSON both ways and captures stdout and stderr
    cells.py        Python: runs cells in one namespace
    interactive.py  Python: the same by IPython, where it can be imported
    showing.py      Python: a value as text, HTML, JSON, image, table
    figures.py      Python: Matplotlib's figures as results
    driver.cjs      JavaScript and TypeScript: runs cells in Node

Between host and driver: descriptor 3 carries commands, one JSON object a line ({code, env}); descriptor 4 frames back ({type: ready,
result, error, done}); descriptor 5 (Node) a byte for each interrupt.
"""
