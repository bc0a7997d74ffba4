"use strict";
// Keys: j and k move through what is shown, Enter opens it, / goes to the search, other keys press their link.
(() => {
  const items = [...document.querySelectorAll("[data-item]")];

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("textarea, select, input:not([type=checkbox])")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const letter = /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key;
    const at = items.indexOf(document.activeElement.closest("[data-item]"));
    if (letter === "j" || letter === "k") {
      const next = items[Math.min(items.length - 1, Math.max(0, at + (letter === "j" ? 1 : -1)))];
      if (next) {
        next.focus();
        event.preventDefault();
      }
      return;
    }
    if (event.key === "Enter" && document.activeElement.matches("[data-item]")) {
      const link = document.activeElement.querySelector("[data-open]");
      if (link) link.click();
      return;
    }
    const field = document.querySelector(`[data-focus="${event.key === "/" ? "/" : "none"}"]`);
    if (field) {
      field.focus();
      event.preventDefault();
      return;
    }
    const target = [...document.querySelectorAll("[data-key]")].find(
      (one) => one.dataset.key === event.key || one.dataset.key === letter,
    );
    if (target) {
      event.preventDefault();
      target.click();
    }
  });
})();
