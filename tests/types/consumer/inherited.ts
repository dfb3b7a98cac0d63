// Code from the time before imports: it knows the package by the global `Realm`.
export function names(realm: Realm, objects: Realm.Results<Realm.Object>): string[] {
  const { name } = Realm.createTemplateObject<{ name: string }>({ name: "X", properties: { name: "string" } });
  return [realm.path, objects.description(), name, new Realm.BSON.ObjectId().toHexString()];
}
