// Terms of the glossary explain themselves: where one first appears in the text of a page it becomes
// a link to its entry, and its meaning shows on pointing, on focus and on the first tap. Escape closes it.
(() => {
  "use strict";

  const SKIP =
    "h1, h2, h3, h4, h5, h6, a, button, code, pre, kbd, script, style, svg, math, mjx-container, " +
    ".math, .highlight, .cell_output, .admonition-title, .proda-banner, .proda-stamp, figcaption, " +
    "table, summary, label, form, fieldset, nav, dl.py, .bibliography, div.citation, [data-no-terms]";
  const LINGER = 200; // ms that a meaning stays when the pointer leaves, so that it can be reached
  const GAP = 6; // px between a term and its meaning

  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  // Names with capitals inside (SOC, R-hat) are matched as they are, others also at a sentence's start.
  const fixed = (name) => /[A-Z²].*[A-Z0-9²]|²/.test(name) || /^[A-Z]/.test(name);

  function pattern(name) {
    const words = escape(name).replace(/ /g, "\\s+");
    if (fixed(name)) return `${words}s?`;
    return `[${name[0].toUpperCase()}${name[0]}]${words.slice(1)}(?:s|es)?`;
  }

  const plain = (text) => text.replace(/\s+/g, " ");

  function index(entries) {
    const known = new Map();
    for (const entry of entries)
      for (const name of entry.marked) known.set(name, entry);
    const longest = [...known.keys()].sort((a, b) => b.length - a.length);
    const finder = new RegExp(
      `(?<![\\p{L}\\p{N}_-])(?:${longest.map(pattern).join("|")})(?![\\p{L}\\p{N}_-])`,
      "gu",
    );
    const entryOf = (found) => {
      const text = plain(found);
      const lower = text[0].toLowerCase() + text.slice(1);
      for (const form of [text, lower])
        for (const end of ["", "s", "es"])
          if (form.endsWith(end)) {
            const entry = known.get(form.slice(0, form.length - end.length));
            if (entry) return entry;
          }
      return undefined;
    };
    return { finder, entryOf };
  }

  let shown = null; // the link whose meaning is in sight
  let leaving = 0;

  const tipOf = (link) => document.getElementById(link.getAttribute("aria-describedby"));

  function place(link, tip) {
    const line = link.getClientRects()[0] || link.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.min(line.left, width - tip.offsetWidth - GAP);
    const below = line.bottom + GAP;
    const fits = below + tip.offsetHeight <= window.innerHeight;
    tip.style.left = `${Math.max(GAP, left)}px`;
    tip.style.top = `${fits ? below : Math.max(GAP, line.top - GAP - tip.offsetHeight)}px`;
  }

  function hide() {
    clearTimeout(leaving);
    if (shown) tipOf(shown).hidden = true;
    shown = null;
  }

  function show(link) {
    clearTimeout(leaving);
    if (shown === link) return;
    hide();
    shown = link;
    const tip = tipOf(link);
    tip.hidden = false;
    place(link, tip);
  }

  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, LINGER);
  };

  function listen(link, tip) {
    let touched = false; // the first tap shows the meaning, the second one follows the link
    link.addEventListener("pointerdown", (event) => {
      touched = event.pointerType === "touch" && shown !== link;
    });
    link.addEventListener("click", (event) => {
      if (touched) event.preventDefault();
      if (touched) show(link);
      touched = false;
    });
    link.addEventListener("focus", () => {
      if (!touched) show(link);
    });
    link.addEventListener("blur", hide);
    for (const part of [link, tip]) {
      part.addEventListener("pointerenter", (event) => {
        if (event.pointerType !== "touch") show(link);
      });
      part.addEventListener("pointerleave", (event) => {
        if (event.pointerType !== "touch") leave();
      });
    }
  }

  function mark(text, start, length, entry, number, box) {
    const found = text.splitText(start);
    const rest = found.splitText(length);
    const link = document.createElement("a");
    const root = document.documentElement.dataset.content_root || "./";
    link.className = "proda-term";
    link.href = `${root}glossary.html#${entry.anchor}`;
    const tip = document.createElement("div");
    tip.id = `proda-term-${number}`;
    tip.className = "proda-term-meaning";
    tip.setAttribute("role", "tooltip");
    tip.hidden = true;
    const name = document.createElement("strong");
    name.textContent = entry.names.join(", ");
    tip.append(name, ` ${entry.meaning}`);
    link.setAttribute("aria-describedby", tip.id);
    found.replaceWith(link);
    link.append(found);
    box.append(tip);
    listen(link, tip);
    return rest;
  }

  function start() {
    const article = document.querySelector("article");
    // The glossary itself, and the book printed as one page, need no marks.
    if (!article || !window.prodaTerms || document.querySelector("dl.glossary")) return;
    const { finder, entryOf } = index(window.prodaTerms);
    const texts = [];
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
      if (!walker.currentNode.parentElement.closest(SKIP)) texts.push(walker.currentNode);
    const box = document.createElement("div");
    const seen = new Set();
    for (let text of texts) {
      finder.lastIndex = 0;
      for (let found = finder.exec(text.data); found; found = finder.exec(text.data)) {
        const entry = entryOf(found[0]);
        if (!entry || seen.has(entry)) continue;
        seen.add(entry);
        text = mark(text, found.index, found[0].length, entry, seen.size, box);
        finder.lastIndex = 0;
      }
    }
    article.append(box);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    document.addEventListener("pointerdown", (event) => {
      if (shown && !shown.contains(event.target) && !tipOf(shown).contains(event.target)) hide();
    });
    const again = () => shown && place(shown, tipOf(shown));
    window.addEventListener("scroll", again, { passive: true });
    window.addEventListener("resize", again);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
