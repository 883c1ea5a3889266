"""The model to touch: the browser's numbers beside the engine's, and the page in use."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest

from proda_lib import paths, processes, steady_state
from proda_lib.parameters import CLM5_DEFAULT, NAMES, PARAMETERS, PRODA
from proda_lib.reproduce import book, book_model_data, book_model_page, book_model_places
from proda_lib.soil_grid import CLM5
from tests import browser, script_page

TOLERANCE = 1e-6
STATIC = paths.book() / "_static"
#: Named against their order: the book loads scripts in any order.
SCRIPTS = ("try_results", "try_plot", "try_page", "try_model", "try_forcing", "try_controls")
VECTORS = PRODA.to_physical(np.random.default_rng(37).uniform(1e-3, 1 - 1e-3, (50, 21)))

#: Runs in the page: what a model (a source text, else the page's) says of places and vectors.
SOLVE = """([source, vectors, changes]) => {
  const data = JSON.parse(document.getElementById('proda-try-data').textContent);
  const model = source ? new Function(source + '; return ProdaModel')() : ProdaModel;
  return JSON.stringify(data.places.map(place => vectors.map((vector, i) => {
    const value = Object.fromEntries(data.parameters.map((p, k) => [p.name, vector[k]]));
    const change = { ...data.unchanged, ...(changes ? changes[i % changes.length] : {}) };
    return model.summary(value, model.changed(place.forcing, change), data.grid, data.constants);
  })));
}"""

#: Runs in the page: put a slider to one of its ends.
PRESS = """([id, key]) => {
  const slider = document.getElementById(id);
  slider.value = key === 'Home' ? slider.min : slider.max;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
}"""

#: Runs in the page: how far sliders move on the page while they are moved, px.
JITTER = """() => {
  document.querySelectorAll('#proda-try details').forEach(group => { group.open = true; });
  return [...document.querySelectorAll('#proda-try input[type=range]')].flatMap(slider => {
    const start = slider.getBoundingClientRect().top;
    const moved = [0, slider.max / 3, slider.max].map(value => {
      slider.value = value;
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      return Math.abs(slider.getBoundingClientRect().top - start);
    });
    document.querySelector('#proda-try .reset').click();
    return moved;
  });
}"""

#: Other forcings, one for each of the first vectors.
CHANGES = (
    {"warming": 7.5, "moisture": 1.9},
    {"warming": -12.0, "input": 0.3, "bedrock": 1},
    {"thaw": 0.7, "bedrock": 18},
    {"thaw": 1.9, "bedrock": 12},
    {"thaw": 3.0, "bedrock": 20, "moisture": 0.2},
)

#: One formula each that is wrong: what stands in the script, and what is put there.
WRONG = {
    "reference temperature": ("temperature - reference", "temperature - reference - 0.01"),
    "water is not limited": ("Math.min(1, scaling * water)", "scaling * water"),
    "nitrogen slows soil": ("LITTERS.includes(pool) ? xi.litter : xi.soil", "xi.litter"),
    "depth at the interface": ("depthScalar(node,", "depthScalar(grid.interface[j],"),
    "input per metre": ("100 * Math.log(beta)", "Math.log(beta)"),
    "frost fades out": ("constants.cryoturbation_depth,", "constants.cryoturbation_depth - 0.1,"),
    "weight of a face": ("(node[j + 1] - interfaces[j]) / spacing", "0.5"),
    "bedrock is open": ("j < layer - 1 &&", ""),
    "debris to lignin": ("1 - value.fcwdl2]", "value.fcwdl2]"),
    "slow to passive": ("[-value.fs1s3 * fast, -value.fs2s3 * slow,", "[-value.fs1s3 * fast, 0,"),
    "frost mixes": ("constants.cryoturbation_limit", "constants.cryoturbation_limit - 0.2"),
}


@pytest.fixture(scope="module")
def places():
    """Places of the twin, and of New York where its data are."""
    return book_model_places.places(("newyork",))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Write a page with the model and its tour."""
    steps = (*book_model_data.STEPS, "assimilate")
    raw = [book_model_page.data_block(("newyork",)), *map(book_model_page.step_button, steps)]
    body = "".join(part.removeprefix("```{raw} html\n").removesuffix("```") for part in raw)
    folder = tmp_path_factory.mktemp("page")
    return script_page.write(folder, f"<h1>x</h1>{body}", ["try_it"], SCRIPTS)


