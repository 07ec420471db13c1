import '@mantine/core/styles/Pill.css';
import '@mantine/core/styles/PillsInput.css';

import { TagsInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';

import { LIMITS, splitTerms, uniqueTerms } from '@/api/choices';
import { t } from '@/lib/i18n';

interface Props {
  value: string[];
  onChange: (terms: string[]) => void;
  label: string;
  description: string;
  /** How many terms the server takes. */
  max: number;
  error?: ReactNode;
  readOnly?: boolean;
}

/** Names and terms one by one, or a whole list pasted: one a line, or between commas. */
export function VocabularyInput({ value, onChange, max, error, ...rest }: Props) {
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const take = (terms: readonly string[]) => {
    const unique = uniqueTerms(terms);
    const fitting = unique.filter((term) => term.length <= LIMITS.termLength);
    if (fitting.length < unique.length) {
      setProblem(t('vocabulary.tooLong', { count: LIMITS.termLength }));
    } else if (fitting.length > max) {
      setProblem(t('vocabulary.tooMany', { count: max }));
    } else {
      setProblem(null);
    }
    onChange(fitting.slice(0, max));
  };
  return (
    <TagsInput
      {...rest}
      size="md"
      value={value}
      onChange={take}
      searchValue={typed}
      onSearchChange={(text) => {
        // Keyboards of phones name no keys: the comma is seen in the text.
        if (/[,;]/.test(text)) {
          take([...value, ...splitTerms(text)]);
          setTyped('');
        } else {
          setTyped(text);
        }
      }}
      splitChars={[',', ';', '\n', '\t']}
      // Cut here instead, with a word about it.
      maxTags={Infinity}
      acceptValueOnBlur
      placeholder={value.length > 0 || rest.readOnly ? undefined : t('vocabulary.placeholder')}
      error={error ?? problem}
      clearable={value.length > 1}
      clearButtonProps={{ 'aria-label': t('vocabulary.clear') }}
    />
  );
}
