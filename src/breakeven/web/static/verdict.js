// The sliders of the start page: one question in flight, the newest wins; the server answers in words, this file places them.
// Without it the same fields are a plain form.
"use strict";

(() => {
  const waiting = document.querySelector('[data-preparing="running"]');
  if (waiting) prepare(waiting);
  else if (document.getElementById("whatif")) begin(document.getElementById("whatif"));

  // The sliders are not ready yet: look again, and take them from the page once they are.
  async function prepare(waiting) {
    try {
      for (;;) {
        const found = await breakeven.get("/verdict/ready");
        if (!found.job) break;
        waiting.querySelector(".words").textContent = found.job.words || "starting";
        await new Promise((after) => setTimeout(after, 500));
      }
      await takeFromPage();
      copyButton(document.getElementById("same-command"));
      begin(document.getElementById("whatif"));
    } catch (error) {
      if (error.body?.job) return takeFromPage(); // it says why, and has the button that tries again
      waiting.textContent = `The sliders could not be prepared: ${error.message}`;
    }
  }

  async function takeFromPage() {
    const text = await (await fetch(location.href)).text();
    const page = new DOMParser().parseFromString(text, "text/html");
    document.getElementById("sliders").replaceWith(page.getElementById("sliders"));
    document.querySelector(".mini").replaceWith(page.querySelector(".mini"));
  }
})();

// As ui.js puts one beside every command; this one came after it.
function copyButton(code) {
  if (!navigator.clipboard || code.nextElementSibling) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  code.after(button);
}

