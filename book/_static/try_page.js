// The page with the model to touch: puts controls, pictures and numbers together. Its data (soil
// grid, parameters, places with their forcing) were written into the page when the book was made.
(() => {
  "use strict";

  const PAUSE = 600; // ms of rest before a result is read out
  const DEPTHS = [1, 2]; // m; what the picture can show beside the whole column
  // The book loads scripts in any order: what others hold is looked up when it is used.
  const choice = (...given) => ProdaControls.choice(...given);
  const control = (...given) => ProdaControls.control(...given);
  const group = (...given) => ProdaControls.group(...given);
  const make = (...given) => ProdaControls.make(...given);
  const number = (...given) => ProdaPlot.number(...given);
  const capital = (words) => words[0].toUpperCase() + words.slice(1);

  // Groups of controls: forcing, then parameters by process. `changed` is called after each change.
  function controlsOf(state, data, driving, changed) {
    const forcing = ProdaForcing.sliders(data).map((about) => {
      const { key, unit } = about;
      const spoken = (value) => `${number(value, 4)} ${unit}`.trim();
      const made = control(
        { ...about, usual: driving.own[key], note: driving.note[key], spoken },
        (value) => {
          if (value !== null) driving.set(key, value);
          changed();
        },
      );
      return { ...made, refresh: () => made.show(driving.now[key]()) };
    });
    const parameter = (about) => {
      const [lower, upper] = about.prior;
      const bounds = `CLM5 ${number(about.default, 4)}, prior ${number(lower, 4)} to ${number(upper, 4)}`;
      const made = control(
        {
          ...about,
          key: about.name,
          label: capital(about.meaning),
          code: about.name,
          band: about.prior,
          usual: () => about.default,
          note: (value) => `${bounds}: ${value < lower || value > upper ? "outside" : "inside"}`,
          spoken: (value) => `${number(value, 4)} ${about.unit}`.trim(),
        },
        (value) => {
          if (value !== null) state.parameters[about.name] = value;
          changed();
        },
      );
      return { ...made, refresh: () => made.show(state.parameters[about.name]) };
    };
    const groups = [["Forcing of the place", forcing, true]];
    for (const [letter, words] of Object.entries(data.processes)) {
      const members = data.parameters.filter((each) => each.process === letter).map(parameter);
      groups.push([
        `${capital(words)} (${letter === "xi" ? "ξ" : letter})`,
        members,
        letter === "xi",
      ]);
    }
    const made = groups.map(([title, members, open]) => group(title, members, open));
    function refresh() {
      groups.forEach(([, members]) => members.forEach((each) => each.refresh()));
      made.forEach((each) => each.mark());
    }
    return { elements: made.map((each) => each.element), refresh };
  }

  // The list of parameter sets, which names the one that is set, if any.
  function presetsOf(state, data) {
    const list = choice("proda-preset", "Parameters");
    const vectors = () => {
      const { truth } = data.places[state.place];
      return truth ? { ...data.presets, "the true ones here (SYNTHETIC)": truth } : data.presets;
    };
    const isSet = (vector) =>
      data.parameters.every((each, i) => vector[i] === state.parameters[each.name]);
    function show() {
      const found = Object.entries(vectors()).find(([, vector]) => isSet(vector));
      const names = Object.keys(vectors());
      list.fill([["", (found ? [] : ["as set below"]).concat(names).map((name) => [name, name])]]);
      list.select.value = found ? found[0] : "as set below";
    }
    function take() {
      const vector = vectors()[list.select.value];
      if (vector) data.parameters.forEach((each, i) => (state.parameters[each.name] = vector[i]));
    }
    return { ...list, show, take };
  }

  function placesOf(data) {
    const byStudy = new Map();
    data.places.forEach((each, i) => {
      const name = each.synthetic ? `${each.study} (SYNTHETIC)` : `${each.study} (real)`;
      byStudy.set(name, [...(byStudy.get(name) || []), [i, each.name]]);
    });
    const list = choice("proda-place", "Place");
    list.fill([...byStudy]);
    return list;
  }

  // Where results are shown; `draw` fills it.
  function resultsOf(data) {
    const svg = (id) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      element.id = id;
      return element;
    };
    const parts = {
      profile: svg("proda-profile"),
      pools: svg("proda-pools"),
      legend: make("ul", { class: "legend" }),
      table: make("table", { class: "numbers", "aria-label": "Results" }),
      status: make("p", { role: "status", class: "status" }),
    };
    const heading = "The seven pools with depth (kgC m⁻³), each on its own scale";
    parts.element = make(
      "div",
      { class: "results" },
      make("div", { class: "stay" }, parts.profile, parts.legend),
      parts.status,
      parts.table,
      make("p", { class: "heading" }, heading),
      parts.pools,
    );
    let waiting = 0;
    function speak(words) {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        if (parts.status.textContent !== words) parts.status.textContent = words;
      }, PAUSE);
    }
    function draw({ now, reference, frame, observed, fit, kind }) {
      const said = ProdaResults.sentence(now, reference);
      const drawn = { now, reference, observed, pools: data.pools };
      parts.width = parts.profile.parentElement.clientWidth;
      const height = parts.width < 480 ? 250 : 290;
      const title = `Soil organic carbon with depth. ${said}`;
      ProdaPlot.profile(parts.profile, parts.width, height, frame, { ...drawn, title });
      const words = ProdaResults.poolSentence(now, data.pools, data.grid);
      ProdaPlot.pools(parts.pools, parts.width, frame, { ...drawn, title: words });
      ProdaResults.fill(parts.table, now, reference, fit);
      ProdaResults.legend(parts.legend, data.pools, observed.length ? `observed (${kind})` : "");
      speak(said);
    }
    return { parts, draw };
  }

  function build(root, data) {
    const { grid, constants } = data;
    const defaults = Object.fromEntries(data.parameters.map((each) => [each.name, each.default]));
    const state = { place: 0, parameters: { ...defaults }, change: { ...data.unchanged } };
    const place = () => data.places[state.place];
    const driving = ProdaForcing.of(state, data);
    const controls = controlsOf(state, data, driving, draw);
    const [presets, places] = [presetsOf(state, data), placesOf(data)];
    const depths = choice("proda-depth", "Depth shown");
    const dots = make("input", { type: "checkbox", id: "proda-dots" });
    const reset = make("button", { type: "button", class: "reset" }, "Reset");
    const { parts, draw: drawResults } = resultsOf(data);
    const banner = make("p", { class: "banner" });
    const tour = make("span", { class: "from-tour" });
    const column = grid.interface[grid.interface.length - 1];
    const whole = [String(column), `all, ${column} m`];
    depths.fill([["", [...DEPTHS.map((depth) => [String(depth), `${depth} m`]), whole]]]);
    depths.select.value = "2";

    const clear = () =>
      Object.assign(state, { parameters: { ...defaults }, change: { ...data.unchanged } });

    function draw() {
      const driven = ProdaModel.changed(driving.forcing(), state.change);
      const now = ProdaModel.summary(state.parameters, driven, grid, constants);
      const reference = ProdaModel.summary(defaults, driving.forcing(), grid, constants);
      const downTo = (layers) => ({ layers, base: grid.interface[layers - 1] });
      const [layers, usual] = [driven.bedrock_layer, driving.own.bedrock()];
      const depth = Number(depths.select.value);
      const frame = { grid, ...downTo(layers), reference: downTo(usual), depth };
      const observed = dots.checked ? place().observed : [];
      const misfit = (result, last) => ProdaResults.misfit(result, observed, last, grid);
      const fit = observed.length && [misfit(now, layers), misfit(reference, usual)];
      const kind = place().synthetic ? "SYNTHETIC" : "real";
      drawResults({ now, reference, frame, observed, fit, kind });
      dots.disabled = place().observed.length === 0;
      banner.textContent = place().synthetic
        ? "SYNTHETIC place: its climate, its observations and its true parameters are made up."
        : `A place of the study ${place().study}: a real profile, a modelled climate.`;
      banner.classList.toggle("synthetic", place().synthetic);
      places.select.value = state.place;
      presets.show();
      controls.refresh();
    }

    function takeStep(button) {
      clear();
      state.place = 0;
      const step = data.steps[button.dataset.step] || {}; // the one that only shows has no changes
      for (const [key, value] of Object.entries(step))
        (key in state.change ? state.change : state.parameters)[key] = value;
      dots.checked = "observed" in button.dataset;
      draw();
      // True whatever the reader moves next, so that it may stay.
      const words = `Back to step ${button.dataset.number} of the tour`;
      const back = make("a", { href: `#${button.id}` }, words);
      back.addEventListener("click", () => button.focus());
      tour.replaceChildren(back);
      root.scrollIntoView();
    }

    places.select.addEventListener("change", () => {
      state.place = Number(places.select.value);
      state.change = { ...data.unchanged };
      draw();
    });
    presets.select.addEventListener("change", () => (presets.take(), draw()));
    depths.select.addEventListener("change", draw);
    dots.addEventListener("change", draw);
    reset.addEventListener("click", () => (clear(), draw()));
    for (const button of document.querySelectorAll("button.proda-step")) {
      button.hidden = false;
      button.addEventListener("click", () => takeStep(button));
    }

    const differ = number(ProdaPlot.roundAbove(ProdaResults.check(data, defaults)), 1);
    const checked = `Checked when you opened this page: at ${data.places.length} places with CLM5’s parameters your browser and the Python engine differ by less than ${differ} of any layer’s carbon.`;
    const wish = make("label", { for: dots.id }, "Show what was observed");
    const around = { class: "controls", role: "group", "aria-label": "Forcing and parameters" };
    root.replaceChildren(
      banner,
      make("div", { class: "choices" }, places.element, presets.element, depths.element, reset),
      make("div", { class: "dots" }, dots, wish, tour),
      make("div", { class: "panels" }, make("div", around, ...controls.elements), parts.element),
      make("p", { class: "note" }, checked),
    );
    draw();
    const frame = parts.profile.parentElement;
    new ResizeObserver(() => frame.clientWidth !== parts.width && draw()).observe(frame);
  }

  function start() {
    const root = document.getElementById("proda-try");
    const source = document.getElementById("proda-try-data");
    if (root && source) build(root, JSON.parse(source.textContent));
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
