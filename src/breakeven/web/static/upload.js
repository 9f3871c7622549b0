// Import: files that are dropped on the page, how far they have been sent, and an end to it. Without it: a plain form.
"use strict";

(() => {
  const form = document.querySelector("form.upload");
  if (!form) return;
  const drop = form.querySelector("#drop");
  const input = form.querySelector("#files");
  const list = form.querySelector(".chosen-files");
  const sending = form.querySelector(".sending");
  const words = sending.querySelector(".words");
  const bar = sending.querySelector("progress");
  const limit = Number(form.dataset.limit);
  const most = Number(form.dataset.files);
  let request = null;

  const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`);

  function show() {
    const files = [...input.files];
    list.replaceChildren(...files.slice(0, 30).map((each) => {
      const item = document.createElement("li");
      item.textContent = `${each.name}, ${size(each.size)}`;
      return item;
    }));
    if (files.length > 30) {
      const more = document.createElement("li");
      more.textContent = `and ${files.length - 30} more`;
      list.append(more);
    }
    list.hidden = files.length < 2;
    const total = files.reduce((sum, each) => sum + each.size, 0);
    const many = files.length > most ? `These are ${files.length} files; at most ${most} at once. ` : "";
    const large = total > limit ? `This is ${size(total)}; at most ${size(limit)} at once. ` : "";
    input.setCustomValidity(many || large ? `${many}${large}breakeven import FOLDER has no limit.` : "");
    if (many || large) input.reportValidity();
  }
  input.addEventListener("change", show);

  // Files of a dropped folder, in the order of their names.
  async function filesOf(entry) {
    if (entry.isFile) return [await new Promise((good, bad) => entry.file(good, bad))];
    const reader = entry.createReader();
    const inside = [];
    for (;;) {
      const some = await new Promise((good, bad) => reader.readEntries(good, bad));
      if (!some.length) break;
      inside.push(...some);
    }
    inside.sort((one, two) => (one.name < two.name ? -1 : 1));
    return (await Promise.all(inside.filter((each) => !/^[._]/.test(each.name)).map(filesOf))).flat();
  }

  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    drop.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((each) => each.webkitGetAsEntry?.()).filter(Boolean);
    const files = entries.length ? (await Promise.all(entries.map(filesOf))).flat() : [...event.dataTransfer.files];
    const transfer = new DataTransfer();
    for (const each of files) transfer.items.add(each);
    input.files = transfer.files;
    show();
    input.focus();
  });

  function stopped(text) {
    request = null;
    words.textContent = text;
    bar.hidden = true;
    form.querySelector("button.primary").disabled = false;
    sending.querySelector("[data-stop]").hidden = true;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (request) return;
    request = new XMLHttpRequest();
    sending.hidden = false;
    bar.hidden = false;
    sending.querySelector("[data-stop]").hidden = false;
    form.querySelector("button.primary").disabled = true;
    words.textContent = "Sending";
    request.upload.addEventListener("progress", (at) => {
      if (!at.lengthComputable) return;
      bar.value = (at.loaded / at.total) * 100;
      words.textContent = `Sending: ${size(at.loaded)} of ${size(at.total)}`;
    });
    request.addEventListener("load", () => {
      let found = {};
      try {
        found = JSON.parse(request.responseText);
      } catch {}
      if (request.status === 202 && found.url) location.assign(found.url);
      else stopped(found.error?.message ?? `The dashboard answered ${request.status}. Nothing was imported.`);
    });
    request.addEventListener("error", () => stopped("The connection was cut. Nothing was imported."));
    request.addEventListener("abort", () => stopped("Cancelled. Nothing was imported."));
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("x-breakeven-csrf", breakeven.token);
    request.send(new FormData(form));
  });
  sending.querySelector("[data-stop]").addEventListener("click", () => request?.abort());
})();
