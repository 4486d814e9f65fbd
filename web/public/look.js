// Sets the theme, the text size and the language before the first paint, so that nothing flashes. A file of its own because
// the page's policy runs no inline script; src/app/look.ts writes what is read here.
(function () {
  var root = document.documentElement;
  function kept(key) {
    try {
      return localStorage.getItem("lescopains." + key);
    } catch {
      return null;
    }
  }
  var theme = kept("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (theme === "contrast" || (!theme && matchMedia("(prefers-contrast: more)").matches))
    root.dataset.contrast = "more";
  var size = Number(kept("text-size"));
  if (size >= 80 && size <= 150) root.style.setProperty("--text-scale", String(size / 100));
  var language = kept("language");
  if (language) root.lang = language;
})();
