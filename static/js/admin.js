// Gives names to what Django's admin leaves without: screen readers then say what a field or column is.
"use strict";

(() => {
  const name = (root) => {
    // A choice with a search: its own name is what is chosen, and nothing is at first.
    for (const box of root.querySelectorAll(".select2-selection")) {
      const field = box.closest(".select2").parentElement.querySelector("select");
      const label = field?.labels[0];
      if (!label) continue;
      label.id ||= `${field.id}_label`;
      const shown = box.querySelector(".select2-selection__rendered");
      box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
      shown.setAttribute("aria-labelledby", label.id);
    }
    // A heading without a word is none.
    for (const head of root.querySelectorAll(".tabular thead th")) {
      if (head.textContent.trim()) continue;
      const cell = document.createElement("td");
      cell.className = head.className;
      head.replaceWith(cell);
    }
    for (const icon of root.querySelectorAll("span.help-tooltip[aria-label]")) {
      icon.setAttribute("role", "img");
    }
  };

  // Django's scripts make their boxes at either time.
  addEventListener("load", () => name(document));
  globalThis.django?.jQuery?.(() => name(document));
  document.addEventListener("formset:added", (event) => name(event.target));
})();
