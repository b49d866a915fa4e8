"""Textual screens, and the panes that are a tab's content. They ask operations, and know no format on disk.

`session.py` is the one way to an operation; `pane.py` says what a tab's content is and which pane shows which resource.
Each screen's `.tcss` lies beside it.
"""
