"""Disks that are nearly full, by how large files may become in this process."""


def set_largest_file(size: int | None) -> None:
    """Let no file become larger than this; None: as large as they like."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY if size is None else size, hard))
