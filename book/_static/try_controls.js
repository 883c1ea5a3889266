// Sliders of the model to touch. A control shows one number twice, as a slider and as a box to type
// in, and says what CLM5 has and where the prior ends. What a number means is the caller's affair.
var ProdaControls = (() => {
  "use strict";

  const STEPS = 200; // positions of a slider

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // Where a value lies on its slider, 0 to 1, and back.
  function scaleOf({ least, most, logarithmic }) {
    const [bend, straight] = logarithmic ? [Math.log, Math.exp] : [(x) => x, (x) => x];
    const [low, high] = [bend(least), bend(most)];
    return {
      share: (value) => Math.min(Math.max((bend(value) - low) / (high - low), 0), 1),
      value: (share) => Math.min(Math.max(straight(low + share * (high - low)), least), most),
    };
  }

  // Parts of a slider that say something about values: the prior as a band, the usual value as a
  // tick. Hidden from those who hear the page: they hear the note below.
  function scaleBar(scale, band, usual) {
    const percent = (value) => `${(100 * scale.share(value)).toFixed(2)}%`;
    const bar = make("div", { class: "bar", "aria-hidden": "true" });
    if (band) {
      const [start, end] = band.map((value) => 100 * scale.share(Math.max(value, 1e-300)));
      const place = `left:${start.toFixed(2)}%;width:${(end - start).toFixed(2)}%`;
      bar.append(make("span", { class: "band", style: place }));
    }
    bar.append(make("span", { class: "tick", style: `left:${percent(usual)}` }));
    return bar;
  }

  // A control. `about` has key, label, code, unit, least, most, logarithmic, whole (numbers only),
  // band (prior, or null); `usual()`, `note(value)` and `spoken(value)` may depend on the place.
  // Returns the element and `show(value)`; a change by the reader calls `changed(value)`.
  function control(about, changed) {
    const scale = scaleOf(about);
    const id = `proda-${about.key}`;
    const steps = about.whole ? about.most - about.least : STEPS;
    const position = (value) => Math.round(scale.share(value) * steps);
    const slider = make("input", { type: "range", id, min: 0, max: steps, step: 1 });
    const box = make("input", { type: "number", step: about.whole ? 1 : "any", min: about.least });
    const name = make("label", { for: id }, about.label);
    const note = make("p", { class: "note", id: `${id}-note` });
    const code = about.code ? [" ", make("code", {}, about.code)] : [];
    const element = make("div", { class: "control" });
    const around = make("div", { class: "slider" }, slider);
    slider.setAttribute("aria-describedby", note.id);
    box.setAttribute("max", about.most);
    box.setAttribute("aria-label", `${about.label}${about.unit ? `, ${about.unit}` : ""}`);
    const typed = make(
      "span",
      { class: "typed" },
      box,
      make("span", { class: "unit" }, about.unit),
    );
    element.append(
      make("div", { class: "head" }, make("span", {}, name, ...code), typed),
      around,
      note,
    );

    slider.addEventListener("input", () => {
      const at = Number(slider.value);
      const usual = about.usual();
      // The tick is the usual value itself, not the nearest step.
      const exact = about.whole ? about.least + at : scale.value(at / steps);
      changed(at === position(usual) ? usual : Number(exact.toPrecision(4)));
    });
    box.addEventListener("change", () => {
      const wish = box.value.trim() === "" ? NaN : Number(box.value);
      const value = Math.min(
        Math.max(about.whole ? Math.round(wish) : wish, about.least),
        about.most,
      );
      changed(Number.isFinite(value) ? value : null);
    });

    function show(value) {
      slider.value = position(value);
      slider.setAttribute("aria-valuetext", about.spoken(value));
      box.value = Number(value.toPrecision(4));
      note.replaceChildren(about.note(value));
      around.querySelector(".bar")?.remove();
      around.append(scaleBar(scale, about.band, about.usual()));
      element.classList.toggle("moved", value !== about.usual());
    }
    return { element, show };
  }

  // Controls of one kind under a heading that opens and closes, with a mark where one was moved.
  function group(title, controls, open) {
    const count = make("span", { class: "count" });
    const head = make("summary", {}, title, " ", count);
    const element = make("details", open ? { open: "" } : {}, head);
    element.append(...controls.map((each) => each.element));
    function mark() {
      const moved = controls.filter((each) => each.element.classList.contains("moved")).length;
      count.textContent = `${moved} of ${controls.length} moved`;
    }
    return { element, mark };
  }

  // A list to choose from; `fill` takes groups of options: [title, [[value, words], ...]].
  function choice(id, label) {
    const select = make("select", { id });
    const element = make("div", { class: "choice" }, make("label", { for: id }, label), select);
    function fill(groups) {
      const made = groups.map(([title, options]) => {
        const listed = options.map(([value, words]) => make("option", { value }, words));
        return title ? [make("optgroup", { label: title }, ...listed)] : listed;
      });
      select.replaceChildren(...made.flat());
    }
    return { element, select, fill };
  }

  return { choice, control, group, make };
})();
