// Set the theme before the first paint; runs as a classic script in the head. Settings change it later.
(() => {
  let theme = null;
  try {
    theme = JSON.parse(localStorage.getItem("engine.theme"));
  } catch {
    // private windows: the system's theme
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
