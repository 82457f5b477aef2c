/* Runs in the head, before anything is painted: the kept choice of theme, so that nothing flashes. */
(function () {
  "use strict";
  try {
    var theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (error) {
    /* Storage can be switched off; then the system's choice holds. */
  }
})();
