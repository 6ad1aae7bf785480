import type { Draft } from './draft.ts';

export const churn: Draft[] = [
  {
    study: 'churn',
    vid: 'vid_8MF6JT',
    seconds: 517,
    metadata: {
      plan: 'pro',
      company: 'Redline Couriers',
      role: 'Owner',
      seats: 22,
      country: 'US',
      months_as_customer: 19,
    },
    talk: `
? Thanks for agreeing to talk after you cancelled. What led up to that decision?
! You want to know what led up to it? You deleted my Tuesday. That is what led up to it.
? I am sorry to hear that. What happened on that Tuesday?
! Your update went out at nine in the morning, at NINE, and every route that we had planned went back to draft. Twenty two drivers, standing in a parking lot, looking at me. I paid two hundred dollars a month to be humiliated in front of my own people.
? What did you do in that moment?
! I called support. I got a robot that asked me to rate my mood. My mood!
? What would have helped you right then?
! One human being. One status page that did not say that everything was operational while my business was on fire. I refreshed that green tick for three hours.
? And before that day, how had it been?
! Fine. Good, even, and that is what makes me so mad. For a year and a half I told every courier in Phoenix to use it, and now I get to be the guy who told them.
? Is there anything that could bring you back?
! Do not ship at nine in the morning. Put an undo on everything. And somebody with a name should write to me and say what broke. Not sorry for the inconvenience. Say what broke.
`,
  },
  {
    study: 'churn',
    vid: 'vid_5DN2XW',
    seconds: 1033,
    metadata: {
      plan: 'enterprise',
      company: 'Nordlicht Kliniken',
      role: 'IT-Leitung',
      seats: 410,
      country: 'DE',
      months_as_customer: 34,
    },
    extra: { language: 'German' },
    talk: `
? Guten Tag und danke für Ihre Zeit. Was hat den Ausschlag für die Kündigung gegeben?
! Kein einzelner Vorfall. Es war eher wie ein Wasserhahn, der tropft: Man steht nicht auf, man schläft nur schlechter.
? Können Sie ein Beispiel für so einen Tropfen nennen?
! Die Anmeldung. Unser Haus schreibt vor, dass jedes Konto über den zentralen Verzeichnisdienst läuft. Bei Ihnen gab es das, aber Gäste konnten weiterhin mit einem Passwort hinein, und das durfte ich unserem Datenschutz jedes Quartal neu erklären.
? Wie hat der Datenschutz reagiert?
! Freundlich und mit einer Frist. Nach der dritten Frist war es nicht mehr freundlich.
? Was haben die Stationen dazu gesagt?
! Die Stationen lieben das Werkzeug, das muss ich fairerweise sagen. Die Pflegeleitung der Kardiologie hat mir eine Karte mit zwölf Unterschriften geschickt, ich solle es bitte nicht abschalten.
? Und trotzdem haben Sie gekündigt.
! Ja. Zwölf Unterschriften wiegen viel, aber eine Auflage wiegt mehr. Wenn Sie Gäste abschaltbar machen, rufen Sie mich an, dann hole ich die Karte wieder aus der Schublade.
? Wohin wechseln Sie?
! Vorerst zurück zu Listen auf dem Server. Ich weiß, wie das klingt.
`,
  },
  {
    study: 'churn',
    vid: 'vid_0BG4VP',
    seconds: 689,
    metadata: {
      plan: 'team',
      company: 'Fern & Fable Press',
      role: 'Managing editor',
      seats: 9,
      country: 'NZ',
      months_as_customer: 7,
    },
    talk: `
? Kia ora, and thanks for talking with us. What were you hoping Harbor would do for your press?
! I hoped it would tell me which of our nine books was late. It turns out I knew. They were all late.
? How did you use it from day to day?
! I would open it on Monday, move every card one week to the right, and close it. After five months I noticed that I was paying for a very slow conveyor belt.
? What was missing between Monday and Monday?
! The authors. They live in email and they will die in email. If a card could simply be an email that I forward, then it would have known things before I did.
? Did you try the email feature?
! I did not know that there was one. Oh no. Is there one?
? There is an address for each board. How would you have liked to learn of it?
! On the Monday! While I am dragging nine cards to the right, like a woman pushing a glacier, something could have said: shall I ask the authors for you?
? If you were starting again today, what would you do differently?
! I would give it to Tamati, who is twenty four and not afraid of settings. And I would let him nag me.
`,
  },
];
