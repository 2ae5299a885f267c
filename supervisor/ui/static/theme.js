// Dark or light, as the system says or as chosen here. Not a module: it runs before anything is drawn.
(() => {
  "use strict";
  const KEY = "connectd.theme";
  const CHOICES = ["system", "light", "dark"];
  const root = document.documentElement;

  function chosen() {
    const theme = localStorage.getItem(KEY);
    return CHOICES.includes(theme) ? theme : "system";
  }

  function apply() {
    root.dataset.theme = chosen();
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${chosen()}`;
  }

  globalThis.nextTheme = () => {
    localStorage.setItem(KEY, CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length]);
    apply();
  };

  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", globalThis.nextTheme);
  });
})();