def opened_at(chromium, address, width):
    wrong = []
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda r: wrong.append(r.url) if browser._outside(r.url) else None)
    page.goto(address)
    return page, wrong


@pytest.fixture
def page(chromium, address):
    """Open the page; anything asked from a network and any error of a script fails the test."""
    opened, wrong = opened_at(chromium, address, 1280)
    yield opened
    opened.close()
    assert not wrong


def engine(place, vectors, change=None):
    """Pools of one place and many vectors, (vector, pool, layer)."""
    row = book_model_places.changed(place.row, change or {})
    dimension = "site" if "site" in row.dims else "cell"
    return steady_state.pools(vectors, row.isel({dimension: [0] * len(vectors)}))


def differences(found, expected):
    """Largest relative difference of pools and of soil carbon, those of empty layers included."""
    pools = np.array([[each["pools"] for each in place] for place in found])
    soil = np.array([[each["soil"] for each in place] for place in found])
    pairs = (pools, expected), (soil, expected[:, :, 4:].sum(axis=2))
    return max(float((np.abs(a - b) / np.where(b > 0, b, 1e-30)).max()) for a, b in pairs)


def solved(page, source=None, vectors=VECTORS, changes=None):
    """Return what the browser computes: a list of places, each a list of results by vector."""
    return json.loads(page.evaluate(SOLVE, [source, vectors.tolist(), changes]))


def test_the_browser_agrees_with_the_engine(page, places):
    found = solved(page)
    assert len(found) == len(places) >= 6 and len(found[0]) == 50
    assert differences(found, np.array([engine(place, VECTORS) for place in places])) < TOLERANCE


@pytest.fixture(scope="module")
def elsewhere(places):
    """What the engine says of every place with other forcings."""
    return np.array(
        [
            [engine(place, VECTORS[[i]], change)[0] for i, change in enumerate(CHANGES)]
            for place in places
        ]
    )


def test_another_forcing_agrees_as_well(page, elsewhere):
    found = solved(page, vectors=VECTORS[: len(CHANGES)], changes=CHANGES)
    assert differences(found, elsewhere) < TOLERANCE


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_formula_is_found(page, elsewhere, name):
    right, wrong = WRONG[name]
    source = (STATIC / "try_model.js").read_text(encoding="utf-8")
    assert source.count(right) == 1
    broken = source.replace(right, wrong)
    found = solved(page, broken, VECTORS[: len(CHANGES)], CHANGES)
    assert differences(found, elsewhere) > 10 * TOLERANCE


def test_numbers_beside_the_picture_are_those_of_the_library(page, places):
    found = solved(page)
    row = places[0].row
    bulk = processes.bulk_processes(VECTORS[None], row)
    names = {"input": "carbon_input"}
    for name in ("stock", "stock_1m", "residence_time", "carbon_use_efficiency", "input"):
        mine = [each[name] for each in found[0]]
        np.testing.assert_allclose(mine, bulk[names.get(name, name)].values[0], rtol=1e-9)
    ours = book_model_data.results_of(VECTORS[0], row)
    for name in ("stock", "stock_1m", "residence_time", "carbon_use_efficiency", "input"):
        assert ours[name] == pytest.approx(found[0][0][name], rel=1e-9)


def test_observations_are_read_as_the_library_reads_them(page, places):
    read = """() => JSON.parse(document.getElementById('proda-try-data').textContent)
      .places.map((p, _, all) => p.observed.map(([depth]) => ProdaModel.read(p.engine.soil, depth,
        p.forcing.bedrock_layer, JSON.parse(document.getElementById('proda-try-data').textContent)
        .grid)))"""
    for place, found in zip(places, page.evaluate(read), strict=True):
        if found:
            there = steady_state.soil_carbon_at_depth(CLM5_DEFAULT, place.row)[0]
            np.testing.assert_allclose(found, there[np.isfinite(there)], rtol=1e-9)


