// Splitting and quoting of command lines as a POSIX shell does it, without expansions: for the form's command field and for the
// `docker run` line shown beside it. Nothing here is ever given to a shell.

/** Splits `sh -c "echo hi"` into its words, or gives null when a quote is not closed. */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: "'" | '"' | null = null;
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (quote !== null) {
      if (character === quote) quote = null;
      else if (quote === '"' && character === "\\" && '"\\$`'.includes(line.charAt(index + 1)) && index + 1 < line.length) {
        index += 1;
        word = `${word ?? ""}${line.charAt(index)}`;
      } else word = `${word ?? ""}${character}`;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (character === "\\" && index + 1 < line.length) {
      index += 1;
      word = `${word ?? ""}${line.charAt(index)}`;
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = `${word ?? ""}${character}`;
  }
  if (quote !== null) return null;
  if (word !== null) words.push(word);
  return words;
}

/** One word, quoted when a shell would otherwise read it as something else. */
export function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}
