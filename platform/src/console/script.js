// The one script of the console. It asks for a page again and puts the regions of the answer,
// marked with data-region, in the place of those that are shown. Everything works without it.
"use strict";
(() => {
  const policy = window.trustedTypes?.createPolicy("console", { createHTML: (text) => text });
  const regions = (within) => within.querySelectorAll("[data-region]");
  const own = { swap: true };
  let latest = 0;

  // What went wrong, in words above what stays as it is; nothing, once it goes well.
  const tell = (text) => {
    document.getElementById("refused")?.remove();
    const note = Object.assign(document.createElement("p"), { id: "refused", className: "note bad", role: "alert" });
    if (text) document.querySelector("main").prepend(note);
    note.textContent = `✘ ${text}`;
  };

  // What a person asks for counts more than what the page asks for by itself.
  const ask = async (url, options, quiet = false) => {
    const turn = quiet ? latest : ++latest;
    const answer = await fetch(url, { credentials: "same-origin", ...options }).catch(() => ({ text: async () => "" }));
    const text = await answer.text().catch(() => "");
    if (turn !== latest) return null;
    const page = new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
    const words = () => [...page.querySelectorAll("main :is(h1, p:not(.code))")].map((one) => one.textContent).join(" ");
    // The session or the thing is gone: the page says so itself.
    if (!options && (answer.status === 403 || answer.status === 404)) location.assign(url);
    else if (!quiet) tell(answer.ok ? "" : words() || "The console does not answer.");
    return answer.ok ? page : null;
  };

  // A field in which somebody types is left alone, and a key that is not taken yet.
  const busy = (region) => region.contains(document.activeElement) && document.activeElement.matches("input, select");
  const show = (page) => {
    if (!page) return false;
    for (const own of regions(document)) {
      const name = own.dataset.region;
      const other = page.querySelector(`[data-region="${CSS.escape(name)}"]`);
      if (other && !busy(own)) {
        const open = [...own.querySelectorAll("details")].map((one) => one.open);
        const focus = own.contains(document.activeElement) ? document.activeElement.id : "";
        const fresh = document.adoptNode(other);
        fresh.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? one.open; });
        own.replaceWith(fresh);
        if (focus) document.getElementById(focus)?.focus();
        dates(fresh);
      }
    }
    return true;
  };

  // Instants in the reader's language and zone; the exact one stays in the title.
  const [long, days, clock] = [{ dateStyle: "medium", timeStyle: "short" }, { dateStyle: "medium" }, { timeStyle: "medium" }]
    .map((form) => new Intl.DateTimeFormat(undefined, form));
  const dates = (within) => {
    for (const one of within.querySelectorAll("time[datetime]")) {
      const at = new Date(one.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const form = "day" in one.dataset ? days : "clock" in one.dataset ? clock : long;
      one.textContent = form.format(at);
      one.title = one.dateTime;
    }
  };

  // Filters: the page follows what is typed.
  const soon = (wait, act, timer) => (...all) => { clearTimeout(timer); timer = setTimeout(act, wait, ...all); };
  const address = (form) => {
    const text = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
    return location.pathname + (text ? `?${text}` : "");
  };
  const follow = async (form) => {
    const url = address(form);
    if (show(await ask(url))) history.replaceState(own, "", url);
  };
  const live = soon(150, follow);
  // Checks of a form: nothing of it goes further than the console. A key goes once, when it is whole.
  const check = async (form, key) => {
    const body = new URLSearchParams([...new FormData(form)].filter(([name]) => key || !name.startsWith("secret.")));
    show(await ask(form.dataset.check, { method: "POST", body }));
  };
  const checkSoon = soon(150, check);
  document.addEventListener("input", ({ target }) => {
    if (target.form?.dataset.live !== undefined) live(target.form);
    else if (target.form?.dataset.check && !("once" in target.dataset)) checkSoon(target.form, false);
  });
  document.addEventListener("change", ({ target }) => {
    if (target.form?.dataset.check && "once" in target.dataset && target.value) {
      check(target.form, true).then(() => document.getElementById(target.id)?.focus({ preventScroll: true }));
    }
  });
  document.addEventListener("paste", ({ target }) => { if ("once" in (target.dataset ?? {})) setTimeout(() => target.blur(), 0); });
  document.addEventListener("submit", ({ target }) => {
    latest += 1;
    const note = target.querySelector("[data-busy]");
    if (note) note.hidden = false;
    for (const one of target.querySelectorAll("button")) if (note) one.setAttribute("aria-disabled", "true");
  });
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-print]")) window.print();
    const link = event.target.closest("a[data-swap]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (show(await ask(link.href))) {
      history.replaceState(own, "");
      history.pushState(own, "", link.href);
      document.getElementById(link.dataset.swap)?.focus();
    }
  });
  // Not where a link leads within the page: it may be the answer to a form, which would be sent again.
  addEventListener("popstate", ({ state }) => state?.swap && location.reload());

  // Events say only that something changed. A browser has six connections to a host for all of its
  // tabs: three hold a stream. Another tab, and one whose stream was refused, looks by the clock.
  const watched = document.querySelector("[data-events]");
  if (watched) {
    let events, timer, release, turning = false, more = false;
    const rest = () => { events?.close(); clearInterval(timer); release?.(); };
    const look = async () => {
      const page = await ask(location.href, undefined, true).catch(() => null);
      if (show(page) && document.querySelector("[data-over]")) rest();
    };
    const changed = async () => {
      more = true;
      if (turning) return;
      turning = true;
      while (more) {
        await new Promise((done) => setTimeout(done, 200));
        more = false;
        await look();
      }
      turning = false;
    };
    const poll = () => { timer ??= setInterval(() => document.hidden || changed(), 2000); };
    const listen = () => {
      events = new EventSource(watched.dataset.events);
      events.addEventListener("changed", changed);
      events.addEventListener("error", () => { if (events.readyState === EventSource.CLOSED) poll(); });
    };
    const place = (number) => navigator.locks?.request(`smp-console-${number}`, { ifAvailable: true }, (lock) => {
      if (!lock) return void (number < 2 ? place(number + 1) : poll());
      listen();
      return new Promise((done) => { release = done; });
    }) ?? poll();
    place(0);
    addEventListener("pagehide", rest);
  }
  document.documentElement.classList.add("scripted");
  dates(document);
})();
