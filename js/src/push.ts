import { notAvailable } from "./errors.js";

/** Push notifications: not available. */
export class PushClient {
  /** @internal */
  // biome-ignore lint/complexity/noUselessConstructor: it is not for applications to call
  constructor() {}

  register(_token: string): Promise<void> {
    return notAvailable("Push notifications");
  }

  deregister(): Promise<void> {
    return notAvailable("Push notifications");
  }
}
