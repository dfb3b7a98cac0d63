// Embedded objects: each belongs to one place.
import Realm from "/dist/index.js";
import { equal, freshPath, throws } from "/tests/suite/support.js";

const Person = {
  name: "Person",
  primaryKey: "_id",
  properties: { _id: "int", address: "Address", homes: "Address[]", byName: "Address{}" },
};
const Address = {
  name: "Address",
  embedded: true,
  properties: {
    street: "string",
    country: "Country",
    pets: "Pet[]",
    people: { type: "linkingObjects", objectType: "Person", property: "address" },
  },
};
const Country = { name: "Country", embedded: true, properties: { name: { type: "string", default: "Utopia" } } };
const Pet = { name: "Pet", primaryKey: "_id", properties: { _id: "int" } };

function open() {
  return new Realm({ path: freshPath("embedded"), inMemory: true, schema: [Person, Address, Country, Pet] });
}

const streets = (list) => list.map(({ street }) => street);

export async function an_embedded_object_is_created_in_its_place() {
  const realm = open();
  realm.write(() => {
    const person = realm.create("Person", {
      _id: 1,
      address: { street: "a", country: {}, pets: [{ _id: 5 }] },
      homes: [{ street: "b" }, { street: "c", country: { name: "X" } }],
    });
    equal([person.address.street, person.address.country.name, person.address.pets[0]._id], ["a", "Utopia", 5]);
    equal([streets(person.homes), person.homes[1].country.name], [["b", "c"], "X"]);
    equal([person.address.people.length, person.address.people[0]._id], [1, 1]);
    equal([person.address.linkingObjects("Person", "address").length, person.address.linkingObjectsCount()], [1, 1]);
    equal(person.address.objectSchema().embedded, true);
    equal([person.getPropertyType("address"), person.getPropertyType("homes")], ["<Address>", "list<Address>"]);
    equal(person.homes.filtered("street == 'c'").length, 1);
    equal(realm.objects("Person").filtered("address.street == 'a'").length, 1);
  });
  realm.close();
}

export async function an_embedded_object_is_replaced_and_removed() {
  const realm = open();
  realm.write(() => {
    const person = realm.create("Person", { _id: 1, address: { street: "a", country: {} } });
    const { address } = person;
    const { country } = address;
    person.address = { street: "b" };
    equal([address.isValid(), country.isValid(), person.address.street], [false, false, "b"]);
    person.address.street = "c";
    equal(person.address.street, "c");
    realm.delete(person.address);
    equal(person.address, null);
    person.address = { street: "d" };
    person.address = undefined;
    equal(person.address, null);
    person.address = { street: "e" };
    const last = person.address;
    person.address = null;
    equal([person.address, last.isValid()], [null, false]);
  });
  realm.close();
}

export async function lists_of_embedded_objects_are_written_in_place() {
  const realm = open();
  realm.write(() => {
    const { homes } = realm.create("Person", { _id: 1, homes: [{ street: "a" }] });
    equal([homes.push({ street: "b" }, { street: "c" }), streets(homes)], [3, ["a", "b", "c"]]);
    const first = homes[0];
    homes[0] = { street: "z" };
    equal([first.isValid(), streets(homes)], [false, ["z", "b", "c"]]);
    homes.unshift({ street: "y" });
    const removed = homes[1];
    homes.splice(1, 1, { street: "x" }, { street: "w" });
    equal([removed.isValid(), streets(homes)], [false, ["y", "x", "w", "b", "c"]]);
    homes.move(0, 4);
    homes.swap(0, 1);
    equal(streets(homes), ["w", "x", "b", "c", "y"]);
    const popped = homes[4];
    homes.pop();
    homes.remove(0);
    equal([popped.isValid(), streets(homes)], [false, ["x", "b", "c"]]);
    for (const [action, message] of [
      [() => homes.push(null), "Expected 'element of homes' to be an object, got null"],
      [() => homes.push({ street: "q" }, {}), "Missing value for property 'street'"],
      [() => homes.push({ street: "q", pets: [{ _id: 1 }, { _id: "x" }] }), "Expected value to be a number or bigint"],
    ]) {
      throws(action, message);
      equal([streets(homes), realm.objects("Pet").length], [["x", "b", "c"], 0]);
    }
    realm.delete(homes);
    equal(homes.length, 0);
  });
  realm.close();
}

