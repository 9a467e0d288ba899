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

// The new page begins at its heading, for keyboards and screen readers.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "container") return;
  const heading = document.querySelector("#content h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus();
});
