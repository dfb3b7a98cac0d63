// Realm's decorators are directions for its Babel plugin, which removes them: one that is called has not been compiled away.

class DecoratorError extends Error {
  constructor(name: string) {
    super(
      `The @${name} decorator cannot be used without the \`@realm/babel-plugin\` Babel plugin. Please check that you have installed and configured the Babel plugin.`,
    );
  }
}

export type IndexDecorator = (target: unknown, memberName: string) => void;
export type MapToDecorator = (propertyName: string) => (target: unknown, memberName: string) => void;

/** For Realm's Babel plugin: the property has an index. */
export const index: IndexDecorator = () => {
  throw new DecoratorError("index");
};

/** For Realm's Babel plugin: the property has another name in the store. */
export const mapTo: MapToDecorator = () => {
  throw new DecoratorError("mapTo");
};
