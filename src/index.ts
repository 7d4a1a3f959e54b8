// The Worker's entry: the app and the object classes, nothing else.

import { app } from "./app.ts";

export { DirectoryObject } from "./objects/directory-object.ts";
export { KeyPairPoolObject } from "./objects/key-pair-pool-object.ts";
export { KeySetObject } from "./objects/key-set-object.ts";
export { TenantObject } from "./objects/tenant-object.ts";
export { TenantRegistryObject } from "./objects/tenant-registry-object.ts";

export default app;
