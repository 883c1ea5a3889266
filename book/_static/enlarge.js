// Every figure opens enlarged in a dialog: on click, or on Enter when it has the focus. Escape, the
// close button or a click beside the picture closes it, and the focus goes back to the figure.
(() => {
  "use strict";

  const STEP = 1.4; // from one size to the next
  const CLEARLY = 1.5; // times the size on the page that count as larger at all
  const NARROW = 2.5; // times the size on the page where the window is not clearly wider

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  const button = (name, sign, action) => {
    const made = make("button", { type: "button", "aria-label": name, title: name }, sign);
    made.addEventListener("click", action);
    return made;
  };

  let view = null; // the dialog and its parts, made when it is first needed
  let opener = null; // the figure's button, to which the focus returns

  function build() {
    const title = make("h2", { id: "proda-enlarged-title" });
    const picture = make("img");
    const words = make("p");
    const area = make("div", { class: "proda-enlarged-area", tabindex: "0" }, picture, words);
    area.setAttribute("role", "region");
    area.setAttribute("aria-label", "Enlarged figure, scrolls");
    const bar = make(
      "div",
      { class: "proda-enlarged-bar" },
      title,
      button("Smaller", "−", () => resize(1 / STEP)),
      button("Larger", "+", () => resize(STEP)),
      button("Close", "×", () => view.dialog.close()),
    );
    const dialog = make("dialog", { class: "proda-enlarged" }, bar, area);
    dialog.setAttribute("aria-labelledby", "proda-enlarged-title");
    dialog.addEventListener("close", () => opener && opener.focus());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target === area) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "+") resize(STEP);
      if (event.key === "-") resize(1 / STEP);
    });
    document.body.append(dialog);
    return { dialog, title, picture, words, area };
  }

  // Width at which the whole picture is in sight.
  function whole() {
    const { area, picture } = view;
    const shape = picture.naturalWidth / picture.naturalHeight || 1;
    return Math.min(area.clientWidth, area.clientHeight * shape);
  }

  function setWidth(width) {
    const least = Math.min(whole(), view.area.clientWidth);
    const most = Math.max(4 * view.area.clientWidth, 2 * view.picture.naturalWidth);
    view.picture.style.width = `${Math.round(Math.min(Math.max(width, least), most))}px`;
  }

  // Change the size and keep in the middle what is there.
  function resize(factor) {
    const { area, picture } = view;
    const before = picture.clientWidth;
    const x = area.scrollLeft + area.clientWidth / 2;
    const y = area.scrollTop + area.clientHeight / 2;
    setWidth(before * factor);
    const grown = picture.clientWidth / before;
    area.scrollTo(x * grown - area.clientWidth / 2, y * grown - area.clientHeight / 2);
  }

  function open(from, image, figure) {
    view = view || build();
    opener = from;
    const onPage = image.clientWidth;
    const text = (name) => (figure.querySelector(name)?.textContent || "").trim();
    view.title.textContent = text(".caption-number") || "Figure";
    view.words.textContent = text(".caption-text");
    view.picture.src = image.currentSrc || image.src;
    view.picture.alt = image.alt;
    view.dialog.showModal();
    const wide = view.area.clientWidth;
    setWidth(wide >= CLEARLY * onPage ? wide : NARROW * onPage);
    view.area.scrollTo(0, 0);
    view.area.focus({ preventScroll: true });
  }

  function prepare(figure) {
    for (const image of figure.querySelectorAll("img")) {
      if (image.closest("a, button")) continue;
      const hint = make("span", { class: "proda-enlarge-hint" }, "Enlarge");
      const around = make("button", { type: "button", class: "proda-enlarge" });
      around.setAttribute("aria-haspopup", "dialog");
      image.replaceWith(around);
      around.append(image, hint);
      around.addEventListener("click", () => open(around, image, figure));
    }
  }

  const start = () => document.querySelectorAll("article figure").forEach(prepare);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
