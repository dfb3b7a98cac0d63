import { notAvailable } from "./errors.js";

/** Push notifications: not available. */
export class PushClient {
  /** @internal */
  // biome-ignore lint/complexity/noUselessConstructor: it is not for applications to call
  constructor() {}

  /** Rejects. */
  register(_token: string): Promise<void> {
    return notAvailable("Push notifications");
  }

  /** Rejects. */
  deregister(): Promise<void> {
    return notAvailable("Push notifications");
  }
}
