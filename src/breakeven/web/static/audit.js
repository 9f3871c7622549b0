/* Labelling by keys: 1, 2, 3, s and u press the button that shows them; nothing happens while a person types. */
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof Element && event.target.closest("input:not([type=hidden]), select, textarea")) return;
  const button = document.querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button || button.disabled || document.body.dataset.sent) return;
  event.preventDefault();
  button.click();
});
document.addEventListener("submit", (event) => {
  if (!event.target.closest(".answers")) return;
  if (document.body.dataset.sent) {
    event.preventDefault();
    return;
  }
  document.body.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => delete document.body.dataset.sent);
