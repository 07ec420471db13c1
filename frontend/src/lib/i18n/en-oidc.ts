import { addTexts } from './registry';

export const oidc = {
  'oidc.continue': 'Continue with {name}',
  'oidc.or': 'or',
  'oidc.codeTitle': 'One more step',
  'oidc.codeText': 'Your account has a second factor.',
  'oidc.codeExpired': 'That took too long. Start again.',
  'oidc.startAgain': 'Back to sign-in',
  'oidc.cancelled': 'You stopped at the provider. Nothing has happened.',
  'oidc.unavailable': 'The provider does not answer. Try again later, or use your password.',
  'oidc.refused':
    'The provider’s answer was not right, so nobody was signed in. Try again; if it stays so, tell the operator.',
  'oidc.lost':
    'This sign-in was begun elsewhere, was used already or took too long. Start again here.',
  'oidc.emailUnverified': 'The provider does not say that your e-mail address is verified.',
  'oidc.domain': 'Addresses of your domain are not let in here.',
  'oidc.noAccount': 'There is no account for you here yet. Ask the operator for one.',
  'oidc.notLinked':
    'There is an account with your address, and it has never shown that mail reaches it. Sign in with its password, then link it under Password and security. If you did not make it, choose a new password by “Forgot the password?”.',
  'oidc.disabled': 'This account has been switched off.',
  'oidc.firstAccount': 'This server has no account yet. The first one is made with a password.',
  'oidc.taken': 'This sign-in belongs to another account here already.',
  'oidc.alreadyLinked': 'Your account is linked to another sign-in. Remove that one first.',
  'oidc.signedOut': 'You were signed out in the meantime, so nothing was linked.',
  'oidc.title': 'Sign-in through {name}',
  'oidc.titlePlain': 'Sign-in through a provider',
  'oidc.text': 'Sign in without the password of this server. A second factor is still asked for.',
  'oidc.link': 'Link {name}',
  'oidc.linkText':
    'Enter your password. You go on to {name} and come back here when your account is linked.',
  'oidc.linked': 'Your account is linked.',
  'oidc.since': 'Linked {when}',
  'oidc.remove': 'Remove',
  'oidc.removeOf': 'Remove: {name}',
  'oidc.removed': 'The sign-in was removed.',
} as const;

addTexts(oidc);
