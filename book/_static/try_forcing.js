// What drives the model to touch: sliders for a place's climate, carbon input and ground. What is
// kept is a change (a shift or a factor, as ProdaModel.changed takes it); what is shown is the value.
var ProdaForcing = (() => {
  "use strict";

  const DEEP = 3; // m; thaw depths beyond it are alike to the model
  const SLIDERS = [
    {
      key: "warming",
      label: "Mean soil temperature of the upper metre",
      unit: "°C",
      least: -10,
      most: 30,
    },
    { key: "moisture", label: "Moisture, times the place’s own", unit: "", least: 0.2, most: 2 },
    { key: "input", label: "Carbon input from plants", unit: "gC m⁻² yr⁻¹", least: 20, most: 1500 },
    { key: "thaw", label: "Greatest thaw depth", unit: "m", least: 0.2, most: DEEP },
    {
      key: "bedrock",
      label: "Last layer above bedrock",
      unit: "",
      least: 1,
      most: 20,
      whole: true,
    },
  ];

  const number = (...given) => ProdaPlot.number(...given);
  const total = (values) => values.reduce((a, b) => a + b, 0);

  // What drives the model, as the sliders show it: the place's own value, the value now, and what
  // is kept of a value (a shift or a factor); a note under each slider.
  function of(state, data) {
    const { grid } = data;
    const forcing = () => data.places[state.place].forcing;
    const inMetre = grid.interface.map((base, j) =>
      Math.max(0, Math.min(1, base) - (base - grid.thickness[j])),
    );
    const meanOf = (monthly) =>
      total(monthly.map((layers) => total(layers.map((x, j) => x * inMetre[j])))) / monthly.length;
    const deepest = () => Math.max(...forcing().thaw, ...forcing().thaw_last_year);
    const own = {
      warming: () => meanOf(forcing().temperature) - 273.15,
      moisture: () => 1,
      input: () => total(forcing().annual_input),
      thaw: () => Math.min(deepest(), DEEP),
      bedrock: () => forcing().bedrock_layer,
    };
    const now = {
      warming: () => own.warming() + state.change.warming,
      moisture: () => state.change.moisture,
      input: () => own.input() * state.change.input,
      thaw: () => state.change.thaw ?? own.thaw(),
      bedrock: () => state.change.bedrock ?? own.bedrock(),
    };
    const kept = {
      warming: (value) => value - own.warming(),
      moisture: (value) => value,
      input: (value) => value / own.input(),
      thaw: (value) => value,
      bedrock: (value) => value,
    };
    const note = {
      warming: () => `here ${number(own.warming())} °C`,
      moisture: () =>
        `here a mean water scalar of ${number(meanOf(forcing().water), 2)}; it is at most 1`,
      input: () => `here ${number(own.input())} gC m⁻² yr⁻¹`,
      thaw: () => (deepest() > DEEP ? `here deeper than ${DEEP} m` : `here ${number(deepest())} m`),
      bedrock: (value) =>
        `its base lies at ${number(grid.interface[value - 1])} m; here layer ${own.bedrock()}`,
    };
    function set(key, value) {
      state.change[key] = value === own[key]() ? data.unchanged[key] : kept[key](value);
    }
    return { forcing, note, now, own, set };
  }

  return { SLIDERS, of };
})();
