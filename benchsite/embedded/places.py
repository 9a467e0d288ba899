"""Where the embedded server keeps its files, and as which user it runs."""

import hashlib
import os
import pwd
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchsite.embedded.errors import EmbeddedError, explaining_files
from benchsite.env import SiteEnvironment

DATABASE = "benchsite"
SUPERUSER = "postgres"
PORT = 5432  # names the socket file only: the server listens on no network address
SYSTEM_STATE = Path("/var/lib")
SOCKET_DIR_MAX_BYTES = 85  # the kernel's limit is 107 with the file name, 103 on macOS
SOCKET_DIR_FORBIDDEN = frozenset(",\"'\\")  # separators and quotes in libpq and postgresql.conf


@dataclass(frozen=True)
class ServerUser:
    """The user that the server runs as when root starts it, since PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Whether the mode bits let this user into `folder`, through all that lies above it.

        Where links lead elsewhere, through all that lies above there, too.
        """
        target = folder.resolve()
        parts = {folder, *folder.parents, target, *target.parents}
        return all(self._may_search(part) for part in parts if part.exists())

    def _may_search(self, folder: Path) -> bool:
        state = folder.stat()
        if state.st_uid == self.uid:
            return bool(state.st_mode & 0o100)
        if state.st_gid == self.gid:
            return bool(state.st_mode & 0o010)
        return bool(state.st_mode & 0o001)


@dataclass(frozen=True)
class Places:
    """The files of one embedded server."""

    data_dir: Path  # the site's, ours
    home: Path  # the server user's: clusters and, where the path is short enough, the socket
    socket_dir: Path
    user: ServerUser | None  # None: the current user

    @property
    def lock_file(self) -> Path:
        """The file locked while a server is set up or started."""
        return self.data_dir / "postgres.lock"

    @property
    def life_file(self) -> Path:
        """The file that is locked for as long as a process of a server lives."""
        return self.home / "server.lock"

    @property
    def log_file(self) -> Path:
        """What the servers said, newest last."""
        return self.data_dir / "postgres.log"


def places_of_site(site: SiteEnvironment) -> Places:
    """Return the places that the site's environment leads to."""
    with explaining_files():
        return find_places(site.data_dir, may_move=not site.data_dir_chosen)


def find_places(data_dir: Path, *, may_move: bool) -> Places:
    """Decide where the server's files go; raises EmbeddedError where they can go nowhere.

    As root, with a data folder that the server's user cannot reach: where `may_move` (the data
    folder is the default one) the server's files go to /var/lib, and a link says where.
    """
    user = find_server_user()
    home = data_dir / "postgres"
    if home.is_symlink():
        home = home.readlink()
    elif user is not None and not user.may_enter(data_dir.parent):
        if home.exists():
            raise EmbeddedError(belongs_to(home, home.stat().st_uid))
        if not may_move:
            raise EmbeddedError(
                f"The data folder {data_dir} is out of reach for the user {user.name!r}, as whom "
                "PostgreSQL runs when root starts it: set BENCHSITE_DATA_DIR to a folder outside "
                "of private ones, for example /var/lib/benchsite, or run the site as an ordinary "
                "user."
            )
        home = _moved(home)
    return Places(data_dir=data_dir, home=home, socket_dir=_socket_dir(home), user=user)


def belongs_to(folder: Path, uid: int) -> str:
    """Return the sentence about a folder that another user's server works in."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return (
        f"{folder} belongs to the user {name!r}: run the site as the user who started it first, "
        "or set BENCHSITE_DATA_DIR to a folder of your own."
    )


def _moved(home: Path) -> Path:
    """Link `home` to a new place; the link goes with its data folder, so no other finds it."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # another process was first
        home.symlink_to(SYSTEM_STATE / f"benchsite-{secrets.token_hex(4)}")
    return home.readlink()


def find_server_user() -> ServerUser | None:
    """Return the user to drop to; None for anyone but root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it "
        "as: run the site as an ordinary user, or set DATABASE_URL."
    )


def _socket_dir(home: Path) -> Path:
    path = os.fspath(home)
    if len(os.fsencode(path)) <= SOCKET_DIR_MAX_BYTES and not SOCKET_DIR_FORBIDDEN & set(path):
        return home
    # A fixed name, since every process of the site must find it; its owner is checked at the start.
    short = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return Path("/tmp") / f"benchsite-{short}"  # noqa: S108
