// Sets the theme before the first paint, and lets the header's button change it.
"use strict";

(() => {
  const KEY = "benchsite-theme";
  const CHOICES = ["system", "light", "dark"];
  const root = document.documentElement;

  const read = () => {
    try {
      const kept = localStorage.getItem(KEY);
      return CHOICES.includes(kept) ? kept : "system";
    } catch {
      return "system"; // storage is switched off
    }
  };
  const keep = (choice) => {
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // storage is switched off: the choice holds for this page
    }
  };
  const apply = (choice) => {
    root.dataset.theme = choice;
    document.dispatchEvent(new CustomEvent("themechange"));
  };

  apply(read());

  // The document listens, since a swap may bring a new button.
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".theme-button")) return;
    const choice = CHOICES[(CHOICES.indexOf(root.dataset.theme) + 1) % CHOICES.length];
    apply(choice);
    keep(choice);
  });
  // Another tab chose.
  addEventListener("storage", (event) => {
    if (event.key === KEY) apply(read());
  });
})();
