// The upload pages: how far the files have got, and where the keyboard stands after a swap.
"use strict";

function show(form, text, percent) {
  const bar = form.querySelector(".upload__progress");
  const status = form.querySelector(".upload__status");
  if (status) status.textContent = text;
  if (!bar) return;
  bar.hidden = text === "";
  if (percent === null) bar.removeAttribute("value");
  else bar.value = percent;
}

// Files dropped beside the box go into it: the browser would leave the page and open one of them.
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    const input = document.querySelector(".upload__drop input[type=file]");
    if (kind === "dragover" || !input || event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// Which files were chosen, and whether the site takes that much at once.
document.addEventListener("change", (event) => {
  if (!event.target.matches(".upload__drop input[type=file]")) return;
  const form = event.target.form;
  const files = [...event.target.files];
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const limit = Number(form.dataset.limitBytes);
  const names = files.slice(0, 10).map((file) => file.name).join(", ");
  const more = files.length > 10 ? ` and ${files.length - 10} more` : "";
  const chosen = files.length > 1 ? `${files.length} files: ${names}${more}.` : "";
  const size = `${files.length > 1 ? "Together they have" : "It has"} ${bytes.toLocaleString("en")} bytes`;
  const tooLarge = bytes > limit
    ? ` ${size}; this site takes ${limit.toLocaleString("en")} at once.`
    : "";
  form.querySelector(".upload__status").textContent = chosen + tooLarge;
});

// Logging in again in another tab makes a new token; the form's own would be refused.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  if (token && event.detail.verb === "post") {
    event.detail.parameters.csrfmiddlewaretoken = token[1];
  }
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches("form.upload")) show(event.target, "Working …", null);
});

document.addEventListener("htmx:xhr:progress", (event) => {
  if (!event.target.matches("form.upload") || !event.detail.lengthComputable) return;
  const percent = Math.round((100 * event.detail.loaded) / event.detail.total);
  const sent = percent < 100 ? `Sending: ${percent} %` : "Sent. Reading the files …";
  show(event.target, sent, percent < 100 ? percent : null);
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.target.matches("form.upload") || event.detail.successful) return;
  const failed = event.detail.xhr.status === 0 || event.detail.xhr.status >= 500;
  if (failed) show(event.target, "The server did not take it. Nothing is lost here: try again.", 0);
});

// A page that is none of these (a login that ran out) must not take the place of what was typed.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "container" || event.detail.xhr.status >= 500) return;
  const elsewhere = new URL(event.detail.xhr.responseURL).pathname.endsWith("/login/");
  if (!elsewhere && event.detail.serverResponse.includes('id="container"')) return;
  event.detail.shouldSwap = false;
  const form = document.querySelector("form.upload");
  if (!form) return;
  const status = event.detail.xhr.status;
  const why = elsewhere || status === 403
    ? "You are logged out. Log in in another tab, come back and send again: nothing here is lost."
    : event.detail.serverResponse.slice(0, 500);
  show(form, why, 0);
});

// What was chosen among those found stays chosen when the list comes anew.
document.addEventListener("htmx:beforeSwap", (event) => {
  const found = event.detail.target;
  if (!found.matches(".upload__found")) return;
  const chosen = found.querySelector(":checked");
  if (chosen) found.dataset.chosen = chosen.value;
});
document.addEventListener("htmx:afterSwap", (event) => {
  const found = event.detail.target;
  if (!found.matches(".upload__found") || !found.dataset.chosen) return;
  const again = found.querySelector(`[value="${CSS.escape(found.dataset.chosen)}"]`);
  if (again) again.checked = true;
});

// The new page begins at its heading, for keyboards and screen readers.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "container") return;
  const heading = document.querySelector("#content h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus();
});
