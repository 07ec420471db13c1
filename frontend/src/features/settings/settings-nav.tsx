import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ComponentType } from 'react';

import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import classes from './settings-nav.module.css';

export interface SettingsLink {
  to: string;
  label: string;
  Icon: ComponentType<{ size?: number }>;
}

export interface SettingsGroup {
  title: string;
  links: readonly SettingsLink[];
}

/** The pages of the settings: a column beside them, on a phone a strip above them. */
export function SettingsNav({ groups }: { groups: readonly SettingsGroup[] }) {
  const strip = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the present page may stand outside of the strip.
    const here = strip.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (strip.current && here) {
      strip.current.scrollLeft = here.offsetLeft - strip.current.clientWidth / 3;
    }
  });
  return (
    <nav ref={strip} aria-label={t('settings.nav')} className={classes.nav}>
      {groups.map(({ title, links }) => (
        <div key={title} className={classes.group}>
          <div className={classes.title}>{title}</div>
          <ul className={classes.list}>
            {links.map(({ to, label, Icon }) => (
              <li key={to}>
                <Link to={to} className={classes.link} activeOptions={{ exact: false }}>
                  <Icon size={18} />
                  <span>{label}</span>
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
