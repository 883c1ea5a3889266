// What drives the model to touch: sliders for a place's climate, carbon input and ground. What is
// kept is a change (a shift or a factor, as ProdaModel.changed takes it); what is shown is the value.
var ProdaForcing = (() => {
  "use strict";

  // The sliders, in their order. Thaw depths beyond the end of theirs are alike to the model.
  const sliders = ({ grid, constants }) => [
    {
      key: "warming",
      label: "Mean soil temperature of the upper metre",
      unit: "°C",
      least: -10,
      most: 30,
    },
    { key: "moisture", label: "Moisture, times the place’s own", unit: "", least: 0.2, most: 2 },
    { key: "input", label: "Carbon input from plants", unit: "gC m⁻² yr⁻¹", least: 20, most: 1500 },
    { key: "thaw", label: "Greatest thaw depth", unit: "m", least: 0.2, most: constants.cryoturbation_depth },
    {
      key: "bedrock",
      label: "Last layer above bedrock",
      unit: "",
      least: 1,
      most: grid.node.length,
      whole: true,
    },
  ];

  const number = (...given) => ProdaPlot.number(...given);
  const total = (values) => values.reduce((a, b) => a + b, 0);

  // What drives the model, as the sliders show it: the place's own value, the value now, and what
  // is kept of a value (a shift or a factor); a note under each slider.
  function of(state, data) {
    const { grid, constants } = data;
    const deep = constants.cryoturbation_depth;
    const forcing = () => data.places[state.place].forcing;
    const meanOf = (monthly) =>
      total(monthly.map((layers) => total(layers.map((x, j) => x * grid.in_metre[j])))) / monthly.length;
    const deepest = () => Math.max(...forcing().thaw, ...forcing().thaw_last_year);
    const own = {
      warming: () => meanOf(forcing().temperature) - constants.freezing,
      moisture: () => 1,
      input: () => total(forcing().annual_input),
      thaw: () => Math.min(deepest(), deep),
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
      thaw: () => (deepest() > deep ? `here deeper than ${deep} m` : `here ${number(deepest())} m`),
      bedrock: (value) =>
        `its base lies at ${number(grid.interface[value - 1])} m; here layer ${own.bedrock()}`,
    };
    function set(key, value) {
      state.change[key] = value === own[key]() ? data.unchanged[key] : kept[key](value);
    }
    return { forcing, note, now, own, set };
  }

  return { of, sliders };
})();
