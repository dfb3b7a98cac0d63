// Queries over properties of every type, with arguments of every type.
import Realm from "/dist/index.js";
import { memoryRealm } from "/tests/suite/models.js";
import { equal, freshPath, throws } from "/tests/suite/support.js";

const Spot = {
  name: "Spot",
  embedded: true,
  properties: { type: { type: "string", default: "Point" }, coordinates: "double[]" },
};
const Item = {
  name: "Item",
  primaryKey: "_id",
  properties: {
    _id: "int",
    at: "Spot",
    text: { type: "string", default: "", indexed: "full-text" },
    inner: { type: "int", default: 0, mapTo: "stored" },
    price: "decimal128?",
    rate: "float?",
    value: "mixed",
    next: "Item?",
    previous: { type: "linkingObjects", objectType: "Item", property: "next" },
    numbers: "int{}",
    hits: "counter",
  },
};

function withItems(test) {
  const realm = memoryRealm(freshPath("query-types"), [Item, Spot]);
  const texts = ["a quick fox", "Foxes", "été", "", "dog"];
  const values = [1, "x", [1, { k: 2 }], { k: "v" }, null];
  realm.write(() => {
    for (const [_id, text] of texts.entries()) {
      realm.create("Item", {
        _id,
        at: { coordinates: [_id, 2 * _id] },
        text,
        inner: 10 * _id,
        price: Realm.BSON.Decimal128.fromString(`0.${_id}`),
        rate: _id / 10,
        value: values[_id],
        numbers: { n: _id },
        hits: _id,
      });
    }
    realm.objectForPrimaryKey("Item", 1).next = realm.objectForPrimaryKey("Item", 0);
  });
  try {
    const items = realm.objects("Item");
    test((...query) => items.filtered(...query).map(({ _id }) => _id), items, realm);
  } finally {
    realm.close();
  }
}

export async function regions_are_arguments_in_every_form() {
  withItems((find) => {
    for (const center of [[1, 2], { latitude: 2, longitude: 1 }, { type: "Point", coordinates: [1, 2] }]) {
      equal(find("at GEOWITHIN $0", { center, distance: Realm.kmToRadians(5) }), [1]);
    }
    equal(find("at GEOWITHIN $0", { bottomLeft: [0, 0], topRight: [2, 4] }), [0, 1, 2]);
    const outerRing = [
      [-1, -1],
      [4, -1],
      [4, 7],
      [-1, 7],
      [-1, -1],
    ];
    const hole = [
      [0.5, 1.5],
      [1.5, 1.5],
      [1.5, 2.5],
      [0.5, 2.5],
      [0.5, 1.5],
    ];
    equal(find("at GEOWITHIN $0", { outerRing }), [0, 1, 2, 3]);
    equal(find("at GEOWITHIN $0", { outerRing, holes: [hole] }), [0, 2, 3]);
    equal(find("at GEOWITHIN $0", { type: "Polygon", coordinates: [outerRing, hole] }), [0, 2, 3]);
    equal(find("at GEOWITHIN geoCircle([1, 2], 0.001)"), [1]);
    throws(
      () => find("next GEOWITHIN geoCircle([1, 2], 1)"),
      "links to data in the wrong format for a geoWithin query",
    );
    throws(() => find("at GEOWITHIN $0", { outerRing: outerRing.slice(1) }), "Ring is not closed");
    throws(() => find("at GEOWITHIN $0", { outerRing: hole, holes: [outerRing] }), "Secondary ring 1 not contained");
    const around = (x, y) => [
      [-x, -y],
      [x, -y],
      [x, y],
      [-x, y],
      [-x, -y],
    ];
    equal(find("at GEOWITHIN $0", { outerRing: around(2, 2) }), [0, 1], "around the origin");
  });
}

export async function words_are_found_through_their_index() {
  withItems((find, _items, realm) => {
    equal(find("text TEXT 'FOX'"), [0]);
    equal(find("text TEXT 'fo*'"), [0, 1]);
    equal(find("text TEXT 'quick -foxes'"), [0]);
    equal(find("text TEXT $0", "ete"), [2]);
    realm.write(() => {
      realm.objectForPrimaryKey("Item", 0).text = "a dog";
    });
    equal(find("text TEXT 'dog'"), [0, 4]);
    throws(() => find("value TEXT 'x'"), "Column has no fulltext index");
  });
}

export async function properties_go_by_both_names_and_linking_objects_by_theirs() {
  withItems((find, items) => {
    equal(find("inner == 10"), [1]);
    equal(find("stored == 10"), [1]);
    equal(find("previous._id == 1"), [0]);
    equal(find("previous.@count == 0 AND $K0 > $1", "inner", 20), [3, 4]);
    equal(
      items.sorted("inner", true).map(({ _id }) => _id),
      [4, 3, 2, 1, 0],
    );
    equal(items.filtered("inner > 1 OR previous._id == 1").description(), "(stored > 1 or @links.Item.next._id == 1) ");
  });
}

export async function values_of_every_type_are_arguments() {
  withItems((find, items) => {
    equal(find("price == $0", Realm.BSON.Decimal128.fromString("0.20")), [2]);
    equal(find("price == 0.2"), [2]);
    equal(find("rate == $0", 0.2), [2]);
    equal(find("rate IN $0", [0.1, 0.3]), [1, 3]);
    equal(find("numbers.n == 3 OR numbers['n'] == 4"), [3, 4]);
    equal(find("next == $0", items[0]), [1]);
    const refuse = (value, name) =>
      throws(() => find("_id == $0", value), `Using a ${name} as a query argument is not supported.`);
    refuse(new Set([1]), "Set");
    refuse(items, "Results");
    refuse(items[0].hits, "Counter");
    throws(
      () => find("at == $0", items[0].at),
      "Using an embedded object (Spot) as a query argument is not supported.",
    );
  });
}

export async function paths_go_through_mixed_values() {
  withItems((find) => {
    equal(find("value == 1"), [0]);
    equal(find("value[0] == 1"), [2]);
    equal(find("value[1].k == 2"), [2]);
    equal(find("value.k == 'v'"), [3]);
    equal(find("value.@type == 'collection'"), [2, 3]);
    equal(find("value.@type == 'null'"), [4]);
    equal(find("value.@type == 'object'"), [3], "a dictionary");
  });
}

export async function links_and_bytes_in_mixed_values_have_names_of_their_own() {
  withItems((find, items, realm) => {
    realm.write(() => {
      items[0].value = items[1];
      items[1].value = new Uint8Array([97, 98]);
    });
    equal(find("value.@type == 'objectlink'"), [0]);
    equal(find("value.@type == 'bindata'"), [1]);
    equal(find("value == bin('ab') OR value == binary('a')"), [1]);
    equal([find("value == 'ab'"), find("value BEGINSWITH 'a'"), find("value BEGINSWITH bin('a')")], [[], [], [1]]);
    equal([find("value == $0", "ab"), find("value == $0", new Uint8Array([97, 98]))], [[], [1]]);
  });
}