def table(page):
    """Return the table as printed: quantity to what stands under now, reference and change."""
    cells = page.locator("table.numbers tbody tr").all_inner_texts()
    rows = [re.split(r"\t+", row.strip()) for row in cells]
    return {row[0]: tuple(row[1:]) for row in rows}


def curve(page):
    return page.get_attribute("#proda-profile polyline.now", "points")


def pool_curves(page):
    return [each.get_attribute("points") for each in page.locator("#proda-pools .pool").all()]


STOCK = "SOC stock, 0–1 m (kgC m⁻²)"


def test_keys_on_a_slider_move_curve_pools_and_numbers_and_reset_restores_them(page):
    before = curve(page), pool_curves(page), table(page)
    assert len(before[1]) == 7
    assert before[2][STOCK][0] == before[2][STOCK][1]
    page.focus("#proda-q10")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.get_attribute("#proda-q10", "aria-valuetext") != "1.5"
    assert curve(page) != before[0]
    assert all(a != b for a, b in zip(pool_curves(page), before[1], strict=True))
    stock = table(page)[STOCK]
    assert float(stock[0]) > float(stock[1]) == float(before[2][STOCK][1])
    page.get_by_role("button", name="Reset").press("Enter")
    assert (curve(page), pool_curves(page), table(page)) == before


def test_every_slider_is_reached_by_keys_and_has_a_name_and_an_effect(page):
    for group in page.locator("#proda-try details").all():
        if group.get_attribute("open") is None:
            group.locator("summary").press("Enter")
    reached = set()
    page.focus("#proda-place")
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.id"))
    sliders = {f"proda-{name}" for name in (*NAMES, *book_model_places.UNCHANGED)}
    assert sliders <= reached
    without_effect = set()
    for each in sorted(sliders):
        start = curve(page), pool_curves(page)
        page.focus(f"[id='{each}']")
        page.keyboard.press("PageDown")
        page.keyboard.press("PageDown")
        if (curve(page), pool_curves(page)) == start:
            without_effect.add(each)
        page.get_by_role("button", name="Reset").click()
    # Where the soil thaws deep, frost mixes nothing; thaw depths above 2 m are all alike.
    assert without_effect == {"proda-cryo"} | ({"proda-thaw"} & without_effect)
    for row in PARAMETERS:
        name = f"{row.meaning[0].upper()}{row.meaning[1:]}"
        assert page.get_by_role("slider", name=name, exact=True).count() == 1, row.name


@pytest.mark.parametrize("key", ["Home", "End"])
def test_the_ends_of_the_sliders_can_be_drawn(page, places, key):
    for i in range(len(places)):
        page.select_option("#proda-place", str(i))
        for name in (*NAMES, *book_model_places.UNCHANGED):
            page.evaluate(PRESS, [f"proda-{name}", key])
            drawn = page.inner_html("#proda-try .results")
            assert not re.search("NaN|Infinity|undefined|null", drawn), (i, name)


def test_the_reference_stays_where_it_is(page):
    def reference():
        return page.get_attribute("#proda-profile .reference", "points")

    before = reference()
    page.evaluate(PRESS, ["proda-input", "Home"])  # less carbon: the scale is the reference's
    assert reference() == before != curve(page)
    assert page.locator("#proda-profile .rock").count() == 0
    page.evaluate(PRESS, ["proda-bedrock", "Home"])
    assert page.locator("#proda-profile .rock").count() == 1
    assert reference().count(",") == before.count(",")
    page.get_by_role("button", name="Reset").click()
    assert reference() == before


