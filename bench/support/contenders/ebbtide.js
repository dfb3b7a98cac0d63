// Ebbtide, as an application uses it.
import Realm from "/dist/index.js";
import { QUESTION } from "../dogs.js";

export const Dog = {
  name: "Dog",
  primaryKey: "_id",
  properties: {
    _id: "int",
    name: "string",
    breed: "string",
    age: "int",
    weight: "double",
    notes: "string",
    ownerId: "int",
  },
};

let realm;

export async function open() {
  realm = await Realm.open({ path: "bench", schema: [Dog] });
}

/** One write; on return everything can be read. */
export function insert(dogs) {
  realm.write(() => {
    for (const dog of dogs) realm.create("Dog", dog);
  });
}

export function durable() {
  return realm.waitForDurable();
}

export function answer() {
  return realm.objects("Dog").filtered("breed == $0 AND age > $1", QUESTION.breed, QUESTION.age).length;
}

export function close() {
  realm.close();
}
