/** The shortest password that the server takes. */
export const MIN_PASSWORD = 12;

export type AccountField = "name" | "email" | "password" | "teamName";
export type AccountForm = Partial<Record<AccountField, string>>;

const RULES: Readonly<Record<AccountField, (text: string) => boolean>> = {
  name: (text) => text.trim() !== "",
  email: (text) => /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(text.trim()),
  password: (text) => text.length >= MIN_PASSWORD,
  teamName: (text) => text.trim() !== "",
};

/** Which fields of a new account are wrong, of those that the form has: what can be said without the server, which decides. */
export function checkAccount(form: AccountForm): Partial<Record<AccountField, true>> {
  const fields = Object.keys(RULES) as AccountField[];
  const wrong = fields.filter((field) => form[field] !== undefined && !RULES[field](form[field]));
  return Object.fromEntries(wrong.map((field) => [field, true]));
}
