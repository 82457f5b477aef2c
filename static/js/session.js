/* The live session page: where the stream goes on, no line twice, and nothing that is being typed or read
   is taken away by a refresh. Without this file the page is whole, only not live. */
(function () {
  "use strict";
  const SILENCE = 45_000; /* three beats */
  const POLL = 10_000;
  let heard = Date.now();
  let ended = !document.querySelector("[sse-connect]");

  function lastSeq() {
    return Math.max(0, ...[...document.querySelectorAll("[data-seq]")].map((row) => Number(row.dataset.seq)));
  }

  /* htmx makes a new EventSource when one breaks for good, which forgets Last-Event-ID: say it in the address. */
  htmx.createEventSource = function (address) {
    const url = new URL(address, location.href);
    url.searchParams.set("after", String(Math.max(lastSeq(), Number(url.searchParams.get("after")) || 0)));
    const source = new EventSource(url, { withCredentials: true });
    for (const name of ["line", "refresh", "beat"]) source.addEventListener(name, () => { heard = Date.now(); });
    source.addEventListener("end", () => {
      ended = true;
      for (const note of document.querySelectorAll("[data-live]")) { note.dataset.live = "off"; note.textContent = "Over"; }
      for (const banner of document.querySelectorAll("[data-live-lost]")) banner.hidden = true;
    });
    return source;
  };

  function known(row) {
    return row && document.getElementById(row) !== null;
  }

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const message = event.detail;
    if (message.type === "line" && known(`event-${message.lastEventId}`)) event.preventDefault();
  });

  /* The short list on the page keeps its length. */
  document.addEventListener("htmx:sseMessage", (event) => {
    const list = event.target;
    const limit = Number(list?.dataset?.limit);
    while (limit && list.children.length > limit) list.lastElementChild.remove();
  });

  /* --- refreshes ------------------------------------------------------------------------------------ */
  const shown = new WeakMap();

  function plain(text) {
    return text.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "").replace(/<time[^>]*>[^<]*<\/time>/g, "");
  }

  function typedInto(part) {
    return [...part.querySelectorAll("form[data-keep] :is(input, textarea, select)")].some((field) => {
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0;
      return field.type !== "hidden" && field.type !== "search" && field.value !== field.defaultValue;
    });
  }

  function inUse(part) {
    return typedInto(part) || part.querySelector("[data-kept]") || part.querySelector("form[data-sent]") || (part.contains(document.activeElement) && document.activeElement.closest("form[data-keep]"));
  }

  /* A focused element is a new one after a swap: what finds it again, so that a key pressed then still acts. */
  function address(element) {
    const quoted = (name) => `[${name}="${CSS.escape(element.getAttribute(name))}"]`;
    if (element.id) return `#${CSS.escape(element.id)}`;
    if (element.matches("details[id] > summary")) return `#${CSS.escape(element.parentNode.id)} > summary`;
    const named = ["href", "name", "value"].filter((name) => element.hasAttribute(name));
    return named.length ? element.localName + named.map(quoted).join("") : "";
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    const answer = event.detail.serverResponse ?? event.detail.xhr.responseText;
    if (!part?.id?.startsWith("part-") || !event.detail.shouldSwap) return;
    if (shown.get(part) === plain(answer)) {
      event.detail.shouldSwap = false;
      return;
    }
    const gate = part.querySelector("[data-gate]");
    if (gate && inUse(part)) {
      event.detail.shouldSwap = false;
      const moved = !answer.includes(`data-gate="${gate.dataset.gate}"`);
      part.querySelector("[data-gate-moved]").hidden = !moved;
      return;
    }
    shown.set(part, plain(answer));
    part.dataset.open = [...part.querySelectorAll("details[id]")].map((fold) => `${fold.id}=${fold.open}`).join(" ");
    if (part.contains(document.activeElement)) part.dataset.focus = address(document.activeElement);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const part = event.detail.target;
    if (!part?.dataset) return; /* a line of the stream */
    for (const fold of (part.dataset.open || "").split(" ").filter(Boolean)) {
      const [id, open] = fold.split("=");
      const found = document.getElementById(id);
      if (found) found.open = open === "true";
    }
    if (part.id === "part-header") announce();
    reveal();
    if (part.dataset.focus) part.querySelector(part.dataset.focus)?.focus();
    delete part.dataset.open;
    delete part.dataset.focus;
  });

  /* A change of state is said once, politely; the numbers that move are not. */
  let said = document.querySelector("[data-tab-title]")?.dataset.tabTitle;

  function announce() {
    const head = document.querySelector("[data-tab-title]");
    if (!head || head.dataset.tabTitle === said) return;
    said = head.dataset.tabTitle;
    const region = document.getElementById("say");
    if (region) region.textContent = `${head.dataset.word}. ${head.querySelector("[data-who]")?.textContent ?? ""}`;
  }

  /* Searching a list needs this script; Enter in the search must not send the form. */
  function reveal() {
    for (const field of document.querySelectorAll("[data-script-only]")) field.hidden = false;
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault();
  });
  reveal();

  /* --- the stream is down: ask now and then ----------------------------------------------------------- */
  async function poll() {
    if (ended || Date.now() - heard < SILENCE) return;
    for (const part of document.querySelectorAll("[hx-trigger='sse:refresh']")) htmx.trigger(part, "sse:refresh");
    const list = document.getElementById("events");
    if (!list?.hasAttribute("sse-swap")) return;
    const answer = await fetch(`${document.getElementById("session").dataset.address}part/lines/?after=${lastSeq()}`).catch(() => null);
    if (!answer?.ok) return;
    const rows = document.createElement("template");
    rows.innerHTML = await answer.text();
    for (const row of [...rows.content.children].reverse()) if (!known(row.id)) list.prepend(row);
  }
  setInterval(poll, POLL);

  /* After a reply that decided nothing, the person reads why before anything else. */
  document.getElementById("outcome")?.scrollIntoView({ block: "center" });
})();
