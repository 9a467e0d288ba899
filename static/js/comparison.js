// The comparison, while htmx swaps it: other pages come whole, and the focus stays on the page.
"use strict";

(() => {
  const comparison = () => document.getElementById("comparison");

  // An error page, or the login, is no part of a comparison: the browser goes there.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, serverResponse, pathInfo } = event.detail;
    if (target !== comparison() || serverResponse.includes('id="comparison"')) return;
    event.detail.shouldSwap = false;
    location.assign(pathInfo.finalRequestPath);
  });

  // The step that was taken may not be offered any more, as after removing a run.
  document.addEventListener("htmx:afterSettle", () => {
    if (document.activeElement === document.body) document.getElementById("runs")?.focus();
  });
})();
