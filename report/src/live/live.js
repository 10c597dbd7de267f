"use strict";
(() => {
  const place = (id) => document.getElementById(id);

  /** Puts HTML that the daemon made, and escaped, in place of a part. */
  const put = (id, html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    place(id).replaceChildren(template.content);
  };

  const say = (text, lost) => {
    const line = place("connection");
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("lost", lost);
  };

  /** The list again, with the same ticks. */
  const list = async () => {
    const search = document.querySelector("#runs input[name=q]");
    // Whoever is writing there would lose what they wrote.
    if (document.activeElement === search) return false;
    const answer = await fetch(location.pathname + location.search);
    if (!answer.ok) return false;
    const ticked = [...document.querySelectorAll("#runs input:checked")].map((tick) => [tick.name, tick.value]);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("runs");
    if (!fresh) return false;
    place("runs").replaceChildren(...fresh.childNodes);
    for (const tick of document.querySelectorAll("#runs input[type=checkbox]")) {
      tick.checked = ticked.some(([name, value]) => name === tick.name && value === tick.value);
    }
    return true;
  };

  const follow = () => {
    const shown = {};
    let listed = null;
    let source = null;
    const take = (message) => {
      const now = JSON.parse(message.data);
      for (const part of ["run", "queue", "platforms"]) {
        if (shown[part] !== now[part]) put(part, now[part]);
        shown[part] = now[part];
      }
      if (listed !== null && listed !== now.runs) {
        list().then((done) => { if (done) listed = now.runs; }, () => {});
      } else {
        listed = now.runs;
      }
      say("live", false);
    };
    const connect = () => {
      source = new EventSource("/live");
      source.onmessage = take;
      source.onerror = () => {
        say("the connection is lost; trying again", true);
        // Refused: the session may have ended, or there are too many viewers.
        if (source.readyState === EventSource.CLOSED) setTimeout(again, 3000);
      };
    };
    const again = async () => {
      try {
        const answer = await fetch("/", { method: "HEAD" });
        if (answer.status === 401) return location.reload();
      } catch { /* it is away */ }
      connect();
    };
    connect();
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  };

  /** Exchanges a one-time code, which the fragment of the address has, so that no log and no history keeps it. */
  const redeem = async (code) => {
    history.replaceState(null, "", location.pathname);
    const answer = await fetch("/session", { method: "POST", body: new URLSearchParams({ code }) });
    if (answer.ok) return location.replace("/");
    const reason = place("reason");
    if (reason) reason.textContent = "This address was used before, or is too old: run loaderctl dashboard again.";
    return undefined;
  };

  const code = location.hash.match(/^#code=([0-9a-f]+)$/);
  if (code) redeem(code[1]).catch(() => {});
  if (document.body.dataset.kind === "live") follow();
})();
