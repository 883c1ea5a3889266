// What the theme leaves nameless or out of a keyboard's reach.
(() => {
  "use strict";

  // The small arrows beside chapters in the contents: say what they open.
  function nameArrows() {
    for (const arrow of document.querySelectorAll("nav li > details > summary")) {
      const link = arrow.closest("li").querySelector("a");
      if (link && !arrow.textContent.trim())
        arrow.setAttribute("aria-label", `Pages of ${link.textContent.trim()}`);
    }
  }

  // Boxes that scroll sideways are reached by the Tab key, at whatever width they begin to scroll.
  function reachScrolling() {
    const boxes = "pre, .cell_output .output, .pst-scrollable-table-container, .sd-card-body, div.math, mjx-container";
    for (const box of document.querySelectorAll(`article :is(${boxes})`)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === "auto";
      if (scrolls && !box.querySelector("a[href]:not(.headerlink), button, [tabindex='0']")) box.tabIndex = 0;
    }
  }

  // References call themselves a list whose entries are none.
  function plainReferences() {
    for (const list of document.querySelectorAll(".citation-list")) list.removeAttribute("role");
  }

  // Paper cannot unfold anything: print what is folded, and fold it again afterwards. Code that a
  // chapter hides is not printed.
  function unfoldForPrint() {
    let folded = [];
    window.addEventListener("beforeprint", () => {
      folded = [...document.querySelectorAll("article details:not([open], .hide)")];
      for (const box of folded) box.open = true;
    });
    window.addEventListener("afterprint", () => {
      for (const box of folded) box.open = false;
    });
  }

  function start() {
    unfoldForPrint();
    nameArrows();
    plainReferences();
    reachScrolling();
    window.addEventListener("resize", reachScrolling);
    // Formulas come later than the page.
    window.MathJax?.startup?.promise?.then(reachScrolling);
  }

  if (document.readyState === "complete") start();
  else window.addEventListener("load", start);
})();
