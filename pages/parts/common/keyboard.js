{
  const mark = document.currentScript.previousElementSibling;
  const moments = (window.consoleMoments ??= new Set());
  const { target, moment } = mark.dataset;
  if (target && !moments.has(moment)) {
    moments.add(moment);
    requestAnimationFrame(() => {
      const element = document.querySelector("." + target);
      if (!element || document.activeElement.matches("input, textarea")) return; // somebody types
      element.tabIndex = -1;
      element.dataset.focused = "";
      element.focus({ preventScroll: true });
      element.scrollIntoView({ block: "nearest" });
      const { top, bottom } = element.getBoundingClientRect();
      if (80 > top || bottom > innerHeight) element.scrollIntoView({ block: "start" });
    });
  }
  const first = (...selectors) => {
    for (const selector of selectors)
      for (const element of document.querySelectorAll(selector))
        if (element.checkVisibility() && !element.disabled) return element;
  };
  const afterFrames = (act) => requestAnimationFrame(() => requestAnimationFrame(act));
  const act = {
    "mod+Enter": () => {
      document.activeElement.blur(); // so that Streamlit takes what was typed
      afterFrames(() =>
        first(
          "[class*='st-key-step-'] [class*='-send'] button",
          ".st-key-authorize-open a",
          ".st-key-diagnose-read button",
        )?.click(),
      );
    },
    "/": () =>
      first(
        ".st-key-history-filter-line input",
        ".st-key-q input",
        ".st-key-diagnose-text textarea",
        ".st-key-callback-pasted input",
      )?.focus(),
    y: () => first("[class*='-support'] button", "[class*='-copy-'] button")?.click(),
    "?": () => {
      const list = document.querySelector(".shortcuts");
      list.open = !list.open;
    },
  };
  for (const box of document.querySelectorAll(".shortcuts input")) box.checked = !localStorage.noSingleKeys;
  if (!window.consoleKeys) {
    window.consoleKeys = true;
    document.addEventListener("keydown", (event) => {
      // In a field of several lines it takes what was typed, as everywhere in Streamlit, and sends nothing.
      const isApplied = event.target.matches("textarea") && !event.target.closest(".st-key-diagnose-text");
      const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
      const isSend = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isApplied;
      if (!isSend && (localStorage.noSingleKeys || isTyping || event.ctrlKey || event.metaKey || event.altKey)) return;
      const run = act[isSend ? "mod+Enter" : event.key];
      if (!run) return;
      event.preventDefault();
      run();
    });
    // Streamlit takes what was typed when the focus leaves the whole widget. Tab from a password goes to its eye, and
    // Shift Tab from any field to the icon of its help, which are inside: tell it that the focus has left.
    document.addEventListener("focusout", ({ target, relatedTarget }) => {
      if (relatedTarget && target.matches("input") && target.closest(".stTextInput")?.contains(relatedTarget))
        target.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    });
    document.addEventListener("change", ({ target }) => {
      if (target.matches(".shortcuts input")) localStorage.noSingleKeys = target.checked ? "" : "1";
    });
    let isLost = false;
    new MutationObserver(async () => {
      if (document.querySelector("[data-test-connection-state=CONNECTED]")) {
        // The server may be another one by now. Streamlit's own key for a run has it draw what it knows of this tab.
        if (isLost) document.dispatchEvent(new KeyboardEvent("keydown", { key: "r", code: "KeyR", keyCode: 82 }));
        isLost = false;
        return;
      }
      isLost = true;
      // A connection that is gone because the sign-in has ended: the server answers, but not with the page.
      const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" }).catch(() => ({}));
      const isSignedOut = answer.status === 401 || answer.type === "opaqueredirect";
      document.documentElement.toggleAttribute("data-signed-out", isSignedOut);
    }).observe(document.body, { subtree: true, attributeFilter: ["data-test-connection-state"] });
  }
}
