"""The memory's directory: catalog, vectors, Chroma index, media, lease."""
