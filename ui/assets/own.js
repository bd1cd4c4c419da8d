/* Your own in the browser: marks on rows by key, click and touch; the blind walk through both tops; long pastes that
   travel as a file. Marks live in a hidden text box, query -> doc_id -> grade, and nowhere else. Texts are only ever
   read as text. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const WORDS = { "": "unjudged", 0: "0, not relevant", 1: "1, topic only", 2: "2, partly answers", 3: "3, answers" };

  function say(words) {
    const place = $("[data-said]");
    if (place) { place.textContent = ""; requestAnimationFrame(() => { place.textContent = words; }); }
  }

  // Gradio reads a text box's value at an input event, and calls the handler of its own "input" at a key press.
  function tell(field) {
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keypress", { bubbles: true }));
  }

  // Marks
  const box = () => $("#own-marks textarea, #own-marks input");
  const asked = () => $("#own-before [data-asked]")?.dataset.asked || "";
  function all() {
    try { return JSON.parse(box()?.value || "{}") || {}; } catch { return {}; }
  }
  const gradeOf = (query, doc) => Object.hasOwn(all(), query) ? all()[query][doc] ?? "" : "";
  let told = 0;
  function mark(query, doc, grade) {
    const marks = all();
    const here = Object.hasOwn(marks, query) ? marks[query] : {};
    if (grade === "") delete here[doc]; else here[doc] = Number(grade);
    if (Object.keys(here).length) marks[query] = here; else delete marks[query];
    box().value = JSON.stringify(marks);
    paint();
    // Lift and depth follow when the marking pauses: no need to ask the server for every key.
    clearTimeout(told);
    told = setTimeout(() => tell(box()), 250);
  }
  function paint() {
    const query = asked(), marks = all(), here = Object.hasOwn(marks, query) ? marks[query] : {};
    for (const group of $$("#own-compare fieldset.grades")) {
      const grade = String(here[group.closest("[data-doc]").dataset.doc] ?? "");
      for (const choice of $$("input", group)) choice.checked = choice.value === grade;
      group.classList.toggle("marked", grade !== "");
    }
  }
  function markRow(row, grade) {
    mark(asked(), row.dataset.doc, grade);
    say(`Rank ${row.dataset.rank}: ${WORDS[grade]}`);
  }
  document.addEventListener("change", (e) => {
    const choice = e.target instanceof Element && e.target.closest("#own-compare fieldset.grades input");
    if (choice) markRow(choice.closest("[data-doc]"), choice.value);
  });
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || !(e.target instanceof Element)) return;
    const row = e.target.closest("#own-compare li.row[data-doc]");
    if (!row || !asked() || !$("fieldset.grades", row)) return;
    if (/^[0-3]$/.test(e.key)) markRow(row, e.key);
    else if (["-", "Delete", "Backspace"].includes(e.key)) markRow(row, "");
    else return;
    e.preventDefault();
  });

  // The walk: one passage at a time, in the order that the server drew by lot.
  let walk = null;
  function begin(dialog) {
    walk = { dialog, query: dialog.dataset.asked, texts: $$("[data-judged]", dialog), at: 0, done: [] };
    if (!dialog.open) dialog.showModal();
    show();
  }
  function show() {
    const { dialog, texts, at, query } = walk, n = texts.length, over = at >= n;
    texts.forEach((text, i) => { text.hidden = i !== at; });
    $("[data-place]", dialog).textContent = over ? `That was the last of ${n}. What you judged is marked on the rows.` : `Passage ${at + 1} of ${n}`;
    $("[data-done]", dialog).value = at;
    $("[data-undo]", dialog).disabled = !walk.done.length;
    $("[data-pass]", dialog).disabled = over;
    const grade = over ? "" : String(gradeOf(query, texts[at].dataset.judged));
    for (const choice of $$("[data-give]", dialog)) {
      choice.disabled = over;
      choice.setAttribute("aria-pressed", String(choice.dataset.give === grade));
    }
    (over ? $("[data-close]", dialog) : texts[at]).focus();
    dialog.scrollTop = 0;
  }
  function give(grade) {
    if (walk.at >= walk.texts.length) return;
    const doc = walk.texts[walk.at].dataset.judged;
    walk.done.push([walk.at, gradeOf(walk.query, doc)]);
    if (grade !== null) mark(walk.query, doc, grade);
    walk.at += 1;
    show();
  }
  function undo() {
    const last = walk.done.pop();
    if (!last) return;
    walk.at = last[0];
    mark(walk.query, walk.texts[walk.at].dataset.judged, last[1]);
    show();
  }
  document.addEventListener("keydown", (e) => {
    const dialog = e.target instanceof Element && e.target.closest("dialog[data-judge]");
    if (!dialog || !walk || e.ctrlKey || e.metaKey || e.altKey) return;
    if (/^[0-3]$/.test(e.key)) give(e.key);
    else if (e.key === "u" || e.key === "U" || e.key === "Backspace") undo();
    else return;
    e.preventDefault();
  });
  document.addEventListener("click", (e) => {
    const button = e.target instanceof Element && e.target.closest("dialog[data-judge] button");
    if (!button || !walk) return;
    if (button.matches("[data-give]")) give(button.dataset.give);
    else if (button.matches("[data-pass]")) give(null);
    else if (button.matches("[data-undo]")) undo();
    else if (button.matches("[data-close]")) walk.dialog.close();
  });
  document.addEventListener("close", (e) => {
    if (!(e.target instanceof Element) || !e.target.matches("dialog[data-judge]")) return;
    walk = null;
    $("#own-judge")?.focus();
  }, true);

  // A long text travels as a file: a request holds less than an upload. Nothing is cut.
  const mostBytes = () => Number($("[data-paste-bytes]")?.dataset.pasteBytes || 0);
  const typedIn = () => $("#own-box textarea");
  function asFile(text) {
    const kind = $("#own-kind input:checked")?.value;
    const name = kind === "csv" ? "pasted.csv" : kind === "jsonl" ? "pasted.jsonl" : "pasted.txt";
    const input = $("#own-file input[type=file]");
    if (!input) return;
    const carried = new DataTransfer();
    carried.items.add(new File([text], name, { type: "text/plain" }));
    input.files = carried.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    say("The text is long: it is sent as a file.");
  }
  document.addEventListener("paste", (e) => {
    if (e.target !== typedIn()) return;
    const text = e.clipboardData?.getData("text/plain") || "";
    if (new Blob([text]).size <= mostBytes()) return;
    e.preventDefault();
    asFile(text);
  });
  document.addEventListener("click", (e) => {
    const button = e.target instanceof Element && e.target.closest("#own-encode, #own-split");
    const text = typedIn()?.value || "";
    const uploaded = $("#own-draft textarea, #own-draft input")?.value;
    if (!button || uploaded || new Blob([text]).size <= mostBytes()) return;
    e.stopImmediatePropagation();
    e.preventDefault();
    asFile(text);
  }, true);

  // Who writes in the box means the box, not the file that was uploaded before.
  document.addEventListener("input", (e) => {
    const draft = $("#own-draft textarea, #own-draft input");
    if (e.target !== typedIn() || !draft?.value) return;
    draft.value = "";
    tell(draft);
  });

  let walked = "";
  function look() {
    paint();
    const dialog = $("#own-judging dialog[data-judge]"), id = dialog?.dataset.judge || "";
    if (id === walked) return;
    walked = id;
    if (dialog) begin(dialog);
  }
  let planned = 0;
  function plan() { planned ||= requestAnimationFrame(() => { planned = 0; look(); }); }
  function start() {
    new MutationObserver(plan).observe(document.body, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["data-doc", "data-asked", "data-judge"],
    });
  }
  if (document.body) start(); else addEventListener("DOMContentLoaded", start);
})();
