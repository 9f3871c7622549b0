// Facts and traces: trees that open at once, links into closed parts. Without it every step opens by itself.
"use strict";

for (const button of document.querySelectorAll("[data-tree]")) {
  button.addEventListener("click", () => {
    for (const each of document.querySelectorAll(".tree details")) each.open = button.dataset.tree === "open";
  });
}

// A link into a closed part of the tree opens the way to it.
function reveal() {
  let each = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  for (; each; each = each.parentElement) if (each instanceof HTMLDetailsElement) each.open = true;
}
window.addEventListener("hashchange", reveal);
reveal();
