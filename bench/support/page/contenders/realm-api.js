// Ebbtide and Realm have one API, so they have one contender's code too.
import { Dog, LIVE } from "../../dogs.js";

/** What an application writes, with either of them. */
export function throughRealmApi(Realm) {
  let realm;
  const one = (id) => realm.objectForPrimaryKey("Dog", id);
  const answer = (filter, ...values) => {
    const found = realm.objects("Dog").filtered(filter, ...values);
    return { count: found.length, first: found.sorted("name").slice(0, 50) };
  };
  return {
    async open(path) {
      realm = await Realm.open({ path, schema: [Dog] });
    },
    insertMany(dogs) {
      realm.write(() => {
        for (const dog of dogs) realm.create("Dog", dog);
      });
    },
    durable: () => realm.waitForDurable?.(),
    commit(dog) {
      realm.write(() => {
        realm.create("Dog", dog);
      });
    },
    get: one,
    question: (age, breed) => answer("age > $0 AND breed == $1", age, breed),
    contains: (needle) => answer("notes CONTAINS $0", needle),
    live(listener) {
      const found = realm.objects("Dog").filtered("breed == $0 AND age >= $1", LIVE.breed, LIVE.age);
      found.addListener((dogs) => listener(dogs.length));
      return () => found.removeAllListeners();
    },
    setAge(id, age) {
      realm.write(() => {
        one(id).age = age;
      });
    },
    setWeights(ids, weights) {
      realm.write(() => {
        for (const [at, id] of ids.entries()) one(id).weight = weights[at];
      });
    },
    deleteMany(ids) {
      realm.write(() => {
        for (const id of ids) realm.delete(one(id));
      });
    },
    close: () => realm.close(),
  };
}
