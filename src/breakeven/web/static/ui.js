// What pages share: progress that refreshes itself, commands that can be copied, the token for requests of other scripts.
// Without this file every page still works: forms and links do the same.
"use strict";

document.documentElement.classList.add("js");

// breakeven.post(url, fields) and breakeven.get(url): JSON from the server, with the token that it asks for.
window.breakeven = {
  token: document.querySelector('meta[name="csrf"]')?.content ?? "",

  async get(url, options = {}) {
    return breakeven.answer(await fetch(url, { headers: { Accept: "application/json" }, ...options }));
  },

  async post(url, fields = {}, options = {}) {
    const headers = { Accept: "application/json", "x-breakeven-csrf": breakeven.token };
    const body = fields instanceof FormData ? fields : new URLSearchParams(fields);
    return breakeven.answer(await fetch(url, { method: "POST", headers, body, ...options }));
  },

  async answer(response) {
    const found = await response.json().catch(() => ({}));
    if (!response.ok) {
      const error = new Error(found.error?.message ?? `The dashboard answered ${response.status}.`);
      error.status = response.status;
      error.body = found;
      throw error;
    }
    return found;
  },
};

// The strip of running jobs, and a page that waits for one.
(() => {
  const strip = document.getElementById("jobs");
  const waiting = document.querySelector("[data-wait]");
  if (!strip) return;
  const every = 1000;
  let known = new Set([...strip.querySelectorAll("[data-job]")].map((each) => each.dataset.job));

  function show(jobs) {
    const running = jobs.filter((each) => each.state === "running");
    const keys = new Set(running.map((each) => each.key));
    for (const each of strip.querySelectorAll("[data-job]")) if (!keys.has(each.dataset.job)) each.remove();
    for (const job of running) {
      let row = strip.querySelector(`[data-job="${job.key}"]`);
      if (!row) strip.append((row = newRow(job)));
      const words = row.querySelector(".words");
      if (words.textContent !== job.words) words.textContent = job.words;
    }
    strip.hidden = running.length === 0;
    known = keys;
  }

  function newRow(job) {
    const row = document.createElement("div");
    row.className = "job";
    row.dataset.job = job.key;
    const spinner = document.createElement("span");
    spinner.className = "spinner";
    spinner.setAttribute("aria-hidden", "true");
    const title = document.createElement("b");
    title.textContent = job.title;
    const words = document.createElement("span");
    words.className = "words";
    const button = document.createElement("button");
    button.className = "small";
    button.type = "button";
    button.textContent = "Cancel";
    button.setAttribute("aria-label", `Cancel ${job.title}`);
    button.addEventListener("click", () => breakeven.post(`/jobs/${job.key}/cancel`).catch(() => {}));
    row.append(spinner, title, words, button);
    return row;
  }

  async function look() {
    let jobs;
    try {
      jobs = (await breakeven.get("/api/jobs")).jobs;
    } catch {
      setTimeout(look, every * 5);
      return;
    }
    show(jobs);
    if (waiting) {
      const job = jobs.find((each) => each.key === waiting.dataset.wait);
      if (!job || job.state !== "running") {
        location.reload();
        return;
      }
      const words = waiting.querySelector(".words");
      if (words && words.textContent !== job.words) words.textContent = job.words || "starting";
      const elapsed = waiting.querySelector(".elapsed");
      if (elapsed) elapsed.textContent = Math.round(job.running_s);
    }
    if (waiting || known.size) setTimeout(look, every);
  }

  // breakeven.watch(): look at the jobs again, e.g. after a script has started one.
  breakeven.watch = look;
  if (waiting || known.size) setTimeout(look, waiting ? 300 : every);
})();

// A button beside every command that is shown.
for (const each of document.querySelectorAll(".command > code")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy the command ${each.textContent}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(each.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  each.after(button);
}

// A form with data-confirm asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
