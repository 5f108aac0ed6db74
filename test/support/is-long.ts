/**
 * Whether the proofs that take minutes of two cores are run too (`npm run test:long`): `npm test` has a quarter of an hour for everything.
 */
export const IS_LONG = process.env["FLOTILLA_LONG_TESTS"] === "1";
