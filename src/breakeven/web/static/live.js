// A part of a page that keeps itself up to date: [data-live=URL] asks again every [data-every] seconds, rests while the
// page is hidden or paused, and changes only the pieces (children with an id) that differ, so that focus, open details
// and a reader's place stay. Without this file the page refreshes as a whole.
"use strict";

for (const region of document.querySelectorAll("[data-live]")) {
  const every = Number(region.dataset.every || 3) * 1000;
  const pause = document.querySelector("[data-live-pause]");
  const known = new Map([...region.children].filter((each) => each.id).map((each) => [each.id, each.outerHTML]));
  let tag = "";
  let timer = 0;
  let paused = false;
  let failures = 0;

  async function look() {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch(region.dataset.live, { headers, cache: "no-store", redirect: "error" });
      if (answer.status === 200) {
        tag = answer.headers.get("etag") ?? "";
        show(new DOMParser().parseFromString(await answer.text(), "text/html").body);
      } else if (answer.status !== 304) {
        throw new Error(String(answer.status));
      }
      if (failures) say("");
      failures = 0;
    } catch {
      failures += 1;
      say("The dashboard does not answer; what stands here is of before. It is asked again.");
    }
    timer = setTimeout(look, every * Math.min(1 + failures, 10));
  }

  // Each piece by its id; other pieces than before: all of them.
  function show(fresh) {
    const pieces = [...fresh.children];
    const same =
      pieces.length === region.children.length && pieces.every((each, at) => each.id && region.children[at].id === each.id);
    const focus = document.activeElement?.closest("[data-live]") === region ? keyOf(document.activeElement) : null;
    const open = new Map([...region.querySelectorAll("details[id]")].map((each) => [each.id, each.open]));
    const places = [...region.querySelectorAll(".scroll")].map((each) => [each.getAttribute("aria-label"), each.scrollLeft]);
    if (same) {
      pieces.forEach((each, at) => {
        const text = each.outerHTML;
        if (known.get(each.id) !== text) {
          known.set(each.id, text);
          region.children[at].replaceWith(document.adoptNode(each));
        }
      });
    } else {
      known.clear();
      for (const each of pieces) if (each.id) known.set(each.id, each.outerHTML);
      region.replaceChildren(...pieces.map((each) => document.adoptNode(each)));
    }
    for (const [id, is] of open) {
      const found = document.getElementById(id);
      if (found) found.open = is;
    }
    for (const [label, left] of places) {
      const found = left && region.querySelector(`.scroll[aria-label="${CSS.escape(label)}"]`);
      if (found) found.scrollLeft = left;
    }
    if (focus && !region.contains(document.activeElement)) find(focus)?.focus({ preventScroll: true });
  }

  // Where the focus is, so that it can be found again in a new piece.
  function keyOf(element) {
    const all = [...region.querySelectorAll(element.tagName)];
    return { tag: element.tagName, at: all.indexOf(element), text: element.textContent };
  }

  function find(key) {
    const all = [...region.querySelectorAll(key.tag)];
    return all.find((each) => each.textContent === key.text) ?? all[key.at];
  }

  function say(words) {
    const place = region.querySelector("[data-live-state]");
    if (place && words) place.textContent = words;
    known.delete(place?.id);
    tag = words ? "" : tag;
  }

  pause?.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    look();
  });
  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, every);
}
