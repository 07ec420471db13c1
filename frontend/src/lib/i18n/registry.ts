/** Texts by key. What only some pages need comes along with them: each dictionary adds itself when it is loaded. */

const texts: Record<string, string> = {};

export function addTexts(dictionary: Readonly<Record<string, string>>): void {
  Object.assign(texts, dictionary);
}

export function textOf(key: string): string | undefined {
  return texts[key];
}
