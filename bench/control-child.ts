// A control plane without dashboard in a process of its own, so that its memory and time are its own. Ends with its parent.
import { ADMIN_TOKEN, startTestControl } from "../test/support/control.ts";

const control = await startTestControl({ withAdmin: true });
process.once("disconnect", () => {
  control.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.send?.({ url: control.url, token: ADMIN_TOKEN });
