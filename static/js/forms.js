// Leaves empty fields out of what GET forms send, by htmx or not: short URLs to share.
"use strict";

document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});
