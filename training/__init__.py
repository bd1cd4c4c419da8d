"""How the embedded cross-encoder was made and measured; not needed to run the page."""
