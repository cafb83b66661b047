"use strict";
(function () {
  const MOST = 100;
  const field = document.getElementById("search");
  const results = document.getElementById("results");
  const hits = document.getElementById("hits");
  const sections = document.getElementById("sections");

  function item(entry) {
    const [id, title, path] = entry;
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = path.split("/").map(encodeURIComponent).join("/");
    link.textContent = id;
    const text = document.createElement("span");
    text.textContent = title;
    line.append(link, " ", text);
    return line;
  }

  function show() {
    const query = field.value.toLowerCase().split(/\s+/).filter(Boolean).join(" ");
    const words = query.split(" ");
    const found = query ? ENTRIES.filter((entry) => words.every((word) => entry[3].includes(word))) : [];
    const place = (entry) => (entry.indexOf(query, 4) >= 0 ? 0 : words.every((word) => entry[1].toLowerCase().includes(word)) ? 1 : 2);
    found.sort((one, other) => place(one) - place(other));
    results.replaceChildren(...found.slice(0, MOST).map(item));
    sections.hidden = Boolean(query);
    const more = found.length > MOST ? `, the first ${MOST} are listed` : "";
    hits.textContent = !query ? "" : found.length ? `${found.length} found${more}` : "Nothing found. Try fewer words, or the number alone.";
  }

  field.value = new URLSearchParams(location.search).get("q") || "";
  field.addEventListener("input", show);
  field.form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
