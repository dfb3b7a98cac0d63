// Class models as applications write them, and what is inferred for them.
import Realm, { BSON, type ObjectSchema } from "ebbtide";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(_: Equal<A, B>): void;

class Person extends Realm.Object<Person, "name"> {
  _id: Realm.Types.ObjectId = new BSON.ObjectId();
  name!: Realm.Types.String;
  age?: Realm.Types.Int;
  born!: Realm.Types.Date | null;
  photo!: Realm.Types.Data | undefined;
  wealth!: Realm.Types.Decimal128;
  token!: Realm.Types.UUID;
  anything!: Realm.Types.Mixed;
  visits!: Realm.Types.Counter;
  maybe!: Realm.Types.Counter | null;
  friends!: Realm.Types.List<Person>;
  nicknames!: Realm.Types.Set<string>;
  scores!: Realm.Types.Dictionary<number>;
  dogs!: Realm.Types.LinkingObjects<Dog, "owner">;

  static schema: ObjectSchema = {
    name: "Person",
    primaryKey: "_id",
    properties: {
      _id: { type: "objectId", default: () => new BSON.ObjectId() },
      name: { type: "string", indexed: "full-text", mapTo: "full_name" },
      age: "int?",
      born: "date?",
      photo: "data?",
      wealth: "decimal128",
      token: "uuid",
      anything: "mixed",
      visits: "counter",
      maybe: { type: "int", presentation: "counter", optional: true },
      friends: { type: "list", objectType: "Person" },
      nicknames: "string<>",
      scores: "int{}",
      dogs: { type: "linkingObjects", objectType: "Dog", property: "owner" },
    },
  };

  get initial(): string {
    return this.name.charAt(0);
  }

  greet(other: Person): string {
    return `${this.name} greets ${other.name}`;
  }
}

class Dog extends Realm.Object<Dog> {
  name!: string;
  owner!: Person | null;
  static override embedded = false;
  static schema: Realm.ObjectSchema = { name: "Dog", properties: { name: "string", owner: "Person?" } };
}

class Untyped extends Realm.Object {
  static schema: Realm.ObjectSchema = { name: "Untyped", properties: {} };
}

interface Cat {
  name: string;
  kittens: Realm.List<Cat>;
}

export function creating(realm: Realm) {
  const person = realm.create(Person, { name: "Jo", scores: { a: 1 }, nicknames: ["J"], visits: 3, maybe: null });
  same<typeof person, Person>(true);
  realm.create(Person, { name: "Al", friends: [person, { name: "Bo" }] }, Realm.UpdateMode.Modified);
  same<ReturnType<typeof person.greet>, string>(true);
  new Person(realm, { name: "Cy", visits: 1 });
  new Dog(realm, {});
  new Untyped(realm, { whatever: 1 });
  const cat = realm.create<Cat>("Cat", { name: "Tom" });
  same<typeof cat, Realm.Object<Cat> & Cat>(true);
  const untyped = realm.create("Cat", { name: "Tom" });
  same<typeof untyped.name, string>(true);
  // @ts-expect-error a name is a string
  realm.create(Person, { name: 5 });
  // @ts-expect-error a score is a number
  realm.create(Person, { name: "Jo", scores: { a: "1" } });
  // @ts-expect-error a nickname is a string
  realm.create(Person, { name: "Jo", nicknames: [1] });
  // @ts-expect-error a counter is a number
  realm.create(Person, { name: "Jo", visits: "3" });
  // @ts-expect-error this counter is never null
  realm.create(Person, { name: "Jo", visits: null });
  // @ts-expect-error a person needs a name
  new Person(realm, { age: 5 });
  // @ts-expect-error only properties may be required
  class Wrong extends Realm.Object<Wrong, "missing"> {}
  return [person, cat, untyped, Wrong];
}

type Values = Realm.Unmanaged<Person, "name">;

export function plain(values: Values) {
  same<typeof values.name, string>(true);
  same<typeof values.age, number | undefined>(true);
  same<typeof values.scores, { [key: string]: number } | undefined>(true);
  same<typeof values.nicknames, (string | Realm.Unmanaged<string>)[] | undefined>(true);
  same<typeof values.visits, number | Realm.Counter | undefined>(true);
  same<typeof values.maybe, number | Realm.Counter | null | undefined>(true);
  // @ts-expect-error methods are no values
  values.greet;
  // @ts-expect-error links to here are no values
  values.dogs;
  // @ts-expect-error neither is what Realm.Object brings
  values.isValid;
}

