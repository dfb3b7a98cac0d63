// Links the other way round.
import Realm from "/dist/index.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const Person = {
  name: "Person",
  primaryKey: "_id",
  properties: { _id: "int", dog: "Dog", dogs: "Dog[]", set: "Dog<>", byName: "Dog{}", any: "mixed" },
};
const Dog = {
  name: "Dog",
  primaryKey: "_id",
  properties: {
    _id: "int",
    owners: { type: "linkingObjects", objectType: "Person", property: "dog" },
    walkers: { type: "linkingObjects", objectType: "Person", property: "dogs" },
    setters: { type: "linkingObjects", objectType: "Person", property: "set" },
    namers: { type: "linkingObjects", objectType: "Person", property: "byName" },
  },
};

function open() {
  return new Realm({ path: freshPath("linking"), inMemory: true, schema: [Person, Dog] });
}

const ids = (objects) => [...objects].map(({ _id }) => _id);

export async function links_are_seen_from_the_other_end() {
  const realm = open();
  const dog = realm.write(() => realm.create("Dog", { _id: 1 }));
  const { owners } = dog;
  isTrue(owners instanceof Realm.Results, "Realm.Results");
  equal([owners.length, dog.linkingObjectsCount()], [0, 0]);
  realm.write(() => {
    realm.create("Person", { _id: 1, dog, dogs: [dog, dog], set: [dog], byName: { a: dog } });
    realm.create("Person", { _id: 2, dog, any: dog });
  });
  equal([ids(owners), ids(dog.walkers), ids(dog.setters), ids(dog.namers)], [[1, 2], [1, 1], [1], [1]]);
  equal(dog.linkingObjectsCount(), 7);
  equal([ids(owners.filtered("_id > 1")), ids(owners.sorted("_id", true)), owners[0]._id], [[2], [2, 1], 1]);
  equal(ids(dog.linkingObjects("Person", "dogs")), [1, 1]);
  equal(dog.getPropertyType("owners"), "list<linkingObjects>");
  equal(Object.keys(dog), ["_id", "owners", "walkers", "setters", "namers"]);
  realm.write(() => realm.delete(realm.objectForPrimaryKey("Person", 1)));
  equal([ids(owners), ids(dog.walkers), dog.linkingObjectsCount()], [[2], [], 2]);
  realm.close();
}

export async function links_the_other_way_round_are_read_only() {
  const realm = open();
  realm.write(() => {
    const dog = realm.create("Dog", { _id: 1, owners: "ignored" });
    throws(() => {
      dog.owners = [];
    }, "Not supported");
  });
  realm.close();
}

export async function only_links_have_another_end() {
  const realm = open();
  const dog = realm.write(() => realm.create("Dog", { _id: 1 }));
  throws(() => dog.linkingObjects("Nobody", "dog"), "Object type 'Nobody' not found in schema.");
  throws(() => dog.linkingObjects("Person", "nothing"), "Property 'nothing' does not exist on 'Person' objects");
  throws(() => dog.linkingObjects("Person", "_id"), "'Person#_id' is not a relationship to 'Dog'");
  const person = realm.write(() => realm.create("Person", { _id: 1 }));
  throws(() => person.linkingObjects("Person", "dog"), "'Person#dog' is not a relationship to 'Person'");
  realm.write(() => realm.delete(dog));
  throws(() => dog.linkingObjectsCount(), "Accessing object which has been invalidated or deleted");
  throws(() => dog.linkingObjects("Person", "dog"), "Accessing object which has been invalidated or deleted");
  const schema =
    (property, objectType = "Person") =>
    () =>
      new Realm({
        path: freshPath("linking"),
        inMemory: true,
        schema: [Person, { name: "Dog", properties: { back: { type: "linkingObjects", objectType, property } } }],
      });
  const where = "declared as origin of linking objects property 'Dog.back'";
  throws(schema("nothing"), `Property 'Person.nothing' ${where} does not exist`);
  throws(schema("_id"), `Property 'Person._id' ${where} is not a link`);
  throws(schema("dog", "Nobody"), "Property 'Dog.back' of type 'linking objects' has unknown object type 'Nobody'");
  realm.close();
}
