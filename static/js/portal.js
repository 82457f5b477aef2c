/* Small conveniences for every page. Nothing here is needed to use the portal. */
(function () {
  "use strict";

  /* --- theme: system, light, dark ---------------------------------------------------------------- */
  const themes = ["system", "light", "dark"];

  function theme() {
    return document.documentElement.dataset.theme || "system";
  }

  function showTheme() {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      const next = themes[(themes.indexOf(theme()) + 1) % themes.length];
      button.hidden = false;
      button.setAttribute("aria-label", `Theme: ${theme()}. Switch to ${next}`);
      button.title = `Theme: ${theme()}`;
      for (const icon of button.querySelectorAll("[data-theme-icon]"))
        icon.toggleAttribute("hidden", icon.dataset.themeIcon !== theme());
    }
  }

  function nextTheme() {
    const next = themes[(themes.indexOf(theme()) + 1) % themes.length];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch (error) {
      /* Not kept then. */
    }
    showTheme();
  }

  /* --- copy buttons ------------------------------------------------------------------------------- */
  async function copy(button) {
    const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    const text = source ? source.textContent : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch (error) {
      return;
    }
    button.dataset.copied = "";
    say("Copied");
    setTimeout(() => delete button.dataset.copied, 1500);
  }

  function say(text) {
    const region = document.getElementById("say");
    if (region) region.textContent = text;
  }

  /* --- relative times ----------------------------------------------------------------------------- */
  function ago(seconds) {
    const future = seconds < 0;
    const s = Math.abs(seconds);
    let words;
    if (s < 10) return future ? "in a moment" : "just now";
    if (s < 60) words = `${Math.floor(s)} s`;
    else if (s < 3600) words = `${Math.floor(s / 60)} min`;
    else if (s < 86400) words = `${Math.floor(s / 3600)} h`;
    else words = `${Math.floor(s / 86400)} d`;
    return future ? `in ${words}` : `${words} ago`;
  }

  function tick() {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const seconds = (now - Date.parse(time.dateTime)) / 1000;
      if (Math.abs(seconds) < 7 * 86400) time.textContent = ago(seconds);
    }
    for (const time of document.querySelectorAll("time[data-since]")) {
      const s = Math.max(0, Math.floor((now - Date.parse(time.dateTime)) / 1000));
      const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
      time.textContent = h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
    }
  }

  /* --- the tab's title and icon follow what the page says ------------------------------------------ */
  function showTab() {
    const tab = document.querySelector("[data-tab-title]");
    const link = document.querySelector("link[rel=icon]");
    if (!tab) return;
    if (document.title !== tab.dataset.tabTitle) document.title = tab.dataset.tabTitle;
    if (tab.dataset.tabIcon && link && link.getAttribute("href") !== tab.dataset.tabIcon)
      link.setAttribute("href", tab.dataset.tabIcon);
  }

  /* --- lists that can be searched: <input data-filter="#list"> -------------------------------------- */
  function filter(input) {
    const cut = (text) => text.toLowerCase().split(/[\s/()_,-]+/).filter(Boolean);
    const words = cut(input.value);
    for (const item of document.querySelectorAll(`${input.dataset.filter} > [data-words]`)) {
      const parts = cut(item.dataset.words);
      const chosen = item.querySelector("input:checked");
      item.hidden = !chosen && !words.every((word) => parts.some((part) => part.startsWith(word)));
    }
  }

  /* --- tables that can be sorted: <table data-sortable>, cells may carry data-value ------------------ */
  function sort(button) {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = [...head.parentNode.children].indexOf(head);
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => {
      const cell = row.children[column];
      const text = cell.dataset.value ?? cell.textContent.trim();
      const number = text === "" ? NaN : Number(text);
      return Number.isNaN(number) ? text : number;
    };
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return x === y ? 0 : x === "" ? 1 : -1; /* empty cells stay last */
      const both = typeof x === "number" && typeof y === "number";
      return (both ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true })) * (up ? 1 : -1);
    };
    for (const row of [...table.tBodies[0].rows].sort(order)) table.tBodies[0].append(row);
  }

  /* --- uploads: a file chosen or dropped is sent at once, with its progress -------------------------- */
  function progress(event) {
    const bar = event.target.closest?.("[data-upload]")?.querySelector("progress");
    if (!bar || !event.detail.lengthComputable) return;
    bar.hidden = false;
    bar.max = event.detail.total;
    bar.value = event.detail.loaded;
  }

  function drop(event) {
    const zone = event.target.closest?.("[data-upload]");
    if (!zone || !event.dataTransfer) return;
    event.preventDefault();
    zone.toggleAttribute("data-over", event.type === "dragover");
    if (event.type !== "drop" || !event.dataTransfer.files.length) return;
    const input = zone.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /* --- a form is sent once: [data-once]; the server checks it as well -------------------------------- */
  function once(event) {
    const form = event.target;
    if (!form.matches("[data-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-disabled", "true");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches("[data-theme-toggle]")) nextTheme();
    else if (button.matches("[data-copy], [data-copy-from]")) copy(button);
    else if (button.matches("[data-sortable] .sort")) sort(button);
    else if (button.matches("[data-print]")) window.print();
  });
  document.addEventListener("input", (event) => event.target.matches("[data-filter]") && filter(event.target));
  document.addEventListener("submit", once);
  for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, drop);
  document.addEventListener("htmx:xhr:progress", progress);
  document.addEventListener("htmx:beforeSwap", (event) => {
    /* Signed out meanwhile: the sign-in page belongs into the window, not into a part of this page. */
    const url = event.detail.xhr?.responseURL;
    if (!url || !new URL(url).pathname.startsWith("/login/")) return;
    event.detail.shouldSwap = false;
    window.location.reload();
  });
  document.addEventListener("htmx:afterSettle", () => { tick(); showTab(); });
  window.addEventListener("pageshow", (event) => {
    /* Back from another page: a form that was sent may be sent again; its token still makes it one start. */
    if (event.persisted) for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
  });

  document.querySelector("[data-focus]")?.focus();
  showTheme();
  showTab();
  tick();
  setInterval(tick, 1000);
})();
