// The label queue: y, n and s press the buttons; a key that is meant for a field, or pressed twice, presses nothing.
"use strict";

const form = document.querySelector("form[data-keys]");
if (form) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest("input, textarea, select")) return;
    const button = form.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button && !sent) {
      event.preventDefault();
      button.click();
    }
  });
}
