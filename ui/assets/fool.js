/* Fool it in the browser: says when the typing rests, speaks the result once, removes and hands out what is kept. Texts
   are only ever read as text. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const PAUSE = 400; // ms without a key until the models are asked
  const REST = 1500; // ms without a key until a screen reader is told
  const AGAIN = 3000; // ms without an answer until they are asked again
  const WRITTEN = "#fool-query, #fool-right, #fool-mine";
  const box = (name) => $(`#fool-${name} :is(textarea, input)`);

  function say(words) {
    const place = $("[data-said]");
    if (place && words) { place.textContent = ""; requestAnimationFrame(() => { place.textContent = words; }); }
  }

  // Gradio reads a text box's value at an input event, and calls the handler of its own "input" at a key press.
  function tell(name, value) {
    const field = box(name);
    if (!field) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keypress", { bubbles: true }));
  }

  let serial = 0, answered = 0, pausing = 0, resting = 0, repeating = 0, spoken = true;
  function typed() {
    clearTimeout(pausing);
    clearTimeout(resting);
    clearTimeout(repeating);
    resting = 0;
    spoken = false;
    $("#fool-live .duel")?.classList.add("stale");
    if (serial > answered) { answered = serial; tell("halt", String(serial)); }
    pausing = setTimeout(() => { serial += 1; ask(); }, PAUSE);
    resting = setTimeout(() => { resting = 0; speak(); }, REST);
  }
  // Gradio loses a question that comes while it still cancels the one before: it waits for an end that a cancelled run
  // does not have. Asking again costs one more reading at most, for of those that wait only one is kept.
  function ask() {
    tell("ask", String(serial));
    repeating = setTimeout(() => { if (serial > answered) ask(); }, AGAIN);
  }
  const ours = (e) => e.target instanceof Element && e.target.closest(WRITTEN);
  document.addEventListener("input", (e) => { if (ours(e) && !e.isComposing) typed(); });
  document.addEventListener("compositionend", (e) => { if (ours(e)) typed(); });

  // At rest, and with the answer to the last keystroke there, the verdict is spoken: once, not at every key.
  function speak() {
    const duel = $("#fool-live .duel");
    if (spoken || resting || !duel || Number(duel.dataset.serial) !== serial) return;
    spoken = true;
    say($("[data-summary]", duel).textContent);
  }

  // Gradio gives every radio button a name of its own, and again when it is chosen; with one name they are one stop,
  // and arrow keys choose.
  function group() {
    for (const choice of document.querySelectorAll("#fool-kind input:not([name=fool-kind])")) choice.name = "fool-kind";
  }

  function look() {
    group();
    const duel = $("#fool-live .duel");
    const now = Number(duel?.dataset.serial || 0);
    if (now > answered) answered = now;
    speak();
    arrive();
    refocus();
  }

  // The exercise's answer: its heading gets the focus, since what was pressed is above it.
  let answer = null;
  function arrive() {
    const found = $("#three-answer [data-state=final]");
    if (found === answer) return;
    answer = found;
    $("#answer-title", found || document)?.focus();
  }

  // After a removal the focus goes to the next entry's button, or to the heading where none is left.
  let removed = -1, gone = "";
  function refocus() {
    if (removed < 0 || $(`[data-fool-remove="${gone}"]`)) return;
    const buttons = [...document.querySelectorAll("[data-fool-remove]")];
    (buttons[Math.min(removed, buttons.length - 1)] || $("#fooled-title"))?.focus();
    removed = -1;
    say("Removed");
  }
  function download(button) {
    const kind = button.dataset.foolDownload;
    const text = $(`[data-fool-payload=${kind}]`).textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind === "csv" ? "text/csv;charset=utf-8" : "application/jsonl" }));
    link.download = button.dataset.filename;
    link.click();
    say("Saved as " + link.download);
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  document.addEventListener("click", (e) => {
    const button = e.target instanceof Element && e.target.closest("button");
    if (!button) return;
    if (button.matches("[data-fool-download]")) download(button);
    else if (button.matches("[data-fool-remove]")) {
      removed = [...document.querySelectorAll("[data-fool-remove]")].indexOf(button);
      gone = button.dataset.foolRemove;
      tell("removed", gone);
    }
  });

  let planned = 0;
  function plan() { planned ||= requestAnimationFrame(() => { planned = 0; look(); }); }
  function start() {
    new MutationObserver(plan).observe(document.body, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["data-serial", "data-state", "data-fool-remove"],
    });
    // At once, not with the next frame: the next arrow key may come before it.
    new MutationObserver(group).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["name"] });
  }
  if (document.body) start(); else addEventListener("DOMContentLoaded", start);
})();