def test_numbers_are_typed_kept_within_their_limits_and_nonsense_is_undone(page):
    box = page.get_by_role("spinbutton", name="temperature sensitivity of decomposition")
    box.fill("2.25")
    box.press("Enter")
    value = dict(zip(NAMES, CLM5_DEFAULT, strict=True)) | {"q10": 2.25}
    row = book_model_places.places()[0].row
    stock = book_model_data.results_of(list(value.values()), row)["stock_1m"] / 1000
    assert float(table(page)[STOCK][0]) == pytest.approx(stock, rel=5e-3)
    box.fill("99")
    box.press("Enter")
    assert box.input_value() == "3"
    box.fill("")
    box.press("Enter")
    assert box.input_value() == "3"


def test_the_result_is_read_out_once_the_reader_rests(page):
    status = page.get_by_role("status")
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    before = status.inner_text()
    page.focus("#proda-input")
    page.keyboard.press("PageUp")
    assert status.inner_text() == before
    page.wait_for_function(
        "t => document.querySelector('[role=status]').textContent !== t", arg=before
    )
    words = status.inner_text()
    assert "against the reference" in words and len(words) < 140
    assert words in page.get_attribute("#proda-profile", "aria-label")


def test_places_and_sets_of_parameters(page, places):
    frozen = next(i for i, place in enumerate(places) if place.name.startswith("frozen"))
    page.select_option("#proda-place", str(frozen))
    default = book_model_data.results_of(CLM5_DEFAULT, places[frozen].row)["stock_1m"] / 1000
    assert float(table(page)[STOCK][0]) == pytest.approx(default, rel=5e-3)
    page.select_option("#proda-preset", label="the true ones here (SYNTHETIC)")
    true = book_model_data.results_of(places[frozen].truth, places[frozen].row)["stock_1m"] / 1000
    assert float(table(page)[STOCK][0]) == pytest.approx(true, rel=5e-3)
    assert "SYNTHETIC" in page.locator("#proda-try .banner").inner_text()
    assert page.locator("#proda-dots").is_disabled()
    for i, place in enumerate(places):
        page.select_option("#proda-place", str(i))
        assert ("SYNTHETIC" in page.locator("#proda-try .banner").inner_text()) == place.synthetic


@pytest.mark.parametrize("step", book_model_data.STEPS)
def test_the_tour_sets_up_what_its_numbers_say(page, step):
    page.select_option("#proda-place", "2")
    page.locator(f"button[data-step={step}]").click()
    now, reference, _ = table(page)["SOC stock, whole column (kgC m⁻²)"]
    numbers = book_model_page.numbers()
    assert float(now) / float(reference) == pytest.approx(numbers[f"try.{step}.stock"], rel=0.01)
    misfit = table(page).get("Misfit, RMSE (kgC m⁻³)")
    assert (misfit is not None) == (f"try.{step}.misfit" in numbers)
    if misfit:
        assert float(misfit[0]) == pytest.approx(numbers[f"try.{step}.misfit"], rel=0.01)
        assert float(misfit[1]) == pytest.approx(numbers["try.clm5.misfit"], rel=0.01)
    page.get_by_role("link", name="of the tour").click()
    assert page.evaluate("() => document.activeElement.dataset.step") == step


def test_the_way_back_to_the_tour_is_true_whatever_was_moved(page):
    page.locator("button[data-step=slow]").click()
    back = page.locator("#proda-try .from-tour")
    page.select_option("#proda-place", "2")
    page.evaluate(PRESS, ["proda-q10", "End"])
    assert back.inner_text() == "Back to step 8 of the tour"
    page.get_by_role("button", name="Reset").click()
    assert back.inner_text() == "Back to step 8 of the tour"
    page.locator("button[data-step=frost]").click()
    assert back.inner_text() == "Back to step 7 of the tour"


