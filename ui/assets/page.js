/* What the page does without asking the server: link the two lists, draw the lines between them, keep the address
   bar true, copy a link, sort and hand out the trace, switch dark and light. Texts are only ever read as text. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const SVG = "http://www.w3.org/2000/svg";
  // Explore's elements, and Your own's of the same kind: a comparison each, apart by how their ids begin.
  const PARTS = ["", "own-"];
  const part = (name, id, root = document) => $(`#${name}${id}`, root);
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Dark and light: ?__theme= wins, then what was chosen here before, then the system.
  const THEME = "rerank-theme";
  function chosenTheme() {
    try { return localStorage.getItem(THEME); } catch { return null; }
  }
  function applyTheme() {
    const asked = new URLSearchParams(location.search).get("__theme");
    const theme = asked || chosenTheme();
    if (theme === "dark" || theme === "light") document.body.classList.toggle("dark", theme === "dark");
  }
  function toggleTheme() {
    const dark = document.body.classList.toggle("dark");
    try { localStorage.setItem(THEME, dark ? "dark" : "light"); } catch { /* a private window forgets */ }
    say(dark ? "Dark" : "Light");
  }

  function say(words) {
    const place = $("[data-said]");
    if (place) { place.textContent = ""; requestAnimationFrame(() => { place.textContent = words; }); }
  }

  // The address bar and the copied link hold the state that the server wrote into the first list.
  function state() { return $("#before [data-link]")?.dataset.link || ""; }
  function keepAddress() {
    const link = state();
    if (!link || location.search === link) return;
    const theme = new URLSearchParams(location.search).get("__theme");
    history.replaceState(history.state, "", link + (theme ? "&__theme=" + encodeURIComponent(theme) : ""));
  }
  async function copyLink(button) {
    const revealed = $("#before [data-state=revealed]") ? "&reveal=1" : "";
    const address = (button.dataset.base || location.origin + location.pathname) + state() + revealed;
    try {
      await navigator.clipboard.writeText(address);
      flash(button, "Copied");
    } catch {
      prompt("Copy this link", address);
    }
  }
  function flash(button, words) {
    const before = button.dataset.words || button.textContent;
    button.dataset.words = before;
    button.textContent = words;
    say(words);
    setTimeout(() => { button.textContent = before; }, 1600);
  }

  // Rows of both lists are the same objects: hover or focus lights both and their line.
  let lit = null;
  function light(id) {
    if (id === lit) return;
    lit = id;
    for (const name of PARTS) {
      $$(`#${name}compare [data-doc]`).forEach((el) => el.classList.toggle("lit", el.dataset.doc === id));
      part(name, "compare")?.classList.toggle("has-lit", id !== null);
    }
  }
  const docOf = (target) => target instanceof Element
    && target.closest("#compare .row[data-doc], #own-compare .row[data-doc]")?.dataset.doc || null;
  document.addEventListener("mouseover", (e) => light(docOf(e.target)));
  document.addEventListener("focusin", (e) => light(docOf(e.target)));

  // Lines: measured from the rows as they stand, so that zoom, wrapping and opened rows keep them true.
  function drawLines(name, fresh) {
    const box = $(`#${name}lines [data-lines]`), svg = box && $("svg", box);
    if (!svg || !box.offsetParent) return;
    const frame = box.getBoundingClientRect();
    const seen = (row) => row.offsetParent !== null;
    const left = new Map($$(`#${name}before .row`).filter(seen).map((r) => [r.dataset.doc, r]));
    const right = new Map($$(`#${name}after .row[data-doc]`).filter(seen).map((r) => [r.dataset.doc, r]));
    const middle = (row) => { const b = row.getBoundingClientRect(); return b.top + b.height / 2 - frame.top; };
    const bottom = Math.max(...[...left.values(), ...right.values()].map((r) => r.getBoundingClientRect().bottom - frame.top), 0);
    svg.replaceChildren();
    if (!bottom) return;
    const w = frame.width;
    svg.setAttribute("viewBox", `0 0 ${w} ${bottom}`);
    svg.style.height = `${bottom}px`;
    let leaving = 0;
    const add = (doc, kind, d) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", d);
      path.setAttribute("class", kind);
      path.dataset.doc = doc;
      svg.append(path);
      if (fresh && !calm()) {
        const length = path.getTotalLength();
        path.animate([{ strokeDasharray: length, strokeDashoffset: length }, { strokeDasharray: length, strokeDashoffset: 0 }],
          { duration: 700, easing: "ease-out" });
      }
    };
    const word = (doc, x, y, anchor, text) => {
      const label = document.createElementNS(SVG, "text");
      label.setAttribute("x", x); label.setAttribute("y", y); label.setAttribute("text-anchor", anchor);
      label.dataset.doc = doc; label.textContent = text;
      svg.append(label);
    };
    const kindOf = (row) => row.classList.contains("up") ? "up" : row.classList.contains("down") ? "down" : "same";
    for (const [doc, row] of right) {
      const y2 = middle(row), from = left.get(doc);
      if (from) {
        const y1 = middle(from);
        add(doc, kindOf(row), `M0,${y1} C${w * 0.45},${y1} ${w * 0.55},${y2} ${w},${y2}`);
      } else {
        const was = $(".move", row)?.textContent.match(/from (\d+)/)?.[1];
        const x = w * 0.34 + 12 * (leaving++ % 5);
        add(doc, kindOf(row) + " edge", `M${x},${bottom} C${x},${(bottom + y2) / 2} ${w * 0.6},${y2} ${w},${y2}`);
        if (was) word(doc, w - 4, y2 - 5, "end", `from ${was}`);
      }
    }
    for (const [doc, row] of left) {
      if (right.has(doc)) continue;
      const y1 = middle(row), to = $(".move", row)?.textContent.match(/to (\d+)/)?.[1];
      add(doc, "down edge", `M0,${y1} C${w * 0.12},${y1} ${w * 0.2},${y1 + 4} ${w * 0.24},${y1 + 22}`);
      if (to) word(doc, w * 0.26, y1 + 26, "start", `to ${to}`);
    }
    if (lit) { const keep = lit; lit = null; light(keep); }
  }
  const drawAll = () => PARTS.forEach((name) => drawLines(name, false));
  const drawn = new Map();
  let planned = 0;
  function plan() {
    cancelAnimationFrame(planned);
    planned = requestAnimationFrame(() => {
      for (const name of PARTS) {
        const key = $(`#${name}before [data-key]`)?.dataset.key || "";
        const now = key + ($(`#${name}after [data-state=final]`) ? "+" : "");
        const fresh = now !== drawn.get(name);
        drawn.set(name, now);
        if (fresh && !name) showChosenCard();
        if (fresh) showAll(name, false);
        if (fresh && now.endsWith("+")) arrive(name);
        drawLines(name, fresh);
      }
    });
  }

  // The button that had the focus is gone after the reveal: the focus goes to the new list's heading, so that a
  // keyboard or a screen reader goes on from there; where the lists stand below each other, the new one is shown.
  function arrive(name) {
    const title = part(name, "after-title");
    if (!title) return;
    if (document.activeElement === document.body) {
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
    }
    if (innerWidth <= 900) title.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "start" });
  }

  function showChosenCard() {
    const strip = $("#scenario > .wrap:not([data-testid])"), card = $("#scenario label:has(input:checked)");
    if (!strip || !card) return;
    const out = card.offsetLeft < strip.scrollLeft || card.offsetLeft + card.offsetWidth > strip.scrollLeft + strip.clientWidth;
    if (out) strip.scrollLeft = card.offsetLeft - strip.clientWidth / 2;
  }

  function showAll(name, on) {
    part(name, "compare")?.classList.toggle("all", on);
    for (const button of $$(`#${name}compare [data-show-all]`)) {
      button.setAttribute("aria-expanded", String(on));
      button.textContent = on ? button.dataset.less : button.dataset.more;
    }
  }

  // The trace: sort by a column, take it away as a file.
  function sort(button) {
    const th = button.closest("th"), table = th.closest("table"), body = $("tbody", table);
    const column = [...th.parentNode.children].indexOf(th);
    const down = th.getAttribute("aria-sort") === "ascending";
    const numeric = button.dataset.sort === "n";
    const value = (tr) => tr.children[column].dataset.v ?? tr.children[column].textContent;
    const rows = [...body.children].sort((a, b) => numeric ? Number(value(a)) - Number(value(b)) : value(a).localeCompare(value(b)));
    $$("th", table).forEach((other) => other.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.replaceChildren(...(down ? rows.reverse() : rows));
  }
  function download(button) {
    const kind = button.dataset.download;
    const text = $(`[data-payload=${kind}]`, button.closest(".trace")).textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind === "json" ? "application/json" : "text/csv;charset=utf-8" }));
    link.download = button.dataset.filename;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  document.addEventListener("click", (e) => {
    const button = e.target instanceof Element && e.target.closest("button");
    if (!button) return;
    if (button.matches("[data-copy-link]")) copyLink(button);
    else if (button.matches("[data-theme-toggle]")) toggleTheme();
    else if (button.matches("[data-show-all]")) {
      const name = button.closest("#own-compare") ? "own-" : "";
      showAll(name, !part(name, "compare").classList.contains("all"));
      drawLines(name, false);
    }
    else if (button.matches("[data-sort]")) sort(button);
    else if (button.matches("[data-download]")) download(button);
  });
  document.addEventListener("toggle", (e) => { if (e.target.closest?.("#compare, #own-compare")) drawAll(); }, true);

  // Gradio's radio groups are fieldsets without a legend, its plots and placeholders are nameless: a screen reader
  // needs their names. The plot's numbers stand in the table beside it.
  function nameGroups() {
    for (const empty of $$(".empty[aria-label]:not([role])")) empty.setAttribute("role", "img");
    for (const plot of $$(":is(#bars, #own-bars) .js-plotly-plot:not([role])")) {
      plot.setAttribute("role", "group");
      plot.setAttribute("aria-label", "Bars: milliseconds of each stage. The table beside them holds the same numbers.");
    }
    for (const group of $$("fieldset.block:not([aria-label])")) {
      const label = $("[data-testid=block-info]", group);
      if (label) group.setAttribute("aria-label", label.textContent.trim());
    }
  }

  // Gradio's <base href="./"> changes no address, but with any <base> Plotly writes the page's own address into the
  // hatching of its bars; once the address bar has moved on, Chromium fetches the old one as a picture, the whole page.
  function withoutBase() {
    const base = $("base");
    if (base?.getAttribute("href") === "./") base.remove();
  }

  function begin() {
    withoutBase();
    applyTheme();
    nameGroups();
    // The lines that this draws are no reason to draw them again: that would go on for ever, a frame each.
    const ours = (record) => record.target instanceof Element && record.target.closest("[data-lines]");
    new MutationObserver((records) => {
      if (records.every(ours)) return;
      nameGroups(); keepAddress(); plan();
    }).observe(document.body, { childList: true, subtree: true });
    addEventListener("resize", drawAll);
    document.fonts?.ready.then(drawAll);
    plan();
  }
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
