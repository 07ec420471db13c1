import { Anchor, type AnchorProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import { forwardRef, type AnchorHTMLAttributes } from 'react';

type Props = AnchorProps & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof AnchorProps>;

const Base = forwardRef<HTMLAnchorElement, Props>(function Base(props, ref) {
  return <Anchor ref={ref} {...props} />;
});

/** An anchor in the app's look that goes to a route without a page load. */
export const LinkAnchor = createLink(Base);
