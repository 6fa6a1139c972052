"""What the operating system complains of, in the user's language: the reason, and what to do about it."""

from __future__ import annotations

import errno
from typing import Final

from campaign_cli.i18n import N_, _

_CHECK_RIGHTS: Final = N_("Check the owner and the permissions.")
_OTHER_NAME: Final = N_("Choose another name.")
_MAKE_ROOM: Final = N_("Make room on the disk, then run the command again.")

_TABLE: Final[dict[int, tuple[str, str]]] = {
    errno.ENOENT: (N_("there is no such file or folder"), N_("Check the name.")),
    errno.EACCES: (N_("permission denied"), _CHECK_RIGHTS),
    errno.EPERM: (N_("permission denied"), _CHECK_RIGHTS),
    errno.EROFS: (N_("the disk is read-only"), N_("Use a folder that can be written to.")),
    errno.ENOSPC: (N_("the disk is full"), _MAKE_ROOM),
    errno.EDQUOT: (N_("the disk is full"), _MAKE_ROOM),
    errno.EFBIG: (N_("the file would become too large"), _MAKE_ROOM),
    errno.EISDIR: (N_("this is a folder, not a file"), N_("Name a file.")),
    errno.ENOTDIR: (N_("a part of the path is a file, not a folder"), _OTHER_NAME),
    errno.EEXIST: (N_("there is something of that name already"), _OTHER_NAME),
    errno.ENAMETOOLONG: (N_("the name is too long"), _OTHER_NAME),
    errno.EIO: (N_("the disk does not answer as it should"), N_("Check the disk, then run the command again.")),
    errno.EADDRINUSE: (N_("another program uses it"), N_("End the other program, or choose another port.")),
    errno.ECONNREFUSED: (N_("nothing answers there"), N_("Check the address.")),
}


def reason(error: OSError) -> str:
    """Why it failed, as part of a sentence; the system's own words for what is rare."""
    known = _TABLE.get(error.errno or 0)
    return _(known[0]) if known else str(error.strerror or error)


def remedy(error: OSError) -> str:
    """What to do about it, or ""."""
    known = _TABLE.get(error.errno or 0)
    return _(known[1]) if known else ""