function begin(form) {
  const root = document.getElementById("answer");
  const REST_MS = 250; // a hand that lies still so long has let go: the address is kept, charts follow, the sentence is read out
  const stands = new Map();
  const figures = new Map();
  let shown = location.pathname + location.search; // the address that the numbers on the page are of
  let kept = shown; // the address that the back button would leave
  let wanted = null; // the newest state nobody has asked for yet
  let underWay = null; // the state that was asked for last
  let asking = false;
  let resting = 0;
  let held = false; // a pointer is down on a slider
  let drawing = null; // the request of the charts
  let drawn = shown;

  for (const element of document.querySelectorAll("[data-fig]")) {
    const key = element.dataset.fig;
    if (!figures.has(key)) figures.set(key, []);
    figures.get(key).push({
      now: element.querySelector(".now"),
      was: element.querySelector(".was"),
      old: element.querySelector(".was s"),
      change: element.querySelector(".change"),
    });
  }

  for (const element of form.querySelectorAll("[data-stand]")) {
    const stand = {
      name: element.dataset.stand,
      base: Number(element.dataset.base),
      stops: JSON.parse(element.dataset.stops),
      element,
      range: element.querySelector('input[type="range"]'),
      field: element.querySelector('input[type="text"]'),
      reset: element.querySelector(".reset"),
      to: element.querySelector(".to"),
      words: element.querySelector(".to b"),
    };
    stands.set(stand.name, stand);
    stand.range.addEventListener("input", () => {
      slide(stand, Number(stand.range.value));
      ask();
    });
    stand.range.addEventListener("change", rest);
    stand.range.addEventListener("pointerdown", () => (held = true));
    stand.field.addEventListener("change", () => {
      ask();
      rest();
    });
    stand.reset.addEventListener("click", (event) => {
      event.preventDefault();
      slide(stand, stand.base);
      stand.range.focus();
      ask();
      rest();
    });
  }

  // The answer in short, while the sliders are in sight and the sentence is not.
  const mini = document.querySelector(".mini");
  const seen = { sentence: true, sliders: false };
  const watch = new IntersectionObserver((entries) => {
    for (const each of entries) seen[each.target.id] = each.isIntersecting;
    mini.hidden = seen.sentence || !seen.sliders;
  });
  watch.observe(document.getElementById("sentence"));
  watch.observe(document.getElementById("sliders"));

  for (const letGo of ["pointerup", "pointercancel", "blur"]) addEventListener(letGo, () => (held = false));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
    rest();
  });

  document.querySelector(".told")?.addEventListener("click", (event) => {
    const link = event.target.closest("a.reset");
    const stand = link && stands.get(link.dataset.name);
    if (!stand) return; // a change without a slider: the link does it
    event.preventDefault();
    slide(stand, stand.base);
    ask();
    rest();
  });

  document.querySelector(".reset-all")?.addEventListener("click", (event) => {
    event.preventDefault();
    for (const stand of stands.values()) slide(stand, stand.base);
    for (const other of form.querySelectorAll("[data-other]")) other.remove();
    ask();
    rest();
  });

  addEventListener("popstate", () => {
    kept = location.pathname + location.search;
    const said = new URLSearchParams(location.search);
    const others = new Set([...form.querySelectorAll("[data-other]")].map((each) => each.name));
    const named = [...said.keys()].filter((name) => !stands.has(name) && name !== "saved");
    if (named.length !== others.size || named.some((name) => !others.has(name))) return location.reload();
    for (const stand of stands.values()) {
      const text = said.get(stand.name) ?? "";
      const place = stand.stops.findIndex((each) => each[0] === text);
      slide(stand, place < 0 ? stand.base : place);
      stand.field.value = text;
    }
    ask();
    settle();
  });

  // A slider to one of its stops; its field says the same.
  function slide(stand, place) {
    const [text, words] = stand.stops[place];
    stand.range.value = place;
    stand.range.style.setProperty("--here", place / Math.max(stand.stops.length - 1, 1));
    stand.range.setAttribute("aria-valuetext", words);
    stand.field.value = text;
    mark(stand, text, words);
  }

  function mark(stand, text, words) {
    stand.element.classList.toggle("is-moved", text !== "");
    stand.reset.hidden = text === "";
    stand.to.hidden = text === "";
    stand.words.textContent = text === "" ? "" : words;
  }

  // What the fields say, as the end of an address.
  function query() {
    const said = new URLSearchParams();
    for (const stand of stands.values()) if (stand.field.value.trim()) said.set(stand.name, stand.field.value.trim());
    for (const other of form.querySelectorAll("[data-other]")) said.set(other.name, other.value);
    const text = said.toString();
    return text ? `?${text}` : "";
  }

  function ask() {
    drawing?.abort();
    const text = query();
    history.replaceState(null, "", `/${text}`);
    wanted = asking && text === underWay ? null : text; // Enter tells of a change and sends the form: that is one question
    if (!asking) next();
  }

  async function next() {
    asking = true;
    while (wanted !== null) {
      const asked = (underWay = wanted);
      wanted = null;
      try {
        const found = await breakeven.get(`/verdict/answer${asked}`);
        if (found.job) {
          await new Promise((after) => setTimeout(after, 400));
          wanted ??= asked;
          continue;
        }
        place(found, wanted === null);
      } catch (error) {
        refuse(error);
      }
    }
    asking = false;
    if (resting === -1) settle();
  }

  // The hand has let go: one entry in the history for where it went, not one for each step of the way.
  function rest() {
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (held) return rest();
      resting = -1;
      const here = `/${query()}`;
      if (here !== kept) {
        history.replaceState(null, "", kept);
        history.pushState(null, "", here);
        kept = here;
      }
      if (!asking) settle();
    }, REST_MS);
  }

  function settle() {
    resting = 0;
    const said = document.getElementById("said");
    const sentence = document.getElementById("sentence").textContent;
    if (said.textContent !== sentence) said.textContent = sentence;
    draw();
  }

  // New numbers, while the slider in hand stays where it is on the screen.
  function place(found, isNewest) {
    const hand = document.activeElement?.type === "range" ? document.activeElement : null;
    const before = hand?.getBoundingClientRect().top;
    put(found, isNewest);
    if (hand) scrollBy({ top: hand.getBoundingClientRect().top - before, behavior: "instant" });
  }

  function put(found, isNewest) {
    for (const [key, figure] of Object.entries(found.figures)) {
      const [now, was, change, value] = figure;
      const said = figure.join("\n");
      for (const spot of figures.get(key) ?? []) {
        if (spot.said === said) continue;
        spot.said = said;
        spot.now.textContent = now;
        if (value === null) spot.now.removeAttribute("data-value");
        else spot.now.dataset.value = value;
        spot.old.textContent = was;
        spot.was.hidden = was === "";
        spot.change.textContent = ` ${change}`;
        spot.change.hidden = change === "";
      }
    }
    document.getElementById("sentence").replaceChildren(
      ...found.sentence.flatMap(([text, isOdds, spaced], at) => {
        const space = spaced && at > 0 ? " " : "";
        if (!isOdds) return [space + text];
        const bold = document.createElement("b");
        bold.className = "odds";
        bold.textContent = text;
        return [space, bold];
      }),
    );
    document.getElementById("base-sentence").hidden = !found.changed;
    root.classList.toggle("is-changed", found.changed);
    for (const each of document.querySelectorAll(".as-things-are")) each.hidden = !found.changed;
    for (const card of document.querySelectorAll("[data-option]")) {
      const name = card.dataset.option;
      const recommended = name === found.recommended;
      card.hidden = !found.shown.includes(name);
      card.classList.toggle("is-recommended", recommended);
      card.querySelector(".mark-recommended").hidden = !recommended;
      card.querySelector(".mark-before").hidden = recommended || name !== found.recommended_before;
    }
    for (const row of document.querySelectorAll("[data-row]")) row.classList.toggle("recommended", row.dataset.row === found.recommended);
    for (const bar of document.querySelectorAll("[data-bar]")) {
      const ends = found.bars[bar.dataset.bar];
      bar.hidden = !ends;
      if (ends) ["--low", "--high", "--mean", "--was"].forEach((name, at) => bar.style.setProperty(name, ends[at]));
    }
    for (const meter of document.querySelectorAll("[data-odds]")) meter.style.setProperty("--odds", found.odds[meter.dataset.odds] ?? 0);
    tell(found);
    if (isNewest) {
      for (const [name, [here, text, words, typed]] of Object.entries(found.stands)) {
        const stand = stands.get(name);
        if (!stand) continue;
        if (document.activeElement !== stand.range) stand.range.value = here;
        stand.range.style.setProperty("--here", here / Math.max(stand.stops.length - 1, 1));
        stand.range.setAttribute("aria-valuetext", words);
        if (document.activeElement !== stand.field || typed !== "") stand.field.value = typed;
        mark(stand, text, words);
        stand.reset.hidden = typed === "";
        if (typed === text) stand.field.removeAttribute("aria-invalid");
        else stand.field.setAttribute("aria-invalid", "true");
      }
      shown = found.url;
    }
    root.dataset.of = found.url;
    document.getElementById("curves")?.classList.toggle("is-old", found.url !== drawn);
    if (isNewest && figuresMissing(found)) location.assign(found.url);
  }

  // An option that only the change makes possible has no place on this page yet.
  function figuresMissing(found) {
    return Object.keys(found.figures).some((key) => key.endsWith(".present") && !figures.has(key));
  }

  // What is different, the command that gives the same, and what could not be taken.
  function tell(found) {
    const bar = document.querySelector(".changed-bar");
    bar.hidden = !found.changed;
    const command = document.getElementById("same-command");
    command.textContent = found.command;
    command.nextElementSibling?.setAttribute("aria-label", `Copy the command ${found.command}`);
    const save = document.querySelector('.save input[name="changes"]');
    save.value = found.url.slice(1);
    const list = bar.querySelector(".told");
    list.replaceChildren(
      ...found.told.map(([name, title, before, after, note, reset]) => {
        const row = document.createElement("li");
        const bold = document.createElement("b");
        bold.textContent = title;
        const link = document.createElement("a");
        link.className = "reset";
        link.href = reset;
        link.dataset.name = name;
        link.textContent = "Reset";
        link.setAttribute("aria-label", `Reset ${title}`);
        row.append(bold, ` ${before} → ${after} `, link);
        if (note) {
          const words = document.createElement("span");
          words.className = "note";
          words.textContent = note;
          row.append(words);
        }
        return row;
      }),
    );
    refused(found.refused);
  }

  function refuse(error) {
    refused([["", error.status ? error.message : "The dashboard does not answer."]], "The numbers are those of before:");
  }

  function refused(reasons, title = "Left out of the numbers, because it cannot be:") {
    let box = document.getElementById("refused");
    if (!reasons.length) return box?.remove();
    const words = [title, ...reasons.map(([, why]) => why)].join(" ");
    if (box?.dataset.words === words) return;
    box?.remove();
    box = document.createElement("div");
    box.id = "refused";
    box.className = "panel danger";
    box.dataset.words = words;
    box.setAttribute("role", "alert");
    const head = document.createElement("b");
    head.textContent = title;
    const list = document.createElement("ul");
    list.append(
      ...reasons.map(([, why]) => {
        const row = document.createElement("li");
        row.className = why.includes("\n") ? "said in-file" : "said";
        row.textContent = why;
        return row;
      }),
    );
    box.append(head, list);
    form.after(box);
  }

  // Charts after the numbers: the lines at once, then the ranges around them; what nobody waits for any more is given up.
  async function draw() {
    const here = `/${query()}`;
    if (here === drawn) return;
    drawing?.abort();
    drawing = new AbortController();
    try {
      const text = here.slice(1);
      drawn = ""; // from here on what is shown may be another state's
      const signal = drawing.signal;
      if (text) {
        await redraw(`/verdict/curves${text}&quick=yes`, signal);
        await new Promise((after) => setTimeout(after, 2 * REST_MS)); // who moves on is not kept waiting by the ranges
        if (signal.aborted) return;
      }
      await redraw(`/verdict/curves${text}`, signal);
      document.getElementById("curves").classList.remove("is-old");
      drawn = here;
    } catch (error) {
      if (error.name !== "AbortError") refuse(error);
    }
  }

  async function redraw(url, signal) {
    const found = await breakeven.get(url, { signal });
    if (!found.html) return;
    const figure = document.getElementById("curves");
    const fresh = new DOMParser().parseFromString(found.html, "text/html").getElementById("curves");
    if (figure.querySelector(".crossings")?.open) fresh.querySelector(".crossings")?.setAttribute("open", "");
    figure.replaceChildren(...fresh.childNodes);
  }
}