export async function a_managed_embedded_object_is_copied() {
  const realm = open();
  realm.write(() => {
    const one = realm.create("Person", {
      _id: 1,
      address: { street: "a", country: { name: "X" }, pets: [{ _id: 1 }] },
    });
    const two = realm.create("Person", { _id: 2, address: one.address, homes: [one.address] });
    two.byName.q = one.address;
    one.address.street = "b";
    one.address.country.name = "Y";
    for (const copy of [two.address, two.homes[0], two.byName.q]) {
      equal([copy.street, copy.country.name, copy.pets[0]._id], ["a", "X", 1]);
    }
    const before = one.address;
    Object.assign(one, { address: one.address });
    equal([before.isValid(), one.address.street, one.address.pets.length], [false, "b", 1]);
    Object.assign(two, { homes: two.homes });
    two.homes.push(two.homes[0]);
    equal([streets(two.homes), realm.objects("Pet").length], [["a", "a"], 1]);
  });
  realm.close();
}

export async function embedded_objects_go_with_their_owner() {
  const realm = open();
  realm.write(() => {
    const person = realm.create("Person", { _id: 1, address: { street: "a", country: {} }, homes: [{ street: "b" }] });
    const { address, homes } = person;
    const gone = [address, address.country, homes[0]];
    realm.delete(person);
    equal(
      gone.map((object) => object.isValid()),
      [false, false, false],
    );
    equal(realm.isEmpty, true);
    realm.create("Person", { _id: 2, address: { street: "a" }, byName: { a: { street: "b" } } });
    realm.deleteAll();
    equal(realm.isEmpty, true);
  });
  realm.close();
}

export async function an_embedded_object_does_not_stand_by_itself() {
  const realm = open();
  realm.write(() => {
    const person = realm.create("Person", { _id: 1 });
    throws(
      () => realm.create("Address", { street: "a" }),
      "Explicit creation of embedded object not allowed in: class_Address",
    );
    throws(() => realm.objects("Address"), "You cannot query an embedded object.");
    throws(() => realm.objectForPrimaryKey("Address", 1), "Expected a primary key on 'Address'");
    for (const [value, message] of [
      [5, "Expected 'address' to be an object, got a number"],
      [{}, "Missing value for property 'street'"],
      [{ street: 5 }, "Expected value to be a string, got a number (Address.street)"],
      [[], "Array values on object creation is no longer supported"],
    ]) {
      throws(() => {
        person.address = value;
      }, message);
    }
    equal(person.address, null);
    const loop = { street: "a" };
    loop.country = loop;
    throws(
      () => realm.create("Person", { _id: 1, address: { street: "a" } }),
      "with an existing primary key value '1'",
    );
  });
  realm.close();
}

export async function a_failed_replacement_leaves_the_old_object() {
  const realm = open();
  realm.write(() => {
    const person = realm.create("Person", { _id: 1, address: { street: "a" }, homes: [{ street: "b" }] });
    const { address } = person;
    const home = person.homes[0];
    // The limit of a value is found while writing only.
    const tooLong = "x".repeat(17 * 1024 * 1024);
    throws(() => {
      person.address = { street: "new", country: { name: tooLong } };
    }, "exceeds the limit");
    throws(() => {
      person.homes = [{ street: "c" }, { street: tooLong }];
    }, "exceeds the limit");
    throws(() => realm.create("Person", { _id: 1, address: { street: tooLong } }, "modified"), "exceeds the limit");
    throws(() => realm.create("Person", { _id: 2, address: { street: tooLong } }), "exceeds the limit");
    equal([address.isValid(), address.street, home.isValid(), home.street], [true, "a", true, "b"]);
    equal(realm.objects("Person").length, 1);
  });
  realm.close();
}
