/** Sentences of the server set commands between backticks. */

interface Part {
  text: string;
  code: boolean;
}

export function codeParts(text: string): Part[] {
  return text
    .split(/`([^`]+)`/)
    .map((part, index) => ({ text: part, code: index % 2 === 1 }))
    .filter((part) => part.text !== '');
}

/** The same sentence where only plain text can be shown. */
export function plainText(text: string): string {
  return codeParts(text)
    .map((part) => part.text)
    .join('');
}