export function reading(realm: Realm, person: Person) {
  const people = realm.objects(Person);
  same<typeof people, Realm.Results<Person>>(true);
  same<(typeof people)[0], Person>(true);
  const cats = realm.objects<Cat>("Cat");
  same<typeof cats, Realm.Results<Realm.Object<Cat> & Cat>>(true);
  same<ReturnType<typeof cats.filtered>, typeof cats>(true);
  same<ReturnType<typeof cats.sorted>, typeof cats>(true);
  same<ReturnType<typeof cats.snapshot>, typeof cats>(true);
  const found = realm.objectForPrimaryKey(Person, new BSON.ObjectId());
  same<typeof found, Person | null>(true);
  const named = realm.objectForPrimaryKey<Cat>("Cat", "Tom");
  same<typeof named, (Realm.Object<Cat> & Cat) | null>(true);
  same<typeof person.friends, Realm.List<Person>>(true);
  same<typeof person.nicknames, Realm.Set<string>>(true);
  same<typeof person.scores, Realm.Dictionary<number>>(true);
  same<typeof person.dogs, Realm.Results<Dog>>(true);
  same<typeof person.visits, Realm.Counter>(true);
  same<typeof person.scores.anybody, number>(true);
  same<ReturnType<typeof person.scores.keys>, Generator<string>>(true);
  same<ReturnType<typeof person.nicknames.has>, boolean>(true);
  person.nicknames.add("Joe").add("Joseph").delete("Joe");
  person.scores.set("a", 1).set({ b: 2 }).remove("a").remove(["b"]);
  for (const [key, score] of person.scores) same<[typeof key, typeof score], [string, number]>(true);
  for (const [first, second] of person.nicknames.entries()) same<[typeof first, typeof second], [string, string]>(true);
  person.visits.increment();
  const linking = person.linkingObjects(Dog, "owner");
  same<typeof linking, Realm.Results<Dog>>(true);
  const byName = person.linkingObjects<Cat>("Cat", "owner");
  same<typeof byName, Realm.Results<Realm.Object<Cat> & Cat>>(true);
  same<ReturnType<typeof person.objectSchema>["properties"]["name"], Realm.CanonicalPropertySchema>(true);
  people.update("name", "Jo");
  // @ts-expect-error there is no such property
  people.update("nothing", "Jo");
  // @ts-expect-error a score is a number
  person.scores.set("a", "1");
  // @ts-expect-error a nickname is a string
  person.nicknames.add(1);
  // @ts-expect-error results are not written
  people.push(person);
  // @ts-expect-error this is no class model
  realm.objects(Date);
}

export function listening(realm: Realm, person: Person) {
  realm.objects(Person).addListener((people, changes) => {
    same<(typeof people)[0], Person>(true);
    same<typeof changes, Realm.CollectionChangeSet>(true);
    same<typeof changes.oldModifications, number[]>(true);
  });
  person.friends.addListener((friends) => friends[0]?.greet(person), ["name", "friends.name"]);
  person.nicknames.addListener((nicknames, { insertions }) => [nicknames[0]?.length, insertions[0]?.toFixed()]);
  person.scores.addListener((scores, { insertions, modifications, deletions }) => {
    same<typeof scores, Realm.Dictionary<number>>(true);
    same<[typeof insertions, typeof modifications, typeof deletions], [string[], string[], string[]]>(true);
  });
  person.addListener((object, { deleted, changedProperties }) => {
    same<typeof deleted, boolean>(true);
    same<typeof changedProperties, (keyof Person)[]>(true);
    object.greet(person);
  }, "name");
  const onChange: Realm.RealmListenerCallback = (changed, name, schema) => {
    same<typeof changed, Realm>(true);
    if (name === "schema") schema?.map((each) => each.name);
    if (name === Realm.RealmEvent.Change) changed.objects(Person);
  };
  realm.addListener("change", onChange);
  realm.removeListener("beforenotify", onChange);
  const onPeople: Realm.CollectionChangeCallback<Person, [number, Person]> = (people) => people.length;
  realm.objects(Person).removeListener(onPeople);
  const onPerson: Realm.ObjectChangeCallback<Person> = (_object, changes) => changes.changedProperties.includes("age");
  person.removeListener(onPerson);
  const onScores: Realm.DictionaryChangeCallback<number> = (scores) => scores.a?.toFixed();
  person.scores.removeListener(onScores);
  // @ts-expect-error there is no such event
  realm.addListener("changed", onChange);
  // @ts-expect-error dictionaries tell keys
  person.scores.addListener((_scores, { insertions }) => insertions[0]?.toFixed());
}

export function any(realm: Realm, person: Person) {
  const collections: Realm.AnyCollection[] = [realm.objects(Person), person.friends, person.nicknames];
  const lists: Realm.AnyList[] = [person.friends];
  const sets: Realm.AnySet[] = [person.nicknames];
  const results: Realm.AnyResults[] = [realm.objects(Person), person.dogs];
  const dictionaries: Realm.AnyDictionary[] = [person.scores];
  const objects: Realm.AnyRealmObject[] = [person, realm.objects<Cat>("Cat")[0]!];
  const constructors: Realm.RealmObjectConstructor<Person>[] = [Person];
  realm.delete(person.friends);
  realm.delete(person.nicknames);
  realm.delete(realm.objects(Person).filter((each) => each.age));
  return [collections, lists, sets, results, dictionaries, objects, constructors];
}

export const strict: Realm.PropertySchemaCommon["indexed"] = "full-text";
// @ts-expect-error there is no such type
export const schema: Realm.ObjectSchema = { name: "X", properties: { x: { type: "text" } } };
