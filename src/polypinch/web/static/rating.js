"use strict";
// Keys press what the page shows; without this script every button works all the same.
(() => {
  const form = document.querySelector("form[data-rate]");

  // How long the task was in view: time in which the page was hidden does not count.
  let seen = 0;
  let since = document.hidden ? null : performance.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && since !== null) {
      seen += performance.now() - since;
      since = null;
    } else if (!document.hidden) {
      since = performance.now();
    }
  });

  if (form) {
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) {
        event.preventDefault();
        return;
      }
      sent = true;
      const more = since === null ? 0 : performance.now() - since;
      form.elements.milliseconds.value = String(Math.round(seen + more));
    });
    // A page that the browser keeps for the way back shows what was rated already.
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("textarea, input[type=text], summary, a, button") && event.key === "Enter") return;
    if (event.target.closest("textarea, input[type=text]")) return;
    // On a layout of another script the key that says u on the cap says something else.
    const letter = /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key;
    const digit = /^(Digit|Numpad)[0-9]$/.test(event.code) && !event.shiftKey ? event.code.slice(-1) : null;
    const target = [...document.querySelectorAll("[data-key]")].find(
      (one) => one.dataset.key === event.key || one.dataset.key === letter || one.dataset.key === digit,
    );
    if (target) {
      event.preventDefault();
      target.click();
    }
  });
})();
