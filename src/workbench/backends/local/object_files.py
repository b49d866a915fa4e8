"""The files of a class's folder: which objects there are, and which files belong to one.

`<id>.sqlite` is an object's database, `<id>.<n>.sqlite` a facet's, `<id>.facets` the index; each database may have a
`-wal` and a `-shm` beside it. `metadata.sqlite` is the runtime's own. One listing of the folder answers everything here.
"""

import errno
import os

from workbench.model.errors import WorkbenchError

from .contained import contained

ID_LENGTH = 64
_HEX = frozenset("0123456789abcdef")


def is_id(text: str) -> bool:
    """Whether text has the form of an object's id."""
    return len(text) == ID_LENGTH and _HEX.issuperset(text)


class Folder:
    """A class's folder as it was listed. path: the folder. listed: every file's name, in no order."""

    def __init__(self, path: str, listed: list[str]) -> None:
        self.path = path
        self.listed = listed
        self._names: frozenset[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        if self._names is None:
            self._names = frozenset(self.listed)
        return self._names

    def ids(self) -> list[str]:
        """The ids of all objects that have a database, or an index of facets, in order."""
        # ".sqlite" and ".facets" are as long as each other; nothing else beside an id is.
        length = ID_LENGTH + len(".sqlite")
        return sorted(
            {name[:ID_LENGTH] for name in self.listed if len(name) == length and name[ID_LENGTH] == "."}
        )

    def database(self, object: str, facet: int = 0) -> str:
        """The path of an object's database, or of its numbered facet's."""
        return database_path(self.path, object, facet)

    def has(self, object: str, facet: int = 0) -> bool:
        return database_name(object, facet) in self.names

    def facet_index(self, object: str) -> str | None:
        """The path of the facet index, or None where the object has never had a facet."""
        name = object + ".facets"
        return f"{self.path}/{name}" if name in self.names else None

    def of(self, object: str) -> list[str]:
        """Every file of an object, by name, in order."""
        return sorted(name for name in self.listed if name.startswith(object + "."))


def database_name(object: str, facet: int = 0) -> str:
    return f"{object}.{facet}.sqlite" if facet else f"{object}.sqlite"


def database_path(folder: str, object: str, facet: int = 0) -> str:
    return f"{folder}/{database_name(object, facet)}"


def list_folder(path: str) -> Folder:
    """List a class's folder; an empty one where it does not exist, or where no folder can have such a name."""
    try:
        return Folder(path, os.listdir(contained(path)))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return Folder(path, [])
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return Folder(path, [])
        raise WorkbenchError("state.unreadable", f"{path} can't be listed: {error.strerror}") from error
