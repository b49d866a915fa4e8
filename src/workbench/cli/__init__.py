"""The command line, made from the registry: it knows no operation by name.

`main` is the entry point; `arguments` understands a line, `run` does it, `output` gives JSON, `table` and `help` are for people.
May import operations/ and what they import; `workbench.app` only when the workbench itself is opened.
"""
