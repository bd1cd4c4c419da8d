/* Depth and Scores in the browser: a passage pointed at on one ruler is lit on all; plots get names that a screen
   reader says. Texts are only ever read as text. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  let lit = null;
  function light(id) {
    if (id === lit) return;
    lit = id;
    for (const el of all("#rulers [data-pass]")) el.classList.toggle("lit", el.dataset.pass === id);
  }
  const passOf = (target) => target instanceof Element && target.closest("#rulers [data-pass]")?.dataset.pass || null;
  document.addEventListener("mouseover", (e) => light(passOf(e.target)));
  document.addEventListener("focusin", (e) => light(passOf(e.target)));

  const NAMES = {
    "depth-query-plot": "Curves of this query against N",
    "depth-mean-plot": "Mean curves against N",
    "depth-latency-plot": "Milliseconds against N",
    "scores-plot": "Precision against recall",
    "board-lifts": "Mean nDCG@3 by slice",
    "board-skips": "Milliseconds saved against lift lost",
    "cost-by-size": "One query's time by corpus size",
  };
  function name() {
    for (const plot of all(".evidence-plot .js-plotly-plot:not([role])")) {
      const what = NAMES[plot.closest(".evidence-plot").id];
      if (!what) continue;
      plot.setAttribute("role", "group");
      plot.setAttribute("aria-label", what + ". A table below holds the same numbers.");
    }
  }
  function begin() { new MutationObserver(name).observe(document.body, { childList: true, subtree: true }); name(); }
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