def test_a_larger_q10_does_in_the_page_what_the_tour_says(page):
    numbers = book_model_page.numbers()
    stock = {}
    for name in ("cold", "crossing", "warm"):
        for q10 in (numbers["try.clm5.q10"], numbers["try.q10.most"]):
            for slider, value in (("warming", numbers[f"try.q10.{name}"]), ("q10", q10)):
                box = page.locator(f".control:has(#proda-{slider}) input[type=number]")
                box.fill(str(round(value, 4)))
                box.press("Enter")
            stock.setdefault(name, []).append(float(table(page)[STOCK][0]))
    factor = {name: most / usual for name, (usual, most) in stock.items()}
    for name in ("cold", "warm"):
        assert factor[name] == pytest.approx(numbers[f"try.q10.{name}_stock_1m"], rel=0.01)
    assert factor["cold"] > 1 > factor["warm"]
    assert factor["crossing"] == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("most", [1.4e-9, 2e-9, 9.6e-9])
def test_the_page_never_says_that_it_differs_by_less_than_it_does(chromium, address, most):
    page = chromium.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'ProdaResults', { get() { return this.kept; },"
        f" set(given) {{ this.kept = {{ ...given, check: () => {most} }}; }} }})"
    )
    page.goto(address)
    words = page.get_by_text("Checked when you opened this page").inner_text()
    page.close()
    digit, power = re.search(r"by less than (\d+)\s×\s10⁻(.) of", words).groups()
    said = int(digit) * 10.0 ** -"⁰¹²³⁴⁵⁶⁷⁸⁹".index(power)
    assert most < said <= 2 * most


def test_the_last_step_shows_dots_and_misfit(page):
    assert page.locator("circle.observed").count() == 0
    page.locator("button[data-step=assimilate]").click()
    assert page.locator("circle.observed").count() > 2
    before = table(page)["Misfit, RMSE (kgC m⁻³)"]
    page.select_option("#proda-preset", label="the true ones here (SYNTHETIC)")
    after = table(page)["Misfit, RMSE (kgC m⁻³)"]
    assert float(after[0]) < float(before[0]) == float(after[1])


