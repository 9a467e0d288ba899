// The grid, while htmx swaps its results: the form follows the address, focus and scrolling stay, failures are told.
"use strict";

(() => {
  const MODEL = "model"; // the column that is always there
  const SAME_ROWS = ["expand", "run", "columns"]; // parameters that leave the rows where they are
  const form = () => document.getElementById("grid-form");
  const results = () => document.getElementById("grid-results");
  const table = () => document.getElementById("grid-table");

  const rowsOf = (search) => {
    const query = new URLSearchParams(search);
    SAME_ROWS.forEach((name) => query.delete(name));
    return query.toString();
  };
  let shown = rowsOf(location.search);
  let scroll = null;
  let fallbacks = [];
  let asking = null;

  // Columns go as one list, and not at all where they are the usual ones: short addresses to share.
  document.addEventListener("formdata", (event) => {
    if (event.target !== form()) return;
    const boxes = [...event.target.querySelectorAll("[name=columns][type=checkbox]")];
    event.formData.delete("columns");
    if (boxes.every((box) => box.checked === "default" in box.dataset)) return;
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    event.formData.set("columns", chosen.join(",") || MODEL);
  });

  // The form asks when anything in it changes: ticks and columns keep the page, filters begin anew.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target !== form()) return;
    const cause = event.detail.triggeringEvent;
    if (cause?.type === "change" && cause.target.id === "id_q") {
      event.preventDefault(); // was sent while it was typed
    } else if (cause?.type === "change" && SAME_ROWS.includes(cause.target.name)) {
      const page = new URLSearchParams(location.search).get("page");
      if (page) event.detail.parameters.set("page", page);
    }
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target !== results()) return;
    asking = event.detail.xhr;
    fallbacks = (event.target.dataset.focus ?? "").split(" ").filter(Boolean);
    results().setAttribute("aria-busy", "true");
    document.getElementById("grid-error").hidden = true;
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== results() || !event.detail.shouldSwap) return;
    if (!event.detail.serverResponse.includes('id="grid-results"')) {
      event.detail.shouldSwap = false; // another page answered, the login for one
      location.assign(event.detail.pathInfo.finalRequestPath);
    }
    scroll = table() && { left: table().scrollLeft, top: table().scrollTop };
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== results()) return;
    const rows = rowsOf(location.search);
    if (table() && scroll) {
      table().scrollLeft = scroll.left;
      if (rows === shown) table().scrollTop = scroll.top;
    }
    shown = rows;
    followAddress();
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (lost) fallbacks.map((id) => document.getElementById(id)).find(Boolean)?.focus();
  });

  // Links change filters too: what they left in the form would come back with its next request.
  const followAddress = () => {
    const asked = new URLSearchParams(location.search);
    for (const field of form().querySelectorAll(".filters :is([type=text], [type=number])")) {
      if (field !== document.activeElement) field.value = asked.get(field.name) ?? "";
    }
    const unknown = form().querySelector("[name=include_unknown]");
    unknown.checked = asked.has("include_unknown");
  };

  const tell = (event, what) => {
    if (event.detail.target !== results()) return;
    results().removeAttribute("aria-busy");
    const line = document.getElementById("grid-error");
    const again = document.createElement("a");
    again.href = event.detail.pathInfo.finalRequestPath;
    again.textContent = "Try again";
    line.replaceChildren(`The grid could not be brought up to date: ${what} `, again);
    line.hidden = false;
  };
  document.addEventListener("htmx:responseError", (event) => {
    tell(event, `the server answered ${event.detail.xhr.status}.`);
  });
  document.addEventListener("htmx:sendError", (event) => tell(event, "the server was not reached."));
  document.addEventListener("htmx:timeout", (event) => tell(event, "the server took too long."));

  // Back, and back again at once: only the last page asked for may come, and no results after it.
  document.addEventListener("htmx:historyCacheMiss", (event) => {
    asking?.abort();
    asking = event.detail.xhr;
  });
  document.addEventListener("htmx:historyRestore", () => {
    shown = rowsOf(location.search);
    const line = document.getElementById("grid-status");
    if (!line) return;
    const text = line.textContent; // it came with the page: said only once it changes
    line.textContent = "";
    requestAnimationFrame(() => {
      line.textContent = text;
    });
  });
  document.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());
})();
