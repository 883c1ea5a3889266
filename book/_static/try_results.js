// What the page with the model to touch says in numbers and words: table, legend, one sentence.
// Results are those of ProdaModel.summary; `reference` has CLM5's parameters and the own forcing.
var ProdaResults = (() => {
  "use strict";

  // The book loads scripts in any order: what others hold is looked up when it is used.
  const make = (...given) => ProdaControls.make(...given);
  const number = (...given) => ProdaPlot.number(...given);
  const KILO = 1000; // gC per kgC
  const NONE = "0\u00a0%"; // no change

  const QUANTITIES = [
    ["SOC stock, 0–1 m", "kgC m⁻²", (result) => result.stock_1m / KILO],
    ["SOC stock, whole column", "kgC m⁻²", (result) => result.stock / KILO],
    ["Residence time", "yr", (result) => result.residence_time],
    ["Carbon use efficiency (CUE)", "", (result) => result.carbon_use_efficiency],
  ];

  // How a number differs from another: in percent, or as a factor if it is much larger.
  function change(now, before) {
    const ratio = now / before;
    if (ratio >= 3) return `×\u00a0${number(ratio)}`;
    const percent = 100 * (ratio - 1);
    if (Math.abs(percent) < 0.05) return NONE;
    return `${percent > 0 ? "+" : "−"}${number(Math.abs(percent))}\u00a0%`;
  }

  // Root mean square difference between the model and the observations, kgC m-3.
  function misfit(result, observed, layers, grid) {
    const squares = observed.map(
      ([depth, soc]) => (ProdaModel.read(result.soil, depth, layers, grid) - soc) ** 2,
    );
    return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length) / KILO;
  }

  function row(cells, heads) {
    const made = cells.map((words, i) =>
      heads || i === 0
        ? make("th", { scope: heads ? "col" : "row" }, words)
        : make("td", {}, words),
    );
    return make("tr", {}, ...made);
  }

  // Fill a table: each quantity now, in the reference, and the change; `fit` adds the misfit.
  function fill(table, now, reference, fit) {
    const rows = QUANTITIES.map(([words, unit, of]) => {
      const [mine, theirs] = [of(now), of(reference)];
      return [
        unit ? `${words} (${unit})` : words,
        number(mine),
        number(theirs),
        change(mine, theirs),
      ];
    });
    if (fit) {
      const [mine, theirs] = fit;
      rows.push(["Misfit, RMSE (kgC m⁻³)", number(mine), number(theirs), change(mine, theirs)]);
    }
    table.replaceChildren(
      make("thead", {}, row(["quantity", "now", "reference", "change"], true)),
      make("tbody", {}, ...rows.map((cells) => row(cells, false))),
    );
  }

  function legend(list, pools, observed) {
    const items = [4, 5, 6].map((pool) => ["area", pools[pool].label, pools[pool].colour]);
    items.push(["now", "sum, now"], ["reference", "sum, reference"]);
    if (observed) items.push(["observed", observed]);
    const made = items.map(([kind, words, colour]) => {
      const look = colour ? { style: `background:${colour}` } : {};
      return make("li", {}, make("span", { class: `sign ${kind}`, ...look }), words);
    });
    list.replaceChildren(...made);
  }

  // The result in one sentence, for the status line and for those who hear the picture.
  function sentence(now, reference) {
    const compared = change(now.stock_1m, reference.stock_1m);
    const against = compared === NONE ? "as in the reference" : `${compared} against the reference`;
    const times = `residence time ${number(now.residence_time)} yr`;
    const efficiency = `CUE ${number(now.carbon_use_efficiency)}`;
    return `Upper metre ${number(now.stock_1m / KILO)} kgC m⁻², ${against}; ${times}, ${efficiency}.`;
  }

  // The same for the seven pools: carbon of the whole column.
  function poolSentence(now, pools, grid) {
    const carbon = pools.map((pool, i) => {
      const column = now.pools[i].reduce((total, x, j) => total + x * grid.thickness[j], 0);
      return `${pool.label} ${number(column / KILO)}`;
    });
    return `The seven pools with depth. Whole column, kgC m⁻²: ${carbon.join(", ")}.`;
  }

  // The page's own check: the browser's numbers beside those of the Python engine.
  function check({ places, grid, constants }, defaults) {
    const differences = places.flatMap(({ forcing, engine }) =>
      ProdaModel.summary(defaults, forcing, grid, constants).soil.map((x, j) =>
        x === engine.soil[j] ? 0 : Math.abs(x / engine.soil[j] - 1),
      ),
    );
    return Math.max(...differences, 2 ** -52); // the resolution of a number
  }

  return { check, fill, legend, misfit, poolSentence, sentence };
})();
