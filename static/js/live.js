/* How fresh a live page is. The element [data-live] inside or beside [sse-connect] says "Updated n s ago";
   when the stream is lost, [data-live-lost] is shown until it is back. The browser reconnects by itself and
   sends the last event's id. */
(function () {
  "use strict";
  let heard = Date.now();
  let lost = false;

  function show() {
    for (const note of document.querySelectorAll("[data-live]")) {
      if (note.dataset.live === "off") continue;
      note.dataset.live = lost ? "lost" : "on";
      const s = Math.floor((Date.now() - heard) / 1000);
      note.textContent = lost ? "Connection lost, trying again" : s < 5 ? "Live" : `Live, last word ${s < 60 ? `${s} s` : `${Math.floor(s / 60)} min`} ago`;
    }
    for (const banner of document.querySelectorAll("[data-live-lost]")) banner.hidden = !lost;
  }

  function word() {
    heard = Date.now();
    lost = false;
    show();
  }

  document.addEventListener("htmx:sseOpen", word);
  document.addEventListener("htmx:sseMessage", word);
  document.addEventListener("htmx:sseError", () => { lost = true; show(); });
  setInterval(show, 1000);
})();
