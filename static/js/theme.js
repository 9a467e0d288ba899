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
    if (choice === "system") {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = choice;
    }
  };

  let choice = read();
  apply(choice);

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-button]");
    if (!button) return;
    const label = () => {
      button.textContent = `Theme: ${choice}`;
    };
    label();
    button.hidden = false;
    button.addEventListener("click", () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
      apply(choice);
      keep(choice);
      label();
      document.dispatchEvent(new CustomEvent("themechange"));
    });
  });
})();
