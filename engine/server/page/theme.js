// Set the theme, and the layout for a television (a large screen without a mouse, or ?tv), before the first
// paint. Runs as a classic script in the head; settings change the theme later.
(() => {
  let theme = null;
  try {
    theme = JSON.parse(localStorage.getItem("engine.theme"));
  } catch {
    // private windows: the system's theme
  }
  const far = "(min-width: 1920px) and (pointer: coarse), (min-width: 1920px) and (pointer: none)";
  if (new URLSearchParams(location.search).has("tv") || matchMedia(far).matches) document.documentElement.dataset.tv = "";
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
