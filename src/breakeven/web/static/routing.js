// The try-it box answers in place. Without this file the form is sent and the page comes back with the answer.
"use strict";

(() => {
  const form = document.getElementById("try-form");
  const answer = document.getElementById("try-answer");
  if (!form || !answer) return;

  function made(tag, text, className) {
    const found = document.createElement(tag);
    if (text !== undefined) found.textContent = text;
    if (className) found.className = className;
    return found;
  }

  function table(rows) {
    const region = made("div", undefined, "scroll");
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", "Models for this request");
    region.tabIndex = 0;
    const shown = made("table", undefined, "numbers");
    const head = shown.createTHead().insertRow();
    for (const name of ["Model", "Predicted success", "Price"]) {
      const cell = made("th", name);
      cell.scope = "col";
      head.append(cell);
    }
    const body = shown.createTBody();
    for (const [model, share, price, chosen] of rows) {
      const row = body.insertRow();
      if (chosen) row.className = "chosen";
      const title = made("th", chosen ? `${model} (chosen)` : model);
      title.scope = "row";
      row.append(title, made("td", share), made("td", price));
    }
    region.append(shown);
    return region;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const panel = made("div", undefined, "panel");
    try {
      const found = await breakeven.post(form.action, new FormData(form));
      found.words.forEach((line, at) => panel.append(made("p", line, at ? "" : "said")));
      panel.append(table(found.rows));
    } catch (error) {
      panel.className = "panel danger";
      panel.append(made("p", error.message, "said"));
    }
    answer.replaceChildren(panel);
  });
})();
