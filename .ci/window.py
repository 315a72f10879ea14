"""Try to open a window as napari does; end with 0, or else with 1 and one line that says why it cannot be done.

Run in a process of its own: where a screen or a library is missing, Qt aborts the process rather than raise.
"""

import os
import sys

#: What napari's canvas needs; without a driver Windows offers 1.1.
OPENGL = (2, 1)


def find_problem() -> str:
    """Give why no window can be drawn in; empty where one can."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        return "There is no screen."
    try:
        from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
        from qtpy.QtWidgets import QApplication
    except Exception as error:  # noqa: BLE001  # qtpy raises errors of its own
        return f"Qt cannot be loaded: {str(error).splitlines()[0]}"
    application = QApplication([])
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return "OpenGL does not work."
    version = context.format().version()
    context.doneCurrent()
    del application
    return "" if version >= OPENGL else f"OpenGL is too old: {version[0]}.{version[1]}."


if __name__ == "__main__":
    problem = find_problem()
    if problem:
        print(problem)
    sys.exit(bool(problem))
