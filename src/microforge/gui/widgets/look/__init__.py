"""How the dock looks beyond napari's theme: buttons that stand out, icons, pictures of goals."""