def overlap(one, other):
    return all(
        one[start] + one[size] > other[start] + 2 and other[start] + other[size] > one[start] + 2
        for start, size in (("x", "width"), ("y", "height"))
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", browser.WIDTHS)
def test_it_fits_and_can_be_read(chromium, address, width, theme):
    page, wrong = opened_at(chromium, address, width)
    page.evaluate("t => document.documentElement.setAttribute('data-theme', t)", theme)
    assert page.evaluate(browser.OVERFLOW) == []
    assert page.evaluate(browser.CHECK) == []
    for part in (".note", ".banner", ".control label", ".unit", "select", "summary"):
        assert page.evaluate(script_page.CONTRAST, [f"#proda-try {part}", "color"]) >= 4.5, part
    wide = page.locator("#proda-profile").bounding_box()["width"]
    assert 300 < wide <= width
    boxes = [each.bounding_box() for each in page.locator("#proda-try svg text").all()]
    assert not [pair for pair in itertools.combinations(boxes, 2) if overlap(*pair)]
    page.close()
    assert not wrong


@pytest.mark.parametrize("width", browser.WIDTHS)
def test_nothing_moves_under_the_finger_that_moves_a_slider(chromium, address, width):
    page, wrong = opened_at(chromium, address, width)
    page.wait_for_function("() => document.querySelector('[role=status]').textContent")
    assert max(page.evaluate(JITTER)) < 1
    page.close()
    assert not wrong


def test_without_script_it_says_what_one_would_see(chromium, address):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.get_by_text("need JavaScript").is_visible()
    assert not page.locator("button.proda-step").first.is_visible()
    context.close()


def test_the_page_of_the_book():
    page = book.assemble([])["try_it.md"].decode()
    assert "% insert" not in page and "{value}" not in page
    buttons = re.findall(r"^### (\d)\.|data-number=\"(\d)\"", page, flags=re.MULTILINE)
    at, numbered = "", []
    for heading, number in buttons:
        at = heading or at
        numbered += [(at, number)] if number else []
    assert len(numbered) == len(book_model_data.STEPS) + 1
    assert all(step == number for step, number in numbered)
    assert page.count("| **SYNTHETIC** |") == len(book_model_places.places())
    found = re.search(r'id="proda-try-data">(.*?)</script>', page)[1]
    data = json.loads(found)
    assert {place["study"] for place in data["places"]} == {"twin"}
    assert [each["name"] for each in data["parameters"]] == list(NAMES)
    for each in data["parameters"]:
        assert each["least"] <= each["default"] <= each["most"]
        assert each["most"] >= each["prior"][1] and each["least"] <= each["prior"][0] + 0.1
    files = [*STATIC.glob("try_*"), *(STATIC / name for name in ("proda.css", "enlarge.js"))]
    assert len(page.encode()) + sum(file.stat().st_size for file in files) < 5e5


def test_where_a_larger_q10_changes_sides():
    row = book_model_places.places()[0].row

    def factor(warming, place=row):
        there = book_model_places.changed(place, {"warming": warming})
        vectors = [dict(zip(NAMES, CLM5_DEFAULT, strict=True)) | {"q10": q10} for q10 in (1.5, 3)]
        usual, most = (
            book_model_data.results_of(list(vector.values()), there) for vector in vectors
        )
        return most["stock_1m"] / usual["stock_1m"]

    numbers = book_model_page.numbers()
    crossing = numbers["try.q10.crossing"]
    own = book_model_data.mean_temperature(row)
    assert factor(crossing - own - 0.5) > 1 > factor(crossing - own + 0.5)
    assert crossing < numbers["try.q10.reference"] - 1
    # Where all months and layers are alike it is where the temperature scalar is 1.
    alike = row.assign(soil_temperature=0 * row.soil_temperature + 273.15)
    assert book_model_data.mean_temperature(alike) == pytest.approx(0, abs=1e-9)
    assert factor(numbers["try.q10.reference"], alike) == pytest.approx(1, rel=1e-9)


def test_what_the_tour_claims():
    row = book_model_places.places()[0].row

    def result(change=None, **values):
        value = dict(zip(NAMES, CLM5_DEFAULT.tolist(), strict=True)) | values
        return book_model_data.results_of(
            list(value.values()), book_model_places.changed(row, change or {})
        )

    default = result()
    wood = result(taucwd=6.0)
    np.testing.assert_array_equal(wood["soil"], default["soil"])
    assert wood["pools"][0, 0] > 1.5 * default["pools"][0, 0]
    shallow = result(efolding=0.5)
    assert shallow["soil"][0] < 1.2 * default["soil"][0]
    passive = result(fs2s3=0.06)["pools"][6] / default["pools"][6]
    np.testing.assert_allclose(passive, book_model_page.numbers()["try.passing.passive"], rtol=0.1)
    frost = {"thaw": 0.5}
    assert result(cryo=1e-3)["stock"] == default["stock"]
    assert result(frost, diffus=5e-4)["stock"] == result(frost)["stock"]
    assert result(frost, cryo=1e-3)["stock_1m"] != result(frost)["stock_1m"]
    assert result(efolding=0.5, diffus=5e-4)["stock"] > 1.5 * shallow["stock"]
    assert abs(result(diffus=5e-4)["stock"] / default["stock"] - 1) < 0.1
    misfit = {
        way: book_model_page.numbers()[f"try.{way}.misfit"] for way in ("slow", "dry", "truth")
    }
    assert max(misfit.values()) < 1.3 * min(misfit.values())
    for change in ({"warming": 5.0}, frost, {"moisture": 0.5}):
        assert result(change)["carbon_use_efficiency"] == pytest.approx(
            default["carbon_use_efficiency"], rel=1e-9
        )


def test_the_picture_shows_what_its_alternative_text_says():
    carbon = {
        place.name.partition(":")[0]: book_model_data.results_of(CLM5_DEFAULT, place.row)["soil"]
        for place in book_model_places.places()
    }
    surface = {name: soil[0] for name, soil in carbon.items()}
    assert max(surface, key=surface.get) == "coldest" and min(surface, key=surface.get) == "frozen"
    below = np.flatnonzero(CLM5.node > 0.5)[0]
    deeper = sorted(carbon, key=lambda name: -carbon[name][below])
    assert set(deeper[:2]) == {"coldest", "frozen"}
