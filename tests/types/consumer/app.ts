// An application that knows the package by its declarations only.
import Realm, { BSON } from "ebbtide";

export class Task extends Realm.Object<Task, "title"> {
  _id: BSON.ObjectId = new BSON.ObjectId();
  title!: string;
  isDone = false;
  tags!: Realm.List<string>;

  static schema: Realm.ObjectSchema = {
    name: "Task",
    primaryKey: "_id",
    properties: { _id: "objectId", title: "string", isDone: { type: "bool", default: false }, tags: "string[]" },
  };
}

export async function titles(path: string): Promise<string[]> {
  const realm = await Realm.open({ path, schema: [Task] });
  realm.write(() => realm.create(Task, { title: "Read", tags: ["a"] }));
  return realm
    .objects(Task)
    .filtered("isDone == $0", false)
    .map((task) => task.title);
}

export function count(visits: Realm.Counter): number {
  visits.increment(2);
  // @ts-expect-error a count is not assigned
  visits.value = 5;
  return visits.value;
}
