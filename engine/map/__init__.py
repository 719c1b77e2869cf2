"""Where does every track lie? The library as a picture or a page."""
